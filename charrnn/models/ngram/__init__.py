"""N-gram models.

config.py   order and smoothing
counts.py   counting n-grams
tree.py     finding contexts and what follows them
model.py    probabilities
recipe.py   default sizes and rates, chosen from the corpus
"""
