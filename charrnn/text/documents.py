"""Splitting text into documents: whole files, lines, or texts between separators."""

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Final, TypeAlias

from charrnn.text.sources import BLOCK_BYTES, Source

#: Non-empty documents in order, and whether the last one is open. If it is, the first
#: text of the next block continues it.
Block: TypeAlias = tuple[list[str], bool]

# starts with a literal newline, so that `re` can jump from one line end to the next
BLANK_LINES: Final = re.compile(r"\n(?:[^\S\n]*\n)+")


def documents(
    sources: Iterable[Source],
    mode: str = "file",
    *,
    raw: bool = False,
    block_bytes: int = BLOCK_BYTES,
) -> Iterator[Block]:
    r"""Yield the documents in blocks: lists of texts, and whether the last is open.

        mode     "a\n%\nb\n\nc\n" gives
        file     "a\n%\nb\n\nc\n"          one document per file
        line     "a", "%", "b", "c"        lines end at \n or \r\n only
        blank    "a\n%\nb", "c"            documents end at whitespace-only lines
        "%"      "a", "b\n\nc"             any other mode is a separator

    Line ends next to a separator belong to no document. The last line end of a file is
    kept only in mode "file".

    A document longer than a block is yielded in pieces, cut after a line end if there
    is one, otherwise before a space. A line end is a separate token and a space starts
    one, so encoding the pieces gives the same tokens as encoding the whole document. If
    there is neither, the cut can be anywhere, which affects only words and subwords. (A
    unigram model adds in float32, so if two ways to split a word are equally likely,
    its choice can depend on the preceding text.)
    """
    border, split = _rule(mode)
    for source in sources:
        # held: the text that is not yielded yet; it starts with a border unless it
        # continues an open document
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
    """Yield the documents of all blocks, with the pieces of each document joined."""
    held: list[str] = []
    for (*whole, last), is_open in blocks:
        for text in whole:
            yield "".join([*held, text])
            held = []
        held.append(last)
        if not is_open:
            yield "".join(held)
            held = []
    if held:  # the document continues in the other part of the corpus
        yield "".join(held)


def _rule(mode: str) -> tuple[str, Callable[[str, bool], list[str]]]:
    """Return the border between two documents, and a function that splits a text.

    The function's second argument tells whether the text is complete. If it is not, the
    last piece is returned unchanged, because it may continue.
    """
    if mode == "file":
        return "", lambda text, is_end: [text]
    if mode == "line":
        return "\n", _split_lines
    if mode == "blank":
        return "\n\n", _split_at_blank_lines
    return mode, lambda text, is_end: _split_at(mode, text, is_end)


def _split_lines(text: str, is_end: bool) -> list[str]:
    # if there is no "\r", searching for it is 30 times as fast as replacing
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
    """Return how many characters of an unfinished document can be yielded now.

    The remaining text is longer than a partial border and the line end before it, so
    that no piece is ever empty.
    """
    end = len(text.rstrip()) if border == "\n\n" else len(text)
    end = max(0, end - len(border) - 2)
    # more than 2, so that text remains even if a line end at the start is dropped
    after_line = text.rfind("\n", 0, end) + 1
    if after_line > 2:
        return after_line
    before_space = len(text[: text.rfind(" ", 0, end) + 1].rstrip(" "))
    cut = before_space if before_space > 2 else end
    return cut if cut > 2 else 0
