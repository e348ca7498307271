"""Random classifiers and taggers with everything that they may have."""

from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt

from charrnn.models.base import log_softmax
from charrnn.models.labeller.config import READ_OUTS, LabellerConfig
from charrnn.models.labeller.model import HASHES, LabellerModel, parameter_shapes

Array = npt.NDArray[Any]

V, BLANK = 5, 2
SPANS = ("", "", "O", "B-X", "I-X")
ILLEGAL = {(0, 4), (2, 4)}  #: I-X neither begins a text nor follows O
#: inputs of 3, 2, 1 and 4 words; a letter is an id from 3 to 7
SOURCE = np.array(
    [
        [3, 4, 2, 5, 6, 2, 7, 0],
        [3, 3, 2, 3, 4, 0, 0, 0],
        [5, 0, 0, 0, 0, 0, 0, 0],
        [6, 2, 7, 2, 5, 2, 3, 4],
    ]
)
LENGTHS = np.array([7, 5, 1, 8])
WORDS = np.array([3, 2, 1, 4])

SMALL = LabellerConfig(
    vocab_size=V, source_size=8, hidden=6, embed=4, letter_hidden=3, word_embed=4
)
CLASSIFIERS = {
    **{kind: replace(SMALL, read_out=kind) for kind in READ_OUTS},
    "gru": replace(SMALL, cell="gru", layers=2, one_way=True, norm=False),
    "of-words": replace(SMALL, words=3, blank=BLANK, read_out="mean"),
}
TAGGER = replace(SMALL, per_word=True, blank=BLANK)
TAGGERS = {
    "letters": TAGGER,
    "words": replace(TAGGER, words=3, layers=2),
    "crf": replace(TAGGER, crf=True, words=3),
    "spans": replace(TAGGER, spans=SPANS),
    "crf-of-spans": replace(TAGGER, crf=True, spans=SPANS, one_way=True, norm=False),
}
LABELLERS = CLASSIFIERS | TAGGERS


def random_labeller(config: LabellerConfig, *, seed: int = 0) -> LabellerModel:
    """Return a labeller whose every parameter is drawn from a normal distribution."""
    rng = np.random.default_rng(seed)
    shapes = parameter_shapes(config).items()
    tensors: dict[str, Array] = {
        n: rng.normal(0, 0.7, x).astype(np.float32) for n, x in shapes
    }
    if config.words:
        tensors[HASHES] = np.sort(rng.integers(-(1 << 62), 1 << 62, config.words))
    return LabellerModel(config, tensors)


def row(number: int) -> tuple[Array, Array]:
    """Return one of the inputs, without padding, and its length."""
    length = LENGTHS[number]
    return SOURCE[number : number + 1, :length], LENGTHS[number : number + 1]


def count(config: LabellerConfig, number: int) -> int:
    """Return how many labels an input has."""
    return int(WORDS[number]) if config.per_word else 1


def nats_of_all(model: LabellerModel, number: int) -> dict[tuple[int, ...], float]:
    """Return -ln p of every sequence of labels of an input, with its end."""
    length = count(model.config, number)
    labels = np.array(list(product(range(V), repeat=length)))
    source, sizes = row(number)
    rows = len(labels)
    state = model.read(np.repeat(source, rows, 0), np.repeat(sizes, rows))
    before = np.pad(labels, ((0, 0), (1, 0)))
    logits, _ = model.forward(before, state)
    after = np.pad(labels, ((0, 0), (0, 1)))
    log_p = log_softmax(logits.astype(np.float64))
    chosen = np.take_along_axis(log_p, after[..., None], -1)[..., 0]
    totals = -chosen.sum(axis=1)
    return dict(zip(map(tuple, labels.tolist()), totals.tolist(), strict=True))
