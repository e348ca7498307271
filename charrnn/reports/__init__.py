"""Images of results.

ladder_plot.py   a bar chart of compared models
"""
