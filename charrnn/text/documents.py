"""A text cut into documents: whole files, lines, or what a separator parts."""

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Final, TypeAlias

from charrnn.text.sources import BLOCK_BYTES, Source

#: Documents in order, none of them empty, and whether the last is open: then it goes
#: on as the first text of the next block.
Block: TypeAlias = tuple[list[str], bool]

Splitter: TypeAlias = Callable[[str, bool], list[str]]

# begins with a literal newline, which lets `re` skip from line end to line end
BLANK_LINES: Final = re.compile(r"\n(?:[^\S\n]*\n)+")


def documents(
    sources: Iterable[Source],
    mode: str = "file",
    *,
    raw: bool = False,
    block_bytes: int = BLOCK_BYTES,
) -> Iterator[Block]:
    r"""Yield the documents in blocks: lists of texts, and whether the last is open.

    mode: "file" (each file), "line" (ends at \n or \r\n, nowhere else), "blank"
    (ends at lines with nothing but whitespace), or a separator. Line ends next to
    where documents part belong to none; only "file" keeps the last one of a file.

    A document longer than a block comes in pieces. They are cut after a line end
    where there is one, else before a space: a line end is a token by itself and a
    space begins one, so that encoding the pieces is encoding the whole. Only a block
    without either is cut anywhere, which characters and bytes don't notice. (A
    unigram model sums in float32, so where two cuts of a word are equally likely
    its choice may depend on what stands before.)
    """
    border, split = _rule(mode)
    for source in sources:
        # held: what was read but not yielded. It begins with a border, unless it goes
        # on with an open document
        held, is_open = border, False
        for text in source.text(raw=raw, block_bytes=block_bytes):
            *whole, rest = split(held + text, False)
            if is_open and not whole:
                held, is_fresh = rest, False
            else:
                held, is_fresh = border + rest, True
            if cut := _safe_cut(rest, border) if len(rest) >= block_bytes else 0:
                head, held = rest[:cut], rest[cut:]
                is_trimmed = is_fresh and border == mode
                whole.append(_without_first_line_end(head) if is_trimmed else head)
            is_open = bool(cut) or not is_fresh
            texts = list(filter(None, whole))
            if texts:
                yield texts, is_open
        if texts := list(filter(None, split(held, True))):
            yield texts, False


def whole_documents(blocks: Iterable[Block]) -> Iterator[str]:
    """Yield the documents of blocks, those that come in pieces put together."""
    held: list[str] = []
    for (*whole, last), is_open in blocks:
        for text in whole:
            yield "".join([*held, text])
            held = []
        held.append(last)
        if not is_open:
            yield "".join(held)
            held = []
    if held:  # cut, for the rest is of another part
        yield "".join(held)


def _rule(mode: str) -> tuple[str, Splitter]:
    r"""Return what stands between two documents, and how to split a text there.

    The splitter is told whether the text ends there; if not, its last piece is
    returned as it is, for more of it may follow.
    """
    if mode == "file":
        return "", lambda text, is_end: [text]
    if mode == "line":
        return "\n", _split_lines
    if mode == "blank":
        return "\n\n", _split_at_blank_lines
    return mode, lambda text, is_end: _split_at(mode, text, is_end)


def _split_lines(text: str, is_end: bool) -> list[str]:
    # to look for "\r" alone is 30 times as fast
    return (text.replace("\r\n", "\n") if "\r" in text else text).split("\n")


def _split_at_blank_lines(text: str, is_end: bool) -> list[str]:
    *whole, rest = BLANK_LINES.split(text + "\n\n" if is_end else text)
    if "\r" in text:
        whole = [piece.removesuffix("\r") for piece in whole]
    return [*whole, rest]


def _split_at(separator: str, text: str, is_end: bool) -> list[str]:
    pieces = text.split(separator)
    unfinished = [] if is_end else [pieces.pop()]
    pieces[1:] = map(_without_first_line_end, pieces[1:])
    return [*map(_without_last_line_end, pieces), *unfinished]


def _without_first_line_end(text: str) -> str:
    return text[2:] if text.startswith("\r\n") else text.removeprefix("\n")


def _without_last_line_end(text: str) -> str:
    return text[:-2] if text.endswith("\r\n") else text.removesuffix("\n")


def _safe_cut(text: str, border: str) -> int:
    """Return how much of an unfinished document can go ahead, 0 for nothing.

    What stays is more than the beginning of a border and the line end before it, so
    that a piece is never empty.
    """
    end = len(text.rstrip()) if border == "\n\n" else len(text)
    end -= len(border) + 2
    # more than 2: something is left without the line end that may stand in front
    after_line = text.rfind("\n", 0, max(0, end)) + 1
    if after_line > 2:
        return after_line
    before_space = len(text[: text.rfind(" ", 0, max(0, end)) + 1].rstrip(" "))
    cut = before_space if before_space > 2 else end
    return cut if cut > 2 else 0
