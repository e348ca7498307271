"""Predictors that only count, as baselines for taggers and translators.

Both have `fit(sources, targets)` and `predict(sources)`, from text to text. The
baseline for classifiers is a family of models (models/bayes/).

frequent_tags.py   tag: predicts the most frequent tag of each word, or of its ending
memory.py          translate: remembers translations, and copies unknown sources
"""
