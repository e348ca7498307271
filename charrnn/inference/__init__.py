"""Inference: what a trained model does with text, in NumPy.

text_model.py   a model with its tokenizer: text in, text and scores out
checkpoint.py   model files: save, verify, load
config.py       sampling options
sampling.py     temperature, filters and the sampling loop
writing.py      texts while they are written
scoring.py      the nats of each token of a text or part
score.py        sums of nats and the units derived from them
threads.py      rows of a batch in several threads
comparing.py    several models on the same texts
intervals.py    confidence intervals by block bootstrap
baselines.py    validation texts of a run, and n-gram baselines
mixing.py       mixture weights from held-out text
"""
