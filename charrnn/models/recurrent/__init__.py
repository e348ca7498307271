"""Recurrent networks.

config.py   options
model.py    inference, in NumPy
steps.py    the time loop of a layer, in NumPy
network.py  training, in torch
recipe.py   default sizes and rates, chosen from the corpus
"""
