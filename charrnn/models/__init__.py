"""Models map tokens and a state to logits and a state. Each family has a folder.

base.py        the contract of a model, in NumPy
cells.py       every recurrent cell, as its textbook equations
attention.py   every kind of attention, as its textbook equations
families.py    the registry of model families and their classes
options.py     options that families share, such as --hidden
recipe.py      recipes, which choose defaults from a corpus and a budget
layers.py      runs a layer over time, in torch
network.py     what training requires of a network, in torch
mixture.py     the weighted mean of several models
product.py     the weighted product of several classifiers
encoder/       reads an input in both directions
recurrent/  window/  ngram/  labeller/  translator/  bayes/
               config, model (NumPy), network (torch), recipe (defaults)
"""

from charrnn.registry import Registry

#: cell classes by name
CELLS = Registry(
    "cell",
    {
        "elman": "charrnn.models.cells:Elman",
        "elman-relu": "charrnn.models.cells:ElmanReLU",
        "lstm": "charrnn.models.cells:LSTM",
        "lstm-peephole": "charrnn.models.cells:PeepholeLSTM",
        "gru": "charrnn.models.cells:GRU",
        "gru-simple": "charrnn.models.cells:SimpleGRU",
        "mingru": "charrnn.models.cells:MinGRU",
    },
)

#: kinds of attention by name
ATTENTIONS = Registry(
    "attention",
    {
        "none": "charrnn.models.attention:NoAttention",
        "dot": "charrnn.models.attention:DotAttention",
        "general": "charrnn.models.attention:GeneralAttention",
        "additive": "charrnn.models.attention:AdditiveAttention",
    },
)
