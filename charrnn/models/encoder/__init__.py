"""The encoder, which reads an input for classifiers, taggers and translators.

model.py    the encoder in NumPy, its equations and its parameters
network.py  the same encoder in torch, with gradients
"""
