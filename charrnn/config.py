"""What can be chosen, as frozen dataclasses.

The names of models, cells and levels stand here, so that the command line can offer
them without importing anything heavy.
"""

import math
from dataclasses import dataclass
from numbers import Integral
from typing import Any, Final

from charrnn.errors import UsageError

MODELS: Final = ("recurrent", "window", "ngram")  #: families that can be trained
CELLS: Final = (
    "elman",
    "elman-relu",
    "lstm",
    "lstm-peephole",
    "gru",
    "gru-simple",
    "mingru",
)
LEVELS: Final = ("char", "byte", "word", "subword")
DOCUMENT_MODES: Final = ("file", "line", "blank")
SUBWORD_TYPES: Final = ("unigram", "bpe")
SCHEDULES: Final = ("linear", "cosine", "constant")
SMOOTHINGS: Final = ("kneser-ney", "addk", "mle")
MOST_ORDER: Final = 64  #: far above what pays, and a loop over orders ends
LEAST_K: Final = 1e-30  #: with it no probability of addk is 0 in float32
MOST_K: Final = 1e30
PRECISIONS: Final = ("fp32", "bf16", "fp16")


@dataclass(frozen=True)
class TokenizerConfig:
    """How text becomes tokens; `vocab_size` 0 is the level's own default."""

    level: str = "char"
    vocab_size: int = 0
    min_count: int = 2
    model_type: str = "unigram"

    def __post_init__(self) -> None:
        _one_of("--level", self.level, LEVELS)
        _one_of("--model-type", self.model_type, SUBWORD_TYPES)
        _at_least("--vocab-size", self.vocab_size, 0)
        _at_least("--min-count", self.min_count, 1)


@dataclass(frozen=True)
class CorpusConfig:
    """How text is cut into documents and which of them validate.

    documents: "file", "line", "blank" (a blank line ends one), or a separator.
    valid_frac: share that validates; None is a tenth, but of a large corpus less.
    """

    documents: str = "file"
    valid_frac: float | None = None
    seed: int = 1

    def __post_init__(self) -> None:
        if not self.documents:
            raise UsageError("--documents is empty", hint="file, line, blank or a text")
        meant = self.documents.lower().removesuffix("s")
        if meant in DOCUMENT_MODES and self.documents != meant:
            raise UsageError(
                f"--documents is {self.documents!r}", hint=f"did you mean {meant}?"
            )
        if self.valid_frac is not None and not 0 < self.valid_frac < 1:
            raise UsageError(f"--valid-frac is {self.valid_frac}, not between 0 and 1")
        _at_least("--seed", self.seed, 0)


@dataclass(frozen=True)
class RecurrentConfig:
    """The shape of a recurrent language model: all that is needed to build it.

    embed 0 is one-hot input. `tie` uses the embedding as the output matrix too.
    """

    vocab_size: int
    cell: str = "lstm"
    layers: int = 1
    hidden: int = 512
    embed: int = 128
    tie: bool = False
    residual: bool = True
    norm: bool = True
    learned_state: bool = False

    def __post_init__(self) -> None:
        _one_of("--cell", self.cell, CELLS)
        for name in ("vocab_size", "layers", "hidden"):
            _at_least(flag(name), getattr(self, name), 1)
        _at_least("--embed", self.embed, 0)
        if self.tie and not self.embed:
            raise UsageError("--tie needs an embedding, but --embed is 0")

    @property
    def title(self) -> str:
        """How a network is called: gru 1x512."""
        return f"{self.cell} {self.layers}x{self.hidden}"


@dataclass(frozen=True)
class WindowConfig:
    """The shape of a network that sees the last order - 1 tokens.

    `direct` connects their embeddings to the output, past the hidden layer.
    """

    vocab_size: int
    order: int = 8
    hidden: int = 512
    embed: int = 64
    direct: bool = False

    def __post_init__(self) -> None:
        _at_least("--vocab-size", self.vocab_size, 1)
        _check_order("--order", self.order, 2)
        _at_least("--hidden", self.hidden, 1)
        _at_least("--embed", self.embed, 1)

    @property
    def title(self) -> str:
        """How a network is called: window of 10, 1x512."""
        return f"window of {self.order}, 1x{self.hidden}"


