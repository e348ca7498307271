"""How far a run is, and what happens in it: shown, and kept in metrics.jsonl."""

import math
from dataclasses import dataclass, field
from typing import Any

from charrnn.inference.score import Score


@dataclass
class Counters:
    """What a run knows besides its tensors; all of it is saved."""

    step: int = 0
    stage: int = 0  #: of the last step
    taken: list[int] = field(default_factory=list)  #: steps in each stage
    elapsed_s: float = 0.0
    loss_nats: float = math.nan  #: smoothed training loss, a token
    best_nats: float = math.inf  #: lowest validation, a token
    stale: int = 0  #: validations since the best one
    validation_s: float = 0.0  #: seconds that the last validation took
    metrics_bytes: int = 0  #: length of metrics.jsonl at this step
    owes_validation: bool = False  #: of this step
    finished: bool = False


@dataclass(frozen=True)
class Event:
    """Something that happened in training: what is shown and kept in metrics.jsonl."""

    kind: str
    step: int
    elapsed_s: float
    values: dict[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return the event as one flat object."""
        when = {"step": self.step, "elapsed_s": round(self.elapsed_s, 3)}
        return {"event": self.kind} | when | self.values


def score_values(score: Score) -> dict[str, Any]:
    """Return what is reported of a validation; None where it is infinite."""
    means = {
        "nats_per_token": score.nats_per_token,
        "bits_per_char": score.bits_per_char,
        "bits_per_byte": score.bits_per_byte,
    }
    # JSON has no infinity, which is what a text costs that a model thinks impossible
    return {k: v if math.isfinite(v) else None for k, v in means.items()} | {
        "tokens": score.tokens,
        "unknown": score.unknown,
    }
