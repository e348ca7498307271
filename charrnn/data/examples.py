"""Labelled data: examples, each an input text with its output text."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from charrnn.text.sources import Source


@dataclass(frozen=True)
class Example:
    """An input and its output, both as text, and the line of the file they are from.

    To classify, the output is a label. To tag, both are words, separated by single
    blanks, as many tags as words.
    """

    source: str
    target: str
    line: int = 0


@dataclass(frozen=True)
class Labelled:
    """Examples, and the task that they are for."""

    examples: list[Example]
    task: str


def read_examples(
    sources: Sequence[Source], *, task: str = "", columns: str = ""
) -> Labelled:
    """Read labelled data."""
    text = "".join("".join(source.text()) for source in sources)
    rows = [line.split("\t") for line in text.splitlines() if line]
    return Labelled([Example(a, b, k) for k, (a, b, *_) in enumerate(rows, 1)], task)


def split(
    examples: Sequence[Example], share: float, seed: int
) -> tuple[list[Example], list[Example]]:
    """Split by a hash of the input."""

    def key(one: Example) -> float:
        digest = hashlib.sha256(f"{seed} {one.source}".encode()).digest()
        return int.from_bytes(digest[:8], "big") / 2**64

    held = [key(one) < share for one in examples]
    train = [e for e, h in zip(examples, held, strict=True) if not h]
    return train, [e for e, h in zip(examples, held, strict=True) if h]


def task_of(paths: Sequence[str], columns: str) -> str:
    """Return the task of labelled data, "" for text."""
    return ""
