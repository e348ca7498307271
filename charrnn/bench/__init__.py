"""Measure how fast this machine runs charrnn's models.

measurement.py      times runs, and counts the operations per token
inference_speed.py  measures start-up, sampling and scoring, in NumPy
training_speed.py   measures training steps, in torch
"""
