"""The events of a run, which are shown and kept in metrics.jsonl, and its counters."""

import dataclasses
import math
from dataclasses import dataclass, field
from typing import Any, ClassVar


@dataclass
class Counters:
    """The progress of a run; all of these values are saved."""

    step: int = 0
    stage: int = 0  #: the stage of the last step
    taken: list[int] = field(default_factory=list)  #: steps taken in each stage
    elapsed_s: float = 0.0
    loss_nats: float = math.nan  #: smoothed training loss per token
    best_nats: float = math.inf  #: lowest criterion, for text the nats per token
    stale: int = 0  #: number of validations since the best one
    validation_s: float = 0.0  #: seconds that the last validation took
    metrics_bytes: int = 0  #: length of metrics.jsonl at this step
    owes_validation: bool = False  #: whether a validation is due at this step
    finished: bool = False


@dataclass(frozen=True, kw_only=True)
class Event:
    """Something that happened during training."""

    kind: ClassVar[str]

    step: int
    elapsed_s: float

    def to_json(self) -> dict[str, Any]:
        """Return the event as one JSON object."""
        when = {"step": self.step, "elapsed_s": round(self.elapsed_s, 3)}
        return {"event": self.kind} | when | self.values

    @property
    def values(self) -> dict[str, Any]:
        """The fields of this kind of event, with `details` merged in."""
        fields = dataclasses.asdict(self).items()
        own: dict[str, Any] = {k: v for k, v in fields if k not in SHARED}
        details: dict[str, Any] = own.pop("details", {})
        return own | details


SHARED = {one.name for one in dataclasses.fields(Event)}


@dataclass(frozen=True, kw_only=True)
class StartEvent(Event):
    """Training is about to begin; the fields hold sizes, plan and reasons."""

    kind: ClassVar[str] = "start"

    run: str
    continues: bool
    level: str
    vocabulary: int
    title: str
    train_tokens: int
    valid_tokens: int
    tokens_per_char: float
    loss_unit: str
    per_nat: float  #: how many of this unit are one nat per token
    corpus: dict[str, Any]
    task: str
    unit: str  #: what the corpus consists of: documents or examples
    family: str
    model: dict[str, Any]
    training: dict[str, Any]
    reasons: list[str]
    preview: list[str] = field(default_factory=list)
    details: dict[str, Any] = field(default_factory=dict)  #: the parameter count


@dataclass(frozen=True, kw_only=True)
class StepEvent(Event):
    """An optimizer step was taken."""

    kind: ClassVar[str] = "step"

    loss_nats: float
    smoothed_nats: float
    rate: float
    progress: float
    planned_steps: int
    cost_ahead: float
    epoch: float
    tokens: int


@dataclass(frozen=True, kw_only=True)
class ValidationEvent(Event):
    """A validation finished; metrics and mixture hold JSON values."""

    kind: ClassVar[str] = "validation"

    metrics: dict[str, Any]
    best: bool
    mixture: dict[str, Any] = field(default_factory=dict)

    @property
    def values(self) -> dict[str, Any]:
        """The metrics, whether they are the best so far, and the mixture."""
        return self.metrics | {"best": self.best} | self.mixture


@dataclass(frozen=True, kw_only=True)
class SampleEvent(Event):
    """The model wrote a sample text after a validation."""

    kind: ClassVar[str] = "sample"

    text: str
    temperature: float


@dataclass(frozen=True, kw_only=True)
class SaveEvent(Event):
    """The run was saved."""

    kind: ClassVar[str] = "save"

    path: str


@dataclass(frozen=True, kw_only=True)
class WarningEvent(Event):
    """A problem occurred that the user should know about."""

    kind: ClassVar[str] = "warning"

    message: str


@dataclass(frozen=True, kw_only=True)
class DoneEvent(Event):
    """The run is finished; details: an n-gram model of the same text, if counted."""

    kind: ClassVar[str] = "done"

    run: str
    best: dict[str, Any]
    steps: int
    details: dict[str, Any] = field(default_factory=dict)
