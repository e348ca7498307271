"""Training, from what was typed to weights: Request -> Plan -> Session.

config.py             TrainConfig: how a network is trained
config_file.py        TOML files of options, and finished runs to repeat
request.py            what a user typed
claim.py              the lock on a named run folder
starting.py           the model and the tokenizer that a run starts from
plan.py               what was resolved, with the reasons
prepare.py            from a request to a session
session.py            a run while it trains: events in, files out
gradient_session.py   a network, which learns by gradient
counting_session.py   a model that counts, without torch
ngram_partner.py      an n-gram model beside a network
events.py             what happens in a run
loop/                 the training loop, in torch
machine/              device, precision, threads, memory
"""
