"""Training, from the request to the weights: Request -> Plan -> Session.

config.py             TrainConfig: how a network is trained
config_file.py        reads options from a TOML file or from a finished run
request.py            the options that a user typed
claim.py              the lock on a named run folder
starting.py           the model and the tokenizer that a run starts from
plan.py               the resolved options, with the reason for each choice
prepare.py            turns a request into a session
session.py            a run while it trains: writes its files, yields events
gradient_session.py   trains a network by gradient descent
counting_session.py   fits a model by counting, without torch
ngram_partner.py      fits an n-gram model to mix with a network
bayes_partner.py      fits naive Bayes to multiply with a classifier
events.py             the events of a run, and its counters
loop/                 the training loop, in torch
machine/              device, precision, threads, memory
"""
