"""The validation text of a run, and n-gram baselines trained on its training part."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import islice
from typing import Final, Protocol, TypeVar

import numpy as np

from charrnn.data.config import CorpusConfig
from charrnn.data.corpus import Corpus
from charrnn.data.store import Part, Survey, TokenStore
from charrnn.errors import ModelFileError, NotFoundError, StoppedError, TextError
from charrnn.fields import from_json
from charrnn.inference.scoring import Nats, part_nats
from charrnn.inference.text_model import TextModel
from charrnn.models.ngram.config import NgramConfig
from charrnn.models.ngram.model import NgramModel
from charrnn.storage.records import ModelSummary
from charrnn.storage.runs import Run, run_of
from charrnn.text.sources import find_sources
from charrnn.tokenizers.base import Tokenizer

Stop = Callable[[], bool]
C = TypeVar("C", bound="Surveyed")


class Surveyed(Protocol):
    """A corpus with a hash."""

    def survey(self) -> Survey:
        """Return its size and hash."""


ORDERS: Final = range(1, 9)  #: n-gram orders of the baselines
MIXED_ORDERS: Final = ORDERS[1:]  #: those worth comparing or mixing with a network
MAX_COUNTED: Final = 4_000_000  #: most tokens to count after a run: takes 10 s


def validation_documents(run: Run) -> tuple[str, ...]:
    """Reread the corpus of a run, as `reread` does; return its validation documents."""
    return tuple(reread(run, Corpus).validation_texts())


def reread(run: Run, corpus_type: Callable[..., C]) -> C:
    """Return the corpus of a run, read again from its files.

    Raises NotFoundError if a file is missing, TextError if the text has changed, or
    ModelFileError if the run does not record how its text was split.
    """
    info = run.read_info()
    hint = "compare on another text with `file`"
    try:
        read = info["corpus"]
        files, valid, sha256 = read["files"], read.get("valid", []), read["sha256"]
        config = from_json(CorpusConfig, info["split"])
        is_raw = info["tokenizer"]["level"] == "byte"
    except (KeyError, TypeError, ValueError) as error:
        why = f"{run.path} does not record its validation text"
        raise ModelFileError(why, hint=hint) from error
    if "-" in (*files, *valid):
        raise NotFoundError(f"{run.path} was trained on text from stdin", hint=hint)
    try:
        sources, valid_sources = find_sources(files), find_sources(valid)
    except NotFoundError as error:
        raise NotFoundError(error.message, hint=hint) from error
    corpus = corpus_type(sources, config, raw=is_raw, valid_sources=valid_sources)
    if corpus.survey().sha256 != sha256:
        named = ", ".join((*files, *valid))
        raise TextError(f"{named} has changed since {run.path} was started", hint=hint)
    return corpus


def store_of(model: TextModel) -> TokenStore | None:
    """Return the tokens of a model's run, or None if it has none, or has lost them."""
    run = run_of(model.source)
    return TokenStore.open(run.tokens) if run and run.tokens.is_dir() else None


def ladder(store: TokenStore, tokenizer: Tokenizer) -> Iterator[TextModel]:
    """Yield the uniform, unigram and 2- to 8-gram models of the training part."""
    summary = ModelSummary(learned_end=store.learns_end)
    none = np.empty(0, np.int64)
    nothing = replace(store.train, starts=none, lengths=none)
    uniform = NgramModel.fit(NgramConfig(store.vocab_size, 1, "mle"), nothing)
    yield TextModel(uniform, tokenizer, summary=summary, name="uniform")
    for order, model in enumerate(count(store.train, store.vocab_size, ORDERS), 1):
        name = f"{order}-gram" if order > 1 else "unigram"
        yield TextModel(model, tokenizer, summary=summary, name=name)


def count(part: Part, vocab_size: int, orders: range) -> Iterator[NgramModel]:
    """Yield an n-gram model of a part for each order, but count the part only once."""
    config = NgramConfig(vocab_size)
    counted = NgramModel.fit_orders(config, part, least=orders.start)
    return islice(counted, len(orders))


def best_ngram(store: TokenStore, stop: Stop) -> tuple[NgramModel, Nats] | None:
    """Return the best n-gram model of a corpus, with its nats on the validation part.

    The result is None if the corpus is too large to count quickly. Raises StoppedError
    if `stop()` becomes true before the end.
    """
    if store.train.targets > MAX_COUNTED:
        return None
    counted = count(store.train, store.vocab_size, MIXED_ORDERS)
    tried = until_worse(counted, store.valid, stop)
    return min(tried, key=lambda pair: float(pair[1].sum()))


def unless(stop: Stop, models: Iterator[NgramModel]) -> Iterator[NgramModel]:
    """Yield models; raise StoppedError if `stop()` is true after one is counted."""
    for model in models:
        if stop():
            raise StoppedError
        yield model


def until_worse(
    models: Iterator[NgramModel], part: Part, stop: Stop
) -> list[tuple[NgramModel, Nats]]:
    """Return models with their nats on a part, up to the first with no improvement."""
    tried: list[tuple[NgramModel, Nats]] = []
    least = np.inf
    for model in unless(stop, models):
        nats = part_nats(model, part)
        tried.append((model, nats))
        if nats.sum() >= least:
            break
        least = nats.sum()
    return tried
