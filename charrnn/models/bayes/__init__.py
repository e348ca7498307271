"""Naive Bayes: classifiers that count n-grams.

config.py          sizes, smoothing and weights
reader.py          converts the ids of an input back to text
ngram_keys.py      the character and word n-grams of texts, as 64-bit keys
label_counts.py    how often each n-gram occurs with each label, as sorted arrays
text_scores.py     the scores of texts by kind of n-gram and label
label_weights.py   fits the weights of several scores by logistic regression
model.py           probabilities
recipe.py          the initial config, before counting
"""
