"""The encoder, which reads the input in classifiers, taggers and translators.

model.py    the encoder in NumPy, with its equations and parameters
network.py  the same encoder in torch, with gradients
"""
