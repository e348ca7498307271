"""Data: documents are stored as parts on disk, and parts are cut into batches.

config.py       how text is cut into documents and split
corpus.py       encodes texts into a token store, in three passes
split.py        chooses the validation documents
writer.py       writes the token store
store.py        the token store, mapped into memory
parts.py        parts in memory, and splitting off a held-out part
examples.py     reads, writes and splits labelled data
inputs.py       reads the inputs to predict outputs for
formats/        the formats of labelled data
segments.py     documents cut to a bounded length
batches.py      training batches as a function of the step
validation.py   validation batches
"""
