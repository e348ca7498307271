"""Small n-gram models, and what they say after a context."""

from collections.abc import Sequence

import numpy as np
from hypothesis import strategies as st

from charrnn.data.store import Part
from charrnn.models.ngram.config import NgramConfig
from charrnn.models.ngram.model import NgramModel

#: a document of eight tokens, 1 to 3
EIGHT = [1, 2, 1, 1, 2, 3, 1, 2]

corpora = st.lists(st.lists(st.integers(1, 3), max_size=12), min_size=1, max_size=4)
orders = st.integers(1, 5)


def part_of_documents(documents: Sequence[Sequence[int]], *, end: bool = True) -> Part:
    """Return documents, given without their boundaries, as a part."""
    tokens = np.array([0, *(token for ids in documents for token in [*ids, 0])])
    closed = np.array([len(ids) + 1 for ids in documents], np.int64)
    starts = np.cumsum(closed) - closed
    return Part(tokens, starts, closed if end else closed - 1, 0, 0, 0, 0)


def fit_ngrams(
    documents: Sequence[Sequence[int]], config: NgramConfig, *, end: bool = True
) -> NgramModel:
    """Return an n-gram model of documents, given without their boundaries."""
    return NgramModel.fit(config, part_of_documents(documents, end=end))


def distribution(model: NgramModel, context: Sequence[int]) -> np.ndarray:
    """Return p(. | context), (V,), of a model that has read nothing else."""
    state = model.initial_state(1)
    logits, _ = model.forward(np.array([context], np.int64), state)
    return np.exp(logits[0, -1])
