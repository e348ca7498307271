"""Options that several commands have: the same name means the same everywhere."""

import re
from collections.abc import Callable
from difflib import get_close_matches
from typing import Annotated, Final

import typer

from charrnn.errors import UsageError
from charrnn.tokenizers import TOKENIZERS
from charrnn.tokenizers.config import SUBWORD_TYPES

_SECONDS: Final = {"d": 86400, "h": 3600, "m": 60, "s": 1}
_DURATION: Final = re.compile(r"(?:(\d+(?:\.\d+)?|\.\d+)\s*(d|h|m|s)\s*)")


def one_of(flag: str, choices: tuple[str, ...]) -> Callable[[str], str]:
    """Return a parser that takes one of the choices, and helps with a mistyped one."""

    def parse(value: str) -> str:
        if value in choices:
            return value
        close = get_close_matches(value, choices, n=1)
        guess = f"did you mean {close[0]}? " if close else ""
        raise UsageError(
            f"{flag} is {value!r}", hint=f"{guess}one of {', '.join(choices)}"
        )

    return parse


def parse_duration(text: str, flag: str = "--time") -> float:
    """Return the seconds of a time span such as 90s, 5m, 1.5h or 1h30m.

    Raises UsageError for anything else: a bare number has no unit.
    """
    parts = _DURATION.findall(text.strip().lower())
    if not parts or _DURATION.sub("", text.strip().lower()):
        is_bare = re.fullmatch(r"\d+(\.\d+)?", text.strip())
        units = f"{text}s, {text}m or {text}h" if is_bare else "90s, 5m or 1h30m"
        raise UsageError(f"{flag} is {text!r}", hint=f"give it as {units}")
    return sum(float(count) * _SECONDS[unit] for count, unit in parts)


def check_device(device: str) -> None:
    """Raise UsageError unless NumPy can do it: sampling and scoring run on the CPU."""
    if device not in ("auto", "cpu"):
        raise UsageError(
            f"--device is {device!r}; this command runs on the CPU only",
            hint="leave --device out; only charrnn train uses a GPU",
        )


Model = Annotated[
    str | None,
    typer.Option(
        "--model",
        "-m",
        metavar="PATH",
        help="Run folder or model file; by default $CHARRNN_MODEL, else the newest run "
        "under $CHARRNN_RUNS or ./runs.",
        show_default=False,
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Write JSON, for programs.")]
Quiet = Annotated[
    bool, typer.Option("--quiet", "-q", help="Write nothing to stderr but errors.")
]
Seed = Annotated[
    int | None,
    typer.Option(
        "--seed",
        min=0,
        metavar="INT",
        help="Random seed, 0 or more; the same seed gives the same result.",
        show_default="a fresh one, which is said",
    ),
]
Device = Annotated[
    str,
    typer.Option(
        "--device",
        metavar="auto|cpu",
        help="Where to compute; both mean the CPU.",
    ),
]
Level = Annotated[
    str,
    typer.Option(
        "--level",
        parser=one_of("--level", tuple(TOKENIZERS)),
        metavar="|".join(TOKENIZERS),
        help="What a token is.",
    ),
]
VocabSize = Annotated[
    int,
    typer.Option(
        "--vocab-size",
        min=0,
        metavar="INT",
        help="Most tokens in the vocabulary; 0 is the level's own default: no limit "
        "for char, 20,000 for word, 2,000 for subword.",
    ),
]
MinCount = Annotated[
    int,
    typer.Option(
        "--min-count",
        min=1,
        metavar="INT",
        help="Characters and words seen less often become unknown, 1 or more.",
    ),
]
ModelType = Annotated[
    str,
    typer.Option(
        "--model-type",
        parser=one_of("--model-type", SUBWORD_TYPES),
        metavar="|".join(SUBWORD_TYPES),
        help="How subwords are learned.",
    ),
]
TokenizerFile = Annotated[
    str | None,
    typer.Option(
        "--tokenizer",
        metavar="FILE",
        help="A tokenizer that `charrnn tokenize -o` saved, or a SentencePiece .model.",
        show_default=False,
    ),
]
