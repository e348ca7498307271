"""The best outputs of a model, and the probability of given ones.

beam.py         beam search over any language model
predicting.py   the best outputs for inputs, and the nats of outputs
attending.py    how much a translator attends to each input token
"""
