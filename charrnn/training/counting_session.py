"""A run of a model that is fitted by counting in one pass, without torch."""

import time
from collections.abc import Callable, Iterator

from charrnn.errors import ResourceError
from charrnn.inference import checkpoint
from charrnn.inference.prediction.predicting import part_predictions
from charrnn.models.base import LanguageModel
from charrnn.models.families import FAMILIES
from charrnn.storage.runs import Run
from charrnn.tasks.base import Metrics
from charrnn.training.events import Counters, Event, ValidationEvent
from charrnn.training.machine.memory import memory_limit
from charrnn.training.session import Session


class CountingSession(Session):
    """A run of a counting model, which has no steps and so cannot be trained further.

    An interrupted fit starts over, because it takes only seconds.
    """

    has_steps = False

    def __init__(
        self, run: Run, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__(run, clock=clock)
        self._counters = Counters(finished=self.record.is_finished)

    @property
    def counters(self) -> Counters:
        """The progress of the run; the step stays 0."""
        return self._counters

    def train(self, stop: Callable[[], bool]) -> Iterator[Event]:
        """Count and validate; `stop` is ignored, because a fit takes only seconds."""
        began = self._clock()
        self._cut_metrics()
        yield self._noted(self.start_event())
        model, metrics = self._fit()
        self.counters.elapsed_s = self._clock() - began
        values = metrics.to_json()
        validation = self._event(ValidationEvent, metrics=values, best=True)
        text_model = self._text_model(model, validation)
        checkpoint.save(self.run.model, text_model)
        yield self._noted(validation)
        yield self._noted(self._sample_event(text_model))
        done = self._noted(self.done_event())
        self._save_lines()
        self._rewrite(best=self._best(), plan=[])
        self.counters.finished = True
        yield done

    def _fit(self) -> tuple[LanguageModel, Metrics]:
        """Count the training part; return the model and its validation metrics."""
        train, valid = self.store.train, self.store.valid
        try:
            with memory_limit():
                kind = FAMILIES[self.record.family].model_type
                counted: LanguageModel = kind.fit(self.config, train, self.tokenizers)
                nats, best = part_predictions(counted, valid)
                return counted, self.task.measure(nats, valid, best, self.tokenizer)
        except MemoryError as error:
            raise ResourceError(
                f"not enough memory to count {train.targets:,} tokens in a"
                f" {self.config.title} model",
                hint="use less text, or reduce the `order` of n-grams",
            ) from error
