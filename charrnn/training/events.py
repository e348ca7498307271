"""What happens in training, as it is shown and as metrics.jsonl keeps it."""

from dataclasses import dataclass, field
from typing import Any

from charrnn.scoring import Score


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
    """Return what is reported of a validation."""
    return {
        "nats_per_token": score.nats_per_token,
        "bits_per_char": score.bits_per_char,
        "bits_per_byte": score.bits_per_byte,
        "tokens": score.tokens,
        "unknown": score.unknown,
    }
