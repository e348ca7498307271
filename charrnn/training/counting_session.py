"""A run whose model counts: fitted in one go, without torch."""

import time
from collections.abc import Callable, Iterator

from charrnn.data.batches import are_short
from charrnn.data.store import TokenStore
from charrnn.errors import ResourceError
from charrnn.inference import checkpoint
from charrnn.inference.score import Score
from charrnn.inference.scoring import part_score
from charrnn.models.ngram.config import NgramConfig
from charrnn.models.ngram.model import NgramModel
from charrnn.storage.runs import Run
from charrnn.training.config import TrainConfig
from charrnn.training.events import Counters, Event, score_values
from charrnn.training.machine.memory import memory_limit
from charrnn.training.request import Request
from charrnn.training.session import Choice, Session


class CountingSession(Session):
    """A run of an n-gram model. There are no steps, so a finished one stays as it is.

    A fit that was stopped begins anew: it takes seconds.
    """

    has_steps = False

    def __init__(
        self, run: Run, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__(run, clock=clock)
        self._counters = Counters(finished="best" in self.info)

    @staticmethod
    def check(request: Request) -> None:
        """Do nothing: the request has checked it all."""

    @staticmethod
    def choose(store: TokenStore, request: Request) -> Choice:
        """Complete the order and the smoothing."""
        given = dict(request.sizes)
        reasons = []
        if "order" not in given:
            given["order"], why = _order(store)
            reasons.append(f"order {given['order']}: {why}")
        return Choice(
            NgramConfig(**{**given, "vocab_size": store.vocab_size}), {}, tuple(reasons)
        )

    @property
    def counters(self) -> Counters:
        """How far the run is: no step is ever taken."""
        return self._counters

    def follow(self, request: Request) -> None:
        """Take nothing: nothing is left to choose."""

    def train(self, stop: Callable[[], bool]) -> Iterator[Event]:
        """Count and validate; `stop` is not asked, as the end is near."""
        began = self._clock()
        self._cut_metrics()
        yield self._noted(self.start_event())
        ngram, score = self._fit()
        self.counters.elapsed_s = self._clock() - began
        validation = self._event("validation", score_values(score) | {"best": True})
        model = self._text_model(ngram, validation)
        checkpoint.save(self.run.model, model)
        yield self._noted(validation)
        yield self._noted(self._sample_event(model))
        done = self._noted(self.done_event())
        self._save_lines()
        self.info |= {"best": self._best(), "plan": []}
        self.run.write_info(self.info)
        self.counters.finished = True
        yield done

    def _fit(self) -> tuple[NgramModel, Score]:
        """Count the training part; return also the score of the other."""
        train, valid = self.store.train, self.store.valid
        try:
            with memory_limit():
                ngram = NgramModel.fit(
                    self.config, train.tokens, train.starts, train.lengths
                )
                return ngram, part_score(ngram, valid)
        except MemoryError as error:
            raise ResourceError(
                f"there is not enough memory to count {train.targets:,} tokens in"
                f" n-grams of up to {self.config.order}",
                hint="take a smaller --order, or less text",
            ) from error


def _order(store: TokenStore) -> tuple[int, str]:
    """Return how many tokens pay, and why.

    Longer n-grams change the nats a token by 0.003 or less on texts of 30,000 to a
    million characters (short documents: the best is 5 or 6, others 7 or 8).
    """
    if store.has_long_tokens:
        return 4, "tokens are words or parts of them"
    if are_short(store.train, TrainConfig.bptt):
        return 6, "documents are short"
    return 7, "the vocabulary is small"
