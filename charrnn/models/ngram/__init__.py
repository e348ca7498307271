"""N-gram models.

config.py   order and smoothing
counts.py   counting n-grams
tree.py     looking up contexts and their next tokens
model.py    probabilities
recipe.py   default order, chosen from the corpus
"""
