"""Sample and score text with trained models, in NumPy.

text_model.py   a model with its tokenizer, which samples and scores text
checkpoint.py   saves, verifies and loads model files
config.py       sampling options
sampling.py     the sampling loop, with temperature and filters
writing.py      collects texts as they are sampled, and detects their ends
scoring.py      computes the nats of each token of a text or part
score.py        sums of nats and the units derived from them
threads.py      splits the rows of a batch among threads
comparing.py    compares several models on the same texts
intervals.py    confidence intervals from a block bootstrap
baselines.py    the validation text of a run, and n-gram baselines
mixing.py       mixture weights, fitted on held-out text
prediction/     the best outputs, by beam search or exactly, and their probability
metrics/        how well labels, tags and translations were predicted
counting/       baselines that only count, for labels, tags and translations
"""
