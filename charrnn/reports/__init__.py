"""Pictures of results.

ladder_plot.py   draws a bar chart of compared models
"""
