"""How a network is trained."""

import re
from dataclasses import dataclass
from typing import Final

from charrnn.errors import UsageError
from charrnn.fields import BUDGET, MACHINE, MODEL, OPTIMISATION, OUTPUT, check, option
from charrnn.models.options import MAX_ORDER

SCHEDULES: Final = ("linear", "cosine", "constant")
PRECISIONS: Final = ("fp32", "bf16", "fp16")
#: the options that limit the length of a run; each run has exactly one
BUDGETS: Final = ("time_s", "epochs", "steps")
#: the options that may change when a run is resumed, besides the budget
ADJUSTABLE: Final = ("patience", "save_every_s", "threads")


@dataclass(frozen=True)
class TrainConfig:
    """How a network is trained; the budget is one of `steps`, `epochs` and `time_s`.

    max_epochs: ends a run with a time budget early; 0 means never. warmup: fraction of
    the run during which the learning rate rises. dropout: between layers and before
    the output; it rises gradually, by dropout_rise in total. stages: number of equal
    stages of the run; the window doubles from each to the next, up to bptt.
    label_smoothing: share of a target's probability that is spread over all tokens.
    """

    time_s: float = option(
        0.0,
        above=0,
        is_duration=True,
        metavar="SPAN",
        group=BUDGET,
        shown="5m",
        help="Training time: 90s, 5m, 1h30m.",
    )
    epochs: float = option(
        0.0, above=0, group=BUDGET, help="Number of passes over the training text."
    )
    steps: int = option(0, above=0, group=BUDGET, help="Number of optimizer steps.")
    patience: int = option(
        0,
        at_least=0,
        group=BUDGET,
        help="Early stopping: end after this many validations without improvement; 0 "
        "disables it.",
    )
    max_epochs: float = 0.0
    dropout: float = option(
        0.1,
        at_least=0,
        below=1,
        shown="chosen, rises over the run",
        help="Fraction of units dropped in each window, in [0, 1).",
    )
    dropout_rise: float = 0.0
    with_ngram: bool = option(
        False,
        group=MODEL,
        help="Mix in a counting model: n-grams or, for a classifier, naive Bayes "
        "over n-grams. The weights are fitted on held-out training data.",
    )
    ngram_order: int = option(
        0,
        at_least=1,
        at_most=MAX_ORDER,
        group=MODEL,
        shown="best on the held-out text, at most 8",
        help="Order of the n-gram model of `with_ngram`.",
    )
    lr: float = option(
        4e-3,
        above=0,
        group=OPTIMISATION,
        shown="chosen",
        help="Peak learning rate.",
    )
    schedule: str = option(
        "linear",
        choices=SCHEDULES,
        group=OPTIMISATION,
        help="Decay of the learning rate over the run.",
    )
    batch: int = option(
        32,
        at_least=1,
        group=OPTIMISATION,
        shown="32; 64 for a window",
        help="Batch size: number of streams read in parallel.",
    )
    bptt: int = option(
        128,
        at_least=1,
        at_most=1_000_000,
        group=OPTIMISATION,
        shown="128 or 64; 32 for a window",
        help="Tokens per stream in each step; gradients flow back at most this far.",
    )
    stages: int = 1
    warmup: float = 0.02
    label_smoothing: float = 0.0
    clip: float = option(
        1.0, above=0, group=OPTIMISATION, help="Maximum gradient norm."
    )
    weight_decay: float = option(
        0.1,
        at_least=0,
        group=OPTIMISATION,
        shown="chosen",
        help="AdamW weight decay, applied to matrices only.",
    )
    seed: int = option(
        1,
        at_least=0,
        at_most=2**32 - 1,
        group=OPTIMISATION,
        help="Random seed, 0 or more.",
    )
    device: str = option(
        "cpu",
        shown="auto",
        metavar="auto|cpu|cuda",
        group=MACHINE,
        help="Device to train on.",
    )
    precision: str = option(
        "fp32",
        choices=PRECISIONS,
        has_auto=True,
        group=MACHINE,
        help="Number format of the matrix products.",
    )
    threads: int = option(
        1,
        at_least=1,
        group=MACHINE,
        shown="the fastest, measured",
        help="Number of CPU threads.",
    )
    save_every_s: float = option(
        60.0,
        above=0,
        is_duration=True,
        metavar="SPAN",
        group=OUTPUT,
        shown="60s",
        help="Time between saves.",
    )

    def __post_init__(self) -> None:
        check(self)
        if not re.fullmatch(r"cpu|cuda(:\d+)?", self.device):
            raise UsageError(
                f"`device` is {self.device!r}", hint="choose auto, cpu or cuda"
            )
        if self.ngram_order and not self.with_ngram:
            raise UsageError(
                "`ngram_order` is given without `with_ngram`",
                hint="add `with_ngram`, or use `order` to train only an n-gram model",
            )
        if not (self.stages >= 1 and 0 <= self.warmup < 1):
            raise UsageError(
                f"stages {self.stages} or warmup {self.warmup} is out of range"
            )
        if not 0 <= self.dropout + self.dropout_rise < 1:
            rise = self.dropout + self.dropout_rise
            raise UsageError(f"`dropout` rises to {rise}, outside [0, 1)")
