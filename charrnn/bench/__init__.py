"""How fast this machine runs charrnn's models.

measurement.py      timing, and the number of operations per token
inference_speed.py  start-up, sampling and scoring, in NumPy
training_speed.py   training steps, in torch
"""
