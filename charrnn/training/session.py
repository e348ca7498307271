"""One run while it trains: events in, metrics and model file out.

What the families of models have in common; none of it needs torch.
"""

import json
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from charrnn.data.store import TokenStore
from charrnn.errors import ResourceError
from charrnn.fields import from_json
from charrnn.inference import checkpoint
from charrnn.inference.config import SampleConfig
from charrnn.inference.text_model import TextModel
from charrnn.models.base import LanguageModel
from charrnn.models.families import FAMILIES
from charrnn.models.mixture import MixtureModel
from charrnn.storage import files
from charrnn.storage.runs import Run
from charrnn.tokenizers import loading as tokenizers
from charrnn.training.events import Counters, Event

if TYPE_CHECKING:
    from charrnn.training.request import Request

SAMPLE = SampleConfig(temperature=0.8, length=120)  # shown at each validation


@dataclass(frozen=True)
class Choice:
    """The configs of a model and of its training, {} if that has no steps, and why.

    reasons: a few phrases.
    """

    model: Any
    training: Any
    reasons: tuple[str, ...]


class Session(ABC):
    """A prepared run folder, opened for training at the place where it was left."""

    has_steps: ClassVar[bool]  #: whether there may be more training

    def __init__(
        self, run: Run, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.run = run
        self.info = run.read_info()
        self.store = TokenStore.open(run.tokens)
        family = FAMILIES[self.info["family"]]
        self.config = from_json(family.config_type, self.info["model"])
        self.tokenizer = tokenizers.from_json(self.info["tokenizer"])
        self._clock = clock
        self._lines = b""  # of metrics.jsonl, not yet there
        self._warnings: list[str] = []
        self._is_failing = False

    @staticmethod
    @abstractmethod
    def check(request: "Request") -> None:
        """Raise UsageError for what makes no sense, before the corpus is read."""

    @staticmethod
    @abstractmethod
    def choose(store: TokenStore, request: "Request") -> Choice:
        """Complete what was given. Raises UsageError, ResourceError."""

    @staticmethod
    def process_settings() -> AbstractContextManager[None]:
        """Return the context in which sessions are opened and train."""
        return nullcontext()

    @property
    @abstractmethod
    def counters(self) -> Counters:
        """How far the run is."""

    @property
    def continues(self) -> bool:
        """Whether the run goes on from where it was stopped."""
        return self.counters.step > 0

    @property
    def finished(self) -> bool:
        """Whether nothing is left to do."""
        return self.counters.finished

    @abstractmethod
    def follow(self, request: "Request") -> None:
        """Take what a run that was found again may be asked for anew."""

    @abstractmethod
    def train(self, stop: Callable[[], bool]) -> Iterator[Event]:
        """Train until the end, or until `stop()` is true; yield what happens.

        Whatever happens, the run can be continued from its last save. What cannot
        be saved is a warning and is tried again; at the end it is a ResourceError.
        """

    def start_event(self) -> Event:
        """Return what is known before anything is learned: sizes, plan and reasons."""
        keys = ("corpus", "family", "model", "training", "reasons")
        valid = self.store.valid
        values = {
            "run": str(self.run.path),
            "continues": self.continues,
            "level": self.tokenizer.level,
            "vocabulary": self.tokenizer.vocab_size,
            "title": self.config.title,
            "train_tokens": self.store.train.targets,
            "valid_tokens": valid.targets,
            "tokens_per_char": valid.targets / max(1, valid.characters),
        }
        return self._event("start", values | {key: self.info[key] for key in keys})

    def done_event(self) -> Event:
        """Return what a finished run came to."""
        steps = self.counters.step
        values = {"run": str(self.run.path), "best": self._best(), "steps": steps}
        return self._event("done", values)

    def _best(self) -> dict[str, Any]:
        """Return the validation of the model that is kept."""
        summary = checkpoint.load(self.run.model).summary
        return {**summary["validation"], "step": summary["step"]}

    def _text_model(self, model: LanguageModel, validation: Event) -> TextModel:
        """Return a model with all that its file says."""
        summary = {
            "step": validation.step,
            "elapsed_s": validation.elapsed_s,
            "validation": validation.values,
            "learned_end": self.store.learns_end,
            "corpus": self.info["corpus"],
        }
        return TextModel(model, self.tokenizer, summary=summary)

    def _sample_event(self, model: TextModel) -> Event:
        """Return what a model writes, the same whenever it is at the same step."""
        sample = next(model.sample(seed=self.counters.step, config=SAMPLE))
        shown = {"text": sample.text, "temperature": SAMPLE.temperature}
        return self._event("sample", shown)

    def _event(self, kind: str, values: dict[str, Any]) -> Event:
        return Event(kind, self.counters.step, self.counters.elapsed_s, values)

    def _noted(self, event: Event) -> Event:
        """Add an event to metrics.jsonl."""
        text = json.dumps(event.to_json(), ensure_ascii=False)
        # a name that is not UTF-8: what stands for its bytes is escaped, as JSON does
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
        """Let metrics.jsonl end where the last save was."""
        counters, path = self.counters, self.run.metrics
        known = path.read_bytes()[: counters.metrics_bytes] if path.exists() else b""
        if len(known) < counters.metrics_bytes:
            self._warnings.append(f"the end of {path} is missing")
            counters.metrics_bytes = known.rfind(b"\n") + 1
        self._append_lines()

    def _survives(self, save: Callable[[], None]) -> bool:
        """Say whether something could be saved; warn at the first failure of a row."""
        try:
            save()
        except ResourceError as error:
            if not self._is_failing:
                self._warnings.append(f"{error.message}; training goes on, unsaved")
            self._is_failing = True
            return False
        return True

    def _new_warnings(self) -> Iterator[Event]:
        warnings, self._warnings = self._warnings, []
        yield from (self._event("warning", {"message": text}) for text in warnings)


def starting_model(path: Path) -> TextModel:
    """Return the model of a file; of a mixture with one network, that network."""
    start = checkpoint.load(path)
    members = start.model.members if isinstance(start.model, MixtureModel) else ()
    networks = [one for one in members if FAMILIES[one.family].network]
    if len(networks) != 1:
        return start
    return TextModel(networks[0], start.tokenizer, summary=start.summary)
