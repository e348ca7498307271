"""The two channels of a command: stdout is data, stderr is talk.

Text is UTF-8 whatever the locale says, and written at once. A control character of a
text is shown as ^[ on a terminal, where it could do harm, and raw in a pipe.
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

# a newline and a tab do no harm
_VISIBLE: Final = (
    {code: f"^{chr(code ^ 64)}" for code in range(32) if chr(code) not in "\n\t"}
    | {code: f"\\x{code:02x}" for code in range(0x7F, 0xA0)}
    | {0xDC00 + byte: f"\\x{byte:02x}" for byte in range(0x80, 0x100)}
    | {0x7F: "^?"}
    # they turn the direction of what follows: text can look like what it isn't
    | {
        code: f"\\u{code:04x}"
        for code in (*range(0x202A, 0x202F), *range(0x2066, 0x206A))
    }
)


class ReaderGoneError(typer.Exit):
    """The reader of stdout went away; unless caught, a quiet end with 141."""

    def __init__(self) -> None:
        super().__init__(141)


def write(text: str | bytes) -> None:
    """Write to stdout at once. Raises ReaderGoneError, or ResourceError.

    Bytes are written as they are, to a terminal too.
    """
    stream = sys.stdout
    if stream is None:
        raise ResourceError("there is no stdout to write to", hint="don't close it")
    if isinstance(text, str):
        shown = visible(text) if is_terminal(stream) else text
        text = shown.encode("utf-8", "surrogateescape")
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
            hint="check where it goes to and the free space there",
        ) from error


def write_line(text: str) -> None:
    """Write a line to stdout at once."""
    write(f"{text}\n")


def write_json(record: Mapping[str, Any]) -> None:
    """Write one object as a line. What is not a finite number is null."""
    line = json.dumps(_finite(record), ensure_ascii=False)
    # an escaped byte of a text has no UTF-8; escaped once more it is JSON even so
    write_line(line.encode("utf-8", "backslashreplace").decode())


def discard_output() -> None:
    """Let go of what stdout still holds, so that ending doesn't fail over it."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def say(text: str, *, quiet: bool = False) -> None:
    """Write a line to stderr, unless quiet. Nothing depends on its being read."""
    if quiet or sys.stderr is None:
        return
    shown = visible(text) if is_terminal(sys.stderr) else text
    with contextlib.suppress(OSError):
        sys.stderr.buffer.write(f"{shown}\n".encode("utf-8", "surrogateescape"))
        sys.stderr.buffer.flush()


def warn(text: str, *, quiet: bool = False) -> None:
    """Write a warning to stderr, unless quiet."""
    say(f"warning: {text}", quiet=quiet)


def suggest(command: str, *, quiet: bool = False) -> None:
    """Name the command that a person may want next, at a terminal only."""
    say(f"next: {command}", quiet=quiet or not is_terminal(sys.stderr))


def stdout() -> TextIO | None:
    """Return the stream that results go to, as it is now; None if it was closed."""
    return sys.stdout


def leave(code: int) -> NoReturn:
    """End the process at once, whatever it is doing; a bar had hidden the cursor."""
    if has_colour(sys.stderr):
        os.write(sys.stderr.fileno(), b"\x1b[?25h")
    os._exit(code)


def is_terminal(stream: TextIO | None) -> bool:
    """Say whether a stream goes to a person's terminal."""
    return stream is not None and not stream.closed and stream.isatty()


def has_colour(stream: TextIO | None) -> bool:
    """Say whether a stream may be coloured."""
    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    return is_terminal(stream) and not plain


def visible(text: str) -> str:
    """Return a text whose control characters are spelled out: ^[ for escape."""
    return text.translate(_VISIBLE)


def quoted(text: str) -> str:
    """Return a text in quotes on one line, as it stands in messages and tables."""
    line = json.dumps(text, ensure_ascii=False)
    return line.replace("\N{LINE SEPARATOR}", "\\u2028").translate(_VISIBLE)


def table_lines(rows: Iterable[Sequence[str]], align: str) -> list[str]:
    """Return rows as lines with aligned columns; `align` has < or > for each.

    The last column is not padded on the right.
    """
    rows = [list(row) for row in rows]
    widths = [max(map(width, column)) for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        cells = []
        for cell, side, size in zip(row, align, widths, strict=True):
            gap = " " * (size - width(cell))
            cells.append(gap + cell if side == ">" else cell + gap)
        lines.append("  ".join(cells).rstrip(" "))
    return lines


def width(text: str) -> int:
    """Return how many columns a text takes on a terminal."""
    if text.isascii():
        return len(text)
    wide = sum(unicodedata.east_asian_width(character) in "WF" for character in text)
    marks = sum(map(bool, map(unicodedata.combining, text)))
    return len(text) + wide - marks


def size(count: float) -> str:
    """Return a number of bytes for people: 812 B, 3.4 MB."""
    for unit in ("B", "kB", "MB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} GB"


def duration(seconds: float) -> str:
    """Return a time span for people: 42 s, 5 min, 3 h, 12 days."""
    for limit, step, unit in ((90, 1, "s"), (5400, 60, "min"), (129600, 3600, "h")):
        if seconds < limit:
            return f"{seconds / step:.0f} {unit}"
    return f"{seconds / 86400:.0f} days"


def number(value: float, decimals: int = 3) -> str:
    """Return a number with thousands separated, - for what is not one, or inf."""
    return "-" if math.isnan(value) else f"{value:,.{decimals}f}"


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return value
