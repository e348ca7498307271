"""Translators, which predict an output of any length from an input.

config.py   options
model.py    inference, in NumPy
network.py  training, in torch
recipe.py   default sizes and rates
"""
