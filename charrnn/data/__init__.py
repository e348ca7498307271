"""Data: documents become parts on disk, and parts become batches.

config.py       how text is cut into documents and split
corpus.py       texts to a token store, in three passes
split.py        which documents validate
writer.py       writes the token store
store.py        the token store, mapped into memory
parts.py        parts in memory, and held-out shares
segments.py     documents cut to a bounded length
batches.py      training batches as a function of the step
validation.py   validation batches
"""
