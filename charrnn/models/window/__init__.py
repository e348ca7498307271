"""Fixed-window networks.

config.py   sizes
model.py    inference, in NumPy
network.py  training, in torch
"""
