"""What to measure the model of a run by: its validation text, and plain counting.

The same text for all, and the ladder that a course climbs on it: uniform, unigram,
2-gram and so on, counted on what the run was trained on.
"""

from collections.abc import Iterator
from itertools import islice
from typing import Final

import numpy as np

from charrnn.data.config import CorpusConfig
from charrnn.data.corpus import Corpus
from charrnn.data.store import Part, TokenStore
from charrnn.errors import ModelFileError, NotFoundError, TextError
from charrnn.fields import from_json
from charrnn.inference.text_model import TextModel
from charrnn.models.ngram.config import NgramConfig
from charrnn.models.ngram.model import NgramModel
from charrnn.storage.runs import Run
from charrnn.text.sources import find_sources
from charrnn.tokenizers.base import Tokenizer

ORDERS: Final = range(1, 9)  #: that are counted beside a model


def validation_documents(run: Run) -> tuple[str, ...]:
    """Return the documents that validated a run, read from its corpus again.

    Raises NotFoundError if a file is gone, TextError if its text is another one now,
    ModelFileError if the run does not say how its text was cut.
    """
    info = run.read_info()
    hint = f"name a text to compare on instead of what validated {run.path}: -f FILE"
    try:
        said = info["corpus"]
        files, valid, sha256 = said["files"], said.get("valid", []), said["sha256"]
        config = from_json(CorpusConfig, info["split"])
        is_raw = info["tokenizer"]["level"] == "byte"
    except (KeyError, TypeError, ValueError) as error:
        why = f"{run.path} does not say what validated it"
        raise ModelFileError(why, hint=hint) from error
    if "-" in (*files, *valid):
        raise NotFoundError(f"{run.path} was trained on what came by stdin", hint=hint)
    try:
        sources, valid_sources = find_sources(files), find_sources(valid)
    except NotFoundError as error:
        raise NotFoundError(error.message, hint=hint) from error
    corpus = Corpus(sources, config, raw=is_raw, valid_sources=valid_sources)
    if corpus.survey().sha256 != sha256:
        named = ", ".join((*files, *valid))
        raise TextError(f"{named} has changed since {run.path} began", hint=hint)
    return tuple(corpus.validation_texts())


def ladder(store: TokenStore, tokenizer: Tokenizer) -> Iterator[TextModel]:
    """Yield the uniform, the unigram and the 2- to 8-gram model of a training part."""
    summary = {"learned_end": store.learns_end}
    tokens, none = store.train.tokens, np.empty(0, np.int64)
    nothing = NgramConfig(store.vocab_size, 1, "mle")
    uniform = NgramModel.fit(nothing, tokens, none, none)
    yield TextModel(uniform, tokenizer, summary=summary, name="uniform")
    for order, model in enumerate(count(store.train, store.vocab_size, ORDERS), 1):
        name = f"{order}-gram" if order > 1 else "unigram"
        yield TextModel(model, tokenizer, summary=summary, name=name)


def count(part: Part, vocab_size: int, orders: range) -> Iterator[NgramModel]:
    """Yield the n-gram models of a part, of each order, counted together."""
    counted = NgramModel.fit_orders(
        NgramConfig(vocab_size),
        part.tokens,
        part.starts,
        part.lengths,
        least=orders.start,
    )
    return islice(counted, len(orders))