@dataclass(frozen=True)
class NgramConfig:
    """What an n-gram model counts, and how it smooths; `k` is for addk only."""

    vocab_size: int
    order: int = 7
    smoothing: str = "kneser-ney"
    k: float = 1.0

    def __post_init__(self) -> None:
        _at_least("--vocab-size", self.vocab_size, 1)
        _check_order("--order", self.order, 1)
        _one_of("--smoothing", self.smoothing, SMOOTHINGS)
        if not LEAST_K <= self.k <= MOST_K:
            raise UsageError(f"--k is {self.k}, not from {LEAST_K:g} to {MOST_K:g}")

    @property
    def title(self) -> str:
        """How a model is called: 7-gram kneser-ney."""
        k = f" {self.k:g}" if self.smoothing == "addk" else ""
        return f"{self.order}-gram {self.smoothing}{k}"


@dataclass(frozen=True)
class MixtureConfig:
    """What a mixture is made of: the weight of each member, and its config and family.

    Whether they fit each other is checked where the members are.
    """

    weights: tuple[float, ...]
    members: tuple[dict[str, Any], ...]


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
        _one_of("--schedule", self.schedule, SCHEDULES)
        _one_of("--precision", self.precision, PRECISIONS)
        for name in ("batch", "bptt", "stages"):
            _at_least(f"--{name}", getattr(self, name), 1)
        for name in ("lr", "clip", "save_every_s"):
            if not 0 < (value := getattr(self, name)) < math.inf:
                raise UsageError(f"{flag(name)} is {value}, not a number above 0")
        for name in ("weight_decay", "steps", "epochs", "time_s", "patience", "seed"):
            _at_least(flag(name), getattr(self, name), 0)
        _check_order("--ngram-order", self.ngram_order, 0)
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


@dataclass(frozen=True)
class SampleConfig:
    """How the next token is drawn; the filters apply in the order of the fields.

    temperature 0 is greedy. top_k 0, top_p 1 and min_p 0 switch a filter off.
    length 0 means: until the end.
    """

    temperature: float = 1.0
    top_k: int = 0
    top_p: float = 1.0
    min_p: float = 0.0
    length: int = 500
    stop: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.temperature != math.inf:  # which makes all tokens equal
            _at_least("--temp", self.temperature, 0)
        _whole("--top-k", self.top_k)
        _whole("--length", self.length)
        if not 0 < self.top_p <= 1:
            raise UsageError(f"--top-p is {self.top_p}, not in (0, 1]")
        if not 0 <= self.min_p <= 1:
            raise UsageError(f"--min-p is {self.min_p}, not in [0, 1]")
        if isinstance(self.stop, str):  # its characters would be stops
            raise UsageError(
                f"stop is the text {self.stop!r}, not a tuple of texts",
                hint=f"stop=({self.stop!r},)",
            )
        if not all(self.stop):
            raise UsageError("--stop is empty", hint="give the text to stop at")


def flag(field: str) -> str:
    """Return the option that a field is given by."""
    return f"--{field.removesuffix('_s').replace('_', '-')}"


def _one_of(option: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise UsageError(f"{option} is {value!r}", hint=f"one of {', '.join(choices)}")


def _at_least(option: str, value: float, least: float) -> None:
    if not least <= value < math.inf:
        what = f"below {least}" if value < least else "not a number that can be used"
        raise UsageError(f"{option} is {value}, {what}")


def _whole(option: str, value: int) -> None:
    if not isinstance(value, Integral):
        raise UsageError(f"{option} is {value!r}, not a whole number")
    _at_least(option, value, 0)


def _check_order(option: str, value: int, least: int) -> None:
    _at_least(option, value, least)
    if value > MOST_ORDER:
        raise UsageError(f"{option} is {value:,}, above {MOST_ORDER}")
