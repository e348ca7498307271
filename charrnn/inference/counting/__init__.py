"""Predictors that only count, as baselines for taggers and translators.

Both have `fit(sources, targets)` and `predict(sources)`, from text to text. For
classifiers, a family of models counts (models/bayes/).

frequent_tags.py   tag: the most frequent tag of each word, or of its ending
memory.py          translate: remembers translations, and copies new sources
"""
