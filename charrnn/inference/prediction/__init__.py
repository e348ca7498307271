"""The best outputs of a model, and the probabilities of given outputs.

beam.py         beam search over any language model
predicting.py   the best outputs for inputs, and the nats of given outputs
attending.py    how much a translator attends to each input token
"""
