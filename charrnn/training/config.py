"""How a network is trained."""

import math
from dataclasses import dataclass
from typing import Final

from charrnn.errors import UsageError
from charrnn.fields import at_least, flag, one_of
from charrnn.models.ngram.config import (
    check_order,
)

SCHEDULES: Final = ("linear", "cosine", "constant")

PRECISIONS: Final = ("fp32", "bf16", "fp16")


@dataclass(frozen=True)
class TrainConfig:
    """How a network is trained, to the end of steps, epochs or time_s: the one given.

    max_epochs: ends a time budget early, 0 never. warmup: share of the run in which
    the rate rises. dropout: between layers, and before the output; dropout_rise is
    added to it bit by bit until the end. stages: equal shares of the run, from each of
    which to the next the window doubles, up to bptt. with_ngram: mix in an n-gram
    model, of ngram_order; 0 is the order that suits best.
    """

    batch: int = 32
    bptt: int = 128
    stages: int = 1
    lr: float = 4e-3
    schedule: str = "linear"
    warmup: float = 0.02
    clip: float = 1.0
    weight_decay: float = 0.1
    dropout: float = 0.1
    dropout_rise: float = 0.0
    steps: int = 0
    epochs: float = 0.0
    time_s: float = 0.0
    max_epochs: float = 0.0
    patience: int = 0
    seed: int = 1
    device: str = "cpu"
    precision: str = "fp32"
    threads: int = 1
    save_every_s: float = 60.0
    with_ngram: bool = False
    ngram_order: int = 0

    def __post_init__(self) -> None:
        one_of("--schedule", self.schedule, SCHEDULES)
        one_of("--precision", self.precision, PRECISIONS)
        for name in ("batch", "bptt", "stages"):
            at_least(f"--{name}", getattr(self, name), 1)
        for name in ("lr", "clip", "save_every_s"):
            if not 0 < (value := getattr(self, name)) < math.inf:
                raise UsageError(f"{flag(name)} is {value}, not a number above 0")
        for name in ("weight_decay", "steps", "epochs", "time_s", "patience", "seed"):
            at_least(flag(name), getattr(self, name), 0)
        check_order("--ngram-order", self.ngram_order, 0)
        if self.ngram_order and not self.with_ngram:
            raise UsageError(
                "--ngram-order is given, but not --with-ngram",
                hint="add --with-ngram; --order is that of --model ngram",
            )
        if not 0 <= self.warmup < 1:
            raise UsageError(f"the warm-up is {self.warmup}, not in [0, 1)")
        for share in (self.dropout, self.dropout + self.dropout_rise):
            if not 0 <= share < 1:
                raise UsageError(f"--dropout is {share}, not in [0, 1)")
