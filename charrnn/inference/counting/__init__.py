"""Predictors that only count, as baselines for every task: text in, text out.

All have `fit(sources, targets)` and `predict(sources)`.

ngram_keys.py      the character and word n-grams of texts, as 64-bit keys
label_counts.py    how often each n-gram occurs with each label, as sorted arrays
text_scores.py     the scores of texts per kind of n-gram and label
naive_bayes.py     classify: naive Bayes over n-grams, with fitted weights
label_weights.py   fits the weights of several scores by logistic regression
frequent_tags.py   tag: the most frequent tag of each word, or of its ending
memory.py          translate: remembers translations, and copies new sources
"""
