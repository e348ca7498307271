"""A run whose model counts: fitted at once, without torch."""

import time
from collections.abc import Callable, Iterator

from charrnn.errors import ResourceError
from charrnn.inference import checkpoint
from charrnn.inference.scoring import part_nats
from charrnn.models.ngram.model import NgramModel
from charrnn.storage.runs import Run
from charrnn.tasks.base import Metrics
from charrnn.training.events import Counters, Event, ValidationEvent
from charrnn.training.machine.memory import memory_limit
from charrnn.training.session import Session


class CountingSession(Session):
    """A run of an n-gram model. There are no steps, so a finished one stays as it is.

    A fit that was interrupted starts over: it takes seconds.
    """

    has_steps = False

    def __init__(
        self, run: Run, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__(run, clock=clock)
        self._counters = Counters(finished="best" in self.info)

    @property
    def counters(self) -> Counters:
        """How far the run is: no step is ever taken."""
        return self._counters

    def train(self, stop: Callable[[], bool]) -> Iterator[Event]:
        """Count and validate; `stop` is not called, since the end is near."""
        began = self._clock()
        self._cut_metrics()
        yield self._noted(self.start_event())
        ngram, metrics = self._fit()
        self.counters.elapsed_s = self._clock() - began
        values = metrics.to_json()
        validation = self._event(ValidationEvent, metrics=values, best=True)
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

    def _fit(self) -> tuple[NgramModel, Metrics]:
        """Count the training part; return also the metrics of the other."""
        train, valid = self.store.train, self.store.valid
        try:
            with memory_limit():
                ngram = NgramModel.fit(
                    self.config, train.tokens, train.starts, train.lengths
                )
                return ngram, self.task.measure(part_nats(ngram, valid), valid)
        except MemoryError as error:
            raise ResourceError(
                f"not enough memory to count {train.targets:,} tokens in n-grams of up"
                f" to {self.config.order}",
                hint="reduce `order`, or use less text",
            ) from error
