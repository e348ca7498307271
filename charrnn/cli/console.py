"""The two channels of a command: stdout for data, stderr for messages.

Text is written as UTF-8 in any locale, without buffering. On a terminal, control
characters are spelled out, such as ^[, because they could do harm; a pipe gets them
unchanged.
"""

import contextlib
import json
import math
import os
import sys
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NoReturn, TextIO

import typer

from charrnn.errors import ResourceError

READER_GONE: Final = 141  #: the exit code if the reader of stdout closed it

# all control characters except newline and tab, which are harmless
_VISIBLE: Final = (
    {code: f"^{chr(code ^ 64)}" for code in range(32) if chr(code) not in "\n\t"}
    | {code: f"\\x{code:02x}" for code in range(0x7F, 0xA0)}
    | {0xDC00 + byte: f"\\x{byte:02x}" for byte in range(0x80, 0x100)}
    | {0x7F: "^?"}
    # direction marks reorder the text that follows, which can disguise it
    | {
        code: f"\\u{code:04x}"
        for code in (*range(0x202A, 0x202F), *range(0x2066, 0x206A))
    }
)


class ReaderGoneError(typer.Exit):
    """The reader of stdout closed it; if uncaught, the exit is quiet, with code 141."""

    def __init__(self) -> None:
        super().__init__(READER_GONE)


def write(text: str | bytes) -> None:
    """Write to stdout without buffering; bytes stay unchanged, even on a terminal.

    Raises ReaderGoneError or ResourceError.
    """
    stream = sys.stdout
    if stream is None:
        raise ResourceError("stdout is closed", hint="redirect it instead")
    if isinstance(text, str):
        text = _encoded(text, stream)
    try:
        stream.buffer.write(text)
        stream.buffer.flush()
    except BrokenPipeError as error:
        discard_output()
        raise ReaderGoneError from error
    except OSError as error:
        discard_output()
        raise ResourceError(
            f"cannot write the output: {error.strerror or error}",
            hint="check its destination and the free space there",
        ) from error


def write_line(text: str) -> None:
    """Write a line to stdout."""
    write(f"{text}\n")


def write_json(record: Mapping[str, Any]) -> None:
    """Write one object as a line of JSON; NaN and infinity become null."""
    line = json.dumps(_finite(record), ensure_ascii=False)
    # text represents an invalid byte as a lone surrogate, which JSON must escape
    write_line(line.encode("utf-8", "backslashreplace").decode())


def discard_output() -> None:
    """Discard buffered output, so that the program does not try to write it on exit."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def log(text: str, *, quiet: bool = False) -> None:
    """Write a line to stderr, unless quiet; a failure to write is ignored."""
    if quiet or sys.stderr is None:
        return
    with contextlib.suppress(OSError):
        sys.stderr.buffer.write(_encoded(f"{text}\n", sys.stderr))
        sys.stderr.buffer.flush()


def warn(text: str, *, quiet: bool = False) -> None:
    """Write a warning to stderr, unless quiet."""
    log(f"warning: {text}", quiet=quiet)


def suggest(command: str, *, quiet: bool = False) -> None:
    """Suggest the next command, but only if stderr is a terminal."""
    log(f"next: {command}", quiet=quiet or not is_terminal(sys.stderr))


def leave(code: int) -> NoReturn:
    """Exit immediately, after restoring the cursor that a progress bar hides."""
    if has_colour(sys.stderr):
        os.write(sys.stderr.fileno(), b"\x1b[?25h")
    os._exit(code)


def is_terminal(stream: TextIO | None) -> bool:
    """Return whether a stream is a terminal."""
    return stream is not None and not stream.closed and stream.isatty()


def has_colour(stream: TextIO | None) -> bool:
    """Return whether output to a stream can be coloured."""
    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    return is_terminal(stream) and not plain


def visible(text: str) -> str:
    """Return a text with its control characters spelled out, such as ^[ for escape."""
    return text.translate(_VISIBLE)


def quoted(text: str) -> str:
    """Return a text on one line in quotes, for use in messages and tables."""
    line = json.dumps(text, ensure_ascii=False)
    return line.replace("\N{LINE SEPARATOR}", "\\u2028").translate(_VISIBLE)


def table(rows: Iterable[Sequence[str]], align: str, gap: int = 2) -> str:
    """Return rows as aligned columns, a line each.

    align: one < or > per column. gap: number of blanks between columns.
    """
    rows = list(rows)
    between = " " * gap
    widths = [max(map(width, column)) for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        line = ""
        for cell, side, size in zip(row, align, widths, strict=True):
            pad = " " * (size - width(cell))
            line += pad + cell + between if side == ">" else cell + pad + between
        lines.append(line.rstrip(" "))
    return "\n".join(lines)


def width(text: str) -> int:
    """Return the number of terminal columns that a text occupies."""
    if text.isascii():
        return len(text)
    wide = sum(unicodedata.east_asian_width(character) in "WF" for character in text)
    marks = sum(map(bool, map(unicodedata.combining, text)))
    return len(text) + wide - marks


def size(count: float) -> str:
    """Format a number of bytes, such as 812 B or 3.4 MB."""
    for unit in ("B", "kB", "MB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} GB"


def duration(seconds: float) -> str:
    """Format a time span, such as 42 s, 5 min, 3 h or 12 days."""
    for limit, step, unit in ((90, 1, "s"), (5400, 60, "min"), (129600, 3600, "h")):
        if seconds < limit:
            return f"{seconds / step:.0f} {unit}"
    return f"{seconds / 86400:.0f} days"


def plural(count: int, noun: str) -> str:
    """Format a count with its noun, such as 1 thread or 2,409 documents."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def listed(names: Sequence[str], most: int) -> str:
    """Format a list of names, such as a, b and 2 more."""
    shown = ", ".join(names[:most])
    return f"{shown} and {len(names) - most} more" if names[most:] else shown


def number(value: float, decimals: int = 3) -> str:
    """Format a number with thousands separators: 1,234.500, inf, or - for NaN."""
    return "-" if math.isnan(value) else f"{value:,.{decimals}f}"


def _encoded(text: str, stream: TextIO) -> bytes:
    shown = visible(text) if is_terminal(stream) else text
    return shown.encode("utf-8", "surrogateescape")


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return value
