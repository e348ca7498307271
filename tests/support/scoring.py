"""A small network, ids for it, and a model of text in several scripts."""

import numpy as np
import numpy.typing as npt

from charrnn.inference.scoring import batch_nats
from charrnn.inference.text_model import TextModel
from charrnn.models.recurrent.config import RecurrentConfig
from support.models import random_model, random_text_model

SMALL = RecurrentConfig(vocab_size=11, cell="lstm", hidden=8, embed=4)
ATOL = 2e-5  # float32 logits, another order of sums


def ids_of(n: int, *, seed: int = 0) -> npt.NDArray[np.int64]:
    return np.random.default_rng(seed).integers(1, 11, n)


def nats_of(ids: npt.NDArray[np.int64], **options: object) -> npt.NDArray[np.float64]:
    (nats,) = batch_nats(random_model(SMALL), [ids], **options)
    return nats


def some_model(level: str = "char") -> TextModel:
    return random_text_model(["the cat sat; naïve café\n 東京"], level=level)
