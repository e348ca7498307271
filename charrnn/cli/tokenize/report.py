"""The report of `charrnn tokenize`: counts of a corpus and of its tokens."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from math import log2
from typing import TYPE_CHECKING, Any, Final

from charrnn.cli import console
from charrnn.errors import TextError
from charrnn.tokenizers.config import TokenizerConfig

if TYPE_CHECKING:
    from charrnn.text.size import Tally, TextSize
    from charrnn.text.sources import Source
    from charrnn.tokenizers.base import Ids, Tokenizer

RAREST: Final = 10
HEAD: Final = 20
COLUMNS: Final = 62  #: columns for values: 79 per line, minus 17 for the name
_ESCAPED: Final = re.compile("[\udc80-\udcff]")


@dataclass
class Report:
    """Counts of a corpus and of its tokens.

    invalid_offset: the offset of the first invalid byte in the file `invalid_name`.
    rarest: the rarest characters. head: the most frequent tokens. entropy_bits: the
    entropy of the token frequencies, in bits per token.
    """

    tokenizer: "Tokenizer"
    bytes: int = 0
    characters: int = 0
    distinct: int = 0
    words: int = 0
    tokens: int = 0
    unknown: int = 0
    line_ends: dict[str, int] = field(default_factory=dict)
    invalid: int = 0
    invalid_offset: int | None = None
    invalid_name: str = ""
    rarest: list[tuple[str, int]] = field(default_factory=list)
    head: list[tuple[str, int]] = field(default_factory=list)
    entropy_bits: float = 0.0

    def to_json(self) -> dict[str, Any]:
        """Return the report as JSON values."""
        return {
            "level": self.tokenizer.level,
            "bytes": self.bytes,
            "characters": self.characters,
            "distinct": self.distinct,
            "words": self.words,
            "tokens": self.tokens,
            "unknown": self.unknown,
            "vocabulary": self.tokenizer.vocab_size,
            "bytes_per_token": self.bytes_per_token,
            "line_ends": self.line_ends,
            "invalid_bytes": self.invalid,
            "invalid_offset": self.invalid_offset,
            "rarest": [{"text": t, "count": n} for t, n in self.rarest],
            "vocabulary_head": [{"text": t, "count": n} for t, n in self.head],
            "order0_bits_per_token": self.entropy_bits,
            "order0_bits_per_char": self.entropy_bits * self.tokens / self.characters,
        }

    def lines(self) -> Iterator[str]:
        """Yield the report as lines for people to read."""
        yield from (f"{name:<16} {value}" for name, value in self.rows())

    def rows(self) -> Iterator[tuple[str, str]]:
        """Yield the names and values of the lines."""
        per_char = self.entropy_bits * self.tokens / self.characters
        ends = ", ".join(f"{count:,} {name}" for name, count in self.line_ends.items())
        invalid = f"{self.invalid:,}" if self.invalid else "none"
        if self.invalid:
            invalid += f", the first at offset {self.invalid_offset:,} of "
            invalid += self.invalid_name
        level = self.tokenizer.level
        rows = {
            "bytes": f"{self.bytes:,}",
            "characters": f"{self.characters:,}, {self.distinct:,} distinct",
            "words": f"{self.words:,}",
            "line ends": ends or "none",
            "invalid bytes": invalid,
            "tokens": f"{self.tokens:,}, {self.unknown:,} unknown",
            "vocabulary": f"{self.tokenizer.vocab_size:,} at {level} level",
            "bytes per token": f"{self.bytes_per_token:.2f}",
            "order-0 entropy": f"{self.entropy_bits:.3f} bits/token, "
            f"{per_char:.3f} bits/char",
            "rare characters": counted(self.rarest)[0],
            "frequent tokens": counted(self.head)[0],
        }
        yield from rows.items()

    @property
    def bytes_per_token(self) -> float:
        """The mean number of bytes per token."""
        return self.bytes / self.tokens


def counted(texts: Iterable[tuple[str, int]]) -> list[str]:
    """Return the texts with their counts, joined to lines."""
    lines = [""]
    for text, count in texts:
        part = f"{console.quoted(text)} {count:,}"
        if lines[-1] and console.width(f"{lines[-1]}  {part}") > COLUMNS:
            lines.append("")
        lines[-1] += f"  {part}" if lines[-1] else part
    return lines


def survey(
    sources: list["Source"], config: TokenizerConfig, known: "Tokenizer | None"
) -> Report:
    """Count a corpus, encode it, and return the report.

    known: the tokenizer to use; if None, one is trained on the corpus. Bytes that are
    not UTF-8 are kept and counted. Raises TextError if there is no text.
    """
    from charrnn.tokenizers import loading as tokenizers

    report = Report(known or tokenizers.fit(_texts(sources), config))
    _count_characters(report, sources)
    _count_tokens(report, sources)
    return report


def _texts(sources: list["Source"]) -> Iterator[str]:
    from charrnn.text.documents import documents

    # training reads the same blocks, which never split a word
    for texts, _ in documents(sources, raw=True):
        yield from texts


def _count_characters(report: Report, sources: list["Source"]) -> None:
    from charrnn.text.characters import count_characters
    from charrnn.text.size import Tally

    tally, ends = Tally(), {"CRLF": 0, "LF": 0, "CR": 0}
    counts = count_characters(_tallied(report, sources, tally, ends))
    report.invalid = int(counts[0xDC80:0xDD00].sum())
    ends["LF"], ends["CR"] = (int(counts[ord(c)]) - ends["CRLF"] for c in "\n\r")
    report.line_ends = {name: count for name, count in ends.items() if count}
    set_characters(report, counts, tally.size)


def set_characters(report: Report, counts: "Ids", size: "TextSize") -> None:
    """Set the values that follow from the counts of characters and from the size."""
    import numpy as np

    report.bytes, report.words = size.bytes, size.words
    present = np.flatnonzero(counts)
    report.characters = int(counts.sum())
    report.distinct = len(present)
    rare = present[np.argsort(counts[present], kind="stable")][:RAREST].tolist()
    report.rarest = [(chr(point), int(counts[point])) for point in rare]


def _tallied(
    report: Report, sources: list["Source"], tally: "Tally", ends: dict[str, int]
) -> Iterator[str]:
    """Yield the texts while counting them and looking for the first invalid byte."""
    from charrnn.text.documents import documents

    for source in sources:
        start, last = tally.size.bytes, ""
        for texts, is_open in documents([source], raw=True):
            text = "".join(texts)
            # searching is slow, and ASCII text contains no invalid byte
            is_searched = report.invalid_offset is None and not text.isascii()
            if is_searched and (found := _ESCAPED.search(text)):
                before = text[: found.start()].encode("utf-8", "surrogateescape")
                report.invalid_offset = tally.size.bytes - start + len(before)
                report.invalid_name = source.name
            tally.add(texts, is_open)
            ends["CRLF"] += text.count("\r\n") + (last == "\r" and text[0] == "\n")
            last = text[-1]
            yield text


def _count_tokens(report: Report, sources: list["Source"]) -> None:
    import numpy as np

    tokenizer = report.tokenizer
    counts = np.zeros(tokenizer.vocab_size, np.int64)
    for text in _texts(sources):
        counts += np.bincount(tokenizer.encode(text), minlength=len(counts))
    set_tokens(report, counts)


def set_tokens(report: Report, counts: "Ids") -> None:
    """Set the values that follow from the counts of tokens."""
    import numpy as np

    tokenizer = report.tokenizer
    report.tokens = int(counts.sum())
    if not report.tokens:
        raise TextError("the corpus is empty", hint="give a file that contains text")
    if tokenizer.unknown is not None:
        report.unknown = int(counts[tokenizer.unknown])
    falling = np.argsort(-counts, kind="stable")[:HEAD].tolist()
    report.head = [(tokenizer.piece(t), int(counts[t])) for t in falling if counts[t]]
    present = counts[counts > 0].tolist()
    shares = [count / report.tokens for count in present]
    report.entropy_bits = -sum(share * log2(share) for share in shares)
