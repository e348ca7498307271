"""A run while it trains: it yields events, and writes metrics and the model file.

This is the common base of the sessions for networks and for n-gram models. It does not
need torch.
"""

import json
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar, TypeVar

from charrnn.data.store import TokenStore
from charrnn.errors import ResourceError
from charrnn.fields import from_json
from charrnn.inference import checkpoint
from charrnn.inference.text_model import TextModel
from charrnn.models.base import LanguageModel
from charrnn.models.families import FAMILIES
from charrnn.models.mixture import CombinedModel
from charrnn.storage import files
from charrnn.storage.records import ModelSummary
from charrnn.storage.runs import Run
from charrnn.tasks import TASKS
from charrnn.tasks.base import Task
from charrnn.tokenizers import loading
from charrnn.tokenizers.base import Tokenizers
from charrnn.training.events import (
    Counters,
    DoneEvent,
    Event,
    SampleEvent,
    StartEvent,
    ValidationEvent,
    WarningEvent,
)

E = TypeVar("E", bound=Event)


class Session(ABC):
    """A prepared run folder, opened so that training can start or continue."""

    has_steps: ClassVar[bool]  #: whether a finished run can be trained further

    def __init__(
        self, run: Run, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.run = run
        self.record = run.read_record()
        self.task: Task[Any] = TASKS.checked(self.record.task)()
        self.store = TokenStore.open(run.tokens)
        family = FAMILIES[self.record.family]
        self.config = from_json(family.config_type, self.record.model)
        self.tokenizer = loading.from_json(self.record.tokenizer)
        reads = self.record.source_tokenizer
        self.source_tokenizer = loading.from_json(reads) if reads else None
        self._clock = clock
        self._lines = b""  # lines of metrics.jsonl that are not written yet
        self._warnings: list[str] = []
        self._is_failing = False

    @staticmethod
    def process_settings() -> AbstractContextManager[None]:
        """Return the context in which a session is opened and trained."""
        return nullcontext()

    @property
    def tokenizers(self) -> Tokenizers:
        """The tokenizers of outputs and of inputs."""
        return Tokenizers(self.tokenizer, self.source_tokenizer)

    @property
    @abstractmethod
    def counters(self) -> Counters:
        """The progress of the run."""

    @property
    def continues(self) -> bool:
        """Whether the run resumes after at least one step."""
        return self.counters.step > 0

    @property
    def finished(self) -> bool:
        """Whether the run has nothing left to do."""
        return self.counters.finished

    @property
    def next_command(self) -> str:
        """A command to try the model with."""
        used = Tokenizers(self.tokenizer, self.source_tokenizer)
        return self.task.next_command(str(self.run.path), self.store.valid, used)

    def adjust(  # noqa: B027 - an n-gram model has nothing to adjust
        self, training: Mapping[str, Any], *, force: bool = False
    ) -> None:
        """Apply the given fields of TrainConfig that may change in a resumed run.

        force: skip the memory check. Raises ResourceError.
        """

    @abstractmethod
    def train(self, stop: Callable[[], bool]) -> Iterator[Event]:
        """Train until the end or until `stop()` is true; yield the events.

        The run can always be resumed from its last save. A failed save causes a warning
        and is tried again later; if the final save fails, ResourceError is raised.
        """

    def start_event(self) -> StartEvent:
        """Return the sizes, the plan and its reasons, known before training."""
        valid = self.store.valid
        return self._event(
            StartEvent,
            run=str(self.run.path),
            continues=self.continues,
            level=self.tokenizer.level,
            vocabulary=self.tokenizer.vocab_size,
            title=self.config.title,
            train_tokens=self.store.train.targets,
            valid_tokens=valid.targets,
            tokens_per_char=valid.targets / max(1, valid.characters),
            loss_unit=self.task.loss_unit,
            per_nat=self.task.per_nat(valid),
            corpus=self.record.corpus.to_json(),
            task=self.record.task,
            unit=self.task.unit,
            family=self.record.family,
            model=self.record.model,
            training=self.record.training,
            reasons=self.record.reasons,
            preview=[] if self.continues else self.record.preview,
        )

    def done_event(self) -> DoneEvent:
        """Return the result of a finished run."""
        return self._event(
            DoneEvent,
            run=str(self.run.path),
            best=self._best(),
            steps=self.counters.step,
        )

    def _rewrite(self, **changes: Any) -> None:
        """Change fields of the record in run.json."""
        self.record = replace(self.record, **changes)
        self.run.write_record(self.record)

    def _best(self) -> dict[str, Any]:
        """Return the validation and step of the saved model."""
        summary = checkpoint.load(self.run.model).summary
        return {**(summary.validation or {}), "step": summary.step}

    def _text_model(
        self, model: LanguageModel, validation: ValidationEvent, **more: Any
    ) -> TextModel:
        """Return a model with its tokenizer and summary, ready to save."""
        summary = ModelSummary(
            step=validation.step,
            elapsed_s=validation.elapsed_s,
            validation=validation.values,
            learned_end=self.store.learns_end,
            corpus=self.record.corpus,
            task=self.record.task,
            **more,
        )
        reads = self.source_tokenizer
        return TextModel(model, self.tokenizer, source_tokenizer=reads, summary=summary)

    def _sample_event(self, model: TextModel) -> SampleEvent:
        """Return a sample of a model, which depends only on the step."""
        text = self.task.sample(model, self.store.valid, self.counters.step)
        return self._event(SampleEvent, text=text, temperature=self.task.temperature)

    def _event(self, kind: type[E], **values: Any) -> E:
        counters = self.counters
        return kind(step=counters.step, elapsed_s=counters.elapsed_s, **values)

    def _noted(self, event: E) -> E:
        """Add an event to metrics.jsonl."""
        text = json.dumps(event.to_json(), ensure_ascii=False)
        # file names that are not UTF-8 contain surrogates, which need escaping
        line = text.encode("utf-8", "backslashreplace") + b"\n"
        self._lines += line
        self.counters.metrics_bytes += len(line)
        self._survives(self._append_lines)
        return event

    def _append_lines(self) -> None:
        self.run.check_held()
        known = self.counters.metrics_bytes - len(self._lines)
        files.append(self.run.metrics, self._lines, at=known)
        self._lines = b""

    def _save_lines(self) -> None:
        self._append_lines()
        files.flush(self.run.metrics)

    def _cut_metrics(self) -> None:
        """Truncate metrics.jsonl to its length at the last save."""
        counters, path = self.counters, self.run.metrics
        known = path.read_bytes()[: counters.metrics_bytes] if path.exists() else b""
        if len(known) < counters.metrics_bytes:
            self._warnings.append(f"the end of {path} is missing")
            counters.metrics_bytes = known.rfind(b"\n") + 1
        self._append_lines()

    def _survives(self, save: Callable[[], None]) -> bool:
        """Try to save; return whether it worked, and warn about the first failure."""
        try:
            save()
        except ResourceError as error:
            if not self._is_failing:
                lost = f"{error.message}; training continues, but this save is lost"
                self._warnings.append(lost)
            self._is_failing = True
            return False
        return True

    def _new_warnings(self) -> Iterator[WarningEvent]:
        warnings, self._warnings = self._warnings, []
        yield from (self._event(WarningEvent, message=text) for text in warnings)


def starting_model(path: Path) -> TextModel:
    """Return the model in a file, or its network if it is a mixture with just one."""
    start = checkpoint.load(path)
    members = start.model.members if isinstance(start.model, CombinedModel) else ()
    networks = [one for one in members if FAMILIES[one.family].network]
    if len(networks) != 1:
        return start
    return start.with_model(networks[0])
