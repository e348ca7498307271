"""Classifiers and taggers: one label for a text, or one for each of its words.

config.py   options
words.py    splits inputs into words, and recognizes known words
spans.py    the legal transitions between labels of spans, such as B-LOC
chains.py   chains of labels: exact conditional probabilities and best sequences
model.py    inference, in NumPy
network.py  training, in torch
recipe.py   default sizes and rates, chosen from the corpus
"""
