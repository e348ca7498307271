"""Labelled data: examples, each an input text with its output text."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Example:
    """An input and its output, both as text, and the line of the file they are from.

    To classify, the output is a label. To tag, both are words, separated by single
    blanks, as many tags as words.
    """

    source: str
    target: str
    line: int = 0
