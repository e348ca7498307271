"""The errors that a user can cause, and their exit codes.

The message states what happened, including the values; `hint` states how to fix it.
Incorrect use of a Python function raises ValueError instead. A bug shows a traceback.
"""

from typing import ClassVar


class CharRNNError(Exception):
    """An error that a user can cause and fix."""

    exit_code: ClassVar[int] = 1
    name: ClassVar[str] = "error"

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(CharRNNError):
    """An option or argument has an invalid value."""

    exit_code = 2
    name = "usage"


class NotFoundError(CharRNNError):
    """A named model or file does not exist."""

    exit_code = 3
    name = "not-found"


class TextError(CharRNNError):
    """A text is unusable: for example, it is empty, too short or not UTF-8."""

    exit_code = 4
    name = "text"


class ModelFileError(CharRNNError):
    """A model file is damaged, in another format, or from a newer version."""

    exit_code = 5
    name = "model-file"


class ResourceError(CharRNNError):
    """The disk, permissions, memory or an output caused a failure."""

    exit_code = 6
    name = "resources"


class DivergedError(CharRNNError):
    """Training diverged to NaN or infinity; the last good model is kept."""

    exit_code = 7
    name = "diverged"


class BusyError(CharRNNError):
    """Another process is using the run."""

    exit_code = 8
    name = "busy"


class StoppedError(Exception):
    """A long computation was stopped at the caller's request."""
