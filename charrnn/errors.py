"""What a user can cause to go wrong, as one tree of exceptions.

CharRNNError            exit code
├── UsageError          2   an option has a value that makes no sense
├── NotFoundError       3   no model or file at the place that was named
├── TextError           4   the text cannot be used: empty, too short, not UTF-8
├── ModelFileError      5   a model file is damaged, foreign or too new
├── ResourceError       6   disk, rights, memory or an output failed
├── DivergedError       7   training ran into NaN; the last good model is kept
└── BusyError           8   the run is in use by another process

A message says what happened, with the values; `hint` says what to do about it.
Wrong use of a Python function is a ValueError instead, and a bug stays a traceback.
"""

from typing import ClassVar


class CharRNNError(Exception):
    """Something that a user can cause and can do something about."""

    exit_code: ClassVar[int] = 1
    name: ClassVar[str] = "error"

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(CharRNNError):
    """An option or argument has a value that makes no sense."""

    exit_code = 2
    name = "usage"


class NotFoundError(CharRNNError):
    """There is no model or file at the place that was named."""

    exit_code = 3
    name = "not-found"


class TextError(CharRNNError):
    """A corpus, prompt or text cannot be used as it is."""

    exit_code = 4
    name = "text"


class ModelFileError(CharRNNError):
    """A model file is damaged, not one of ours, or of a newer version."""

    exit_code = 5
    name = "model-file"


class ResourceError(CharRNNError):
    """The disk, the rights, the memory or the output did not allow it."""

    exit_code = 6
    name = "resources"


class DivergedError(CharRNNError):
    """Training produced NaN or infinity; the last good model is kept."""

    exit_code = 7
    name = "diverged"


class BusyError(CharRNNError):
    """Another process is using the run."""

    exit_code = 8
    name = "busy"
