"""Detect the format of a file from its extension and from all of its lines."""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from charrnn.data.formats.fasttext import LABEL
from charrnn.data.formats.guessing import names_of
from charrnn.text.sources import OPENERS, Source

SUFFIXES: Final = {
    ".tsv": "tsv", ".tab": "tsv", ".csv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl",
    ".conll": "conll", ".iob": "conll", ".iob2": "conll", ".bio": "conll",
    ".conllu": "conllu", ".dict": "dict",
}  # fmt: skip
#: Formats whose extensions are also used for files in other formats.
MISNAMED: Final = ("tsv", "conll", "conllu")
#: Two-letter extensions that are not languages.
NOT_LANGUAGES: Final = {".md", ".py", ".js", ".ts", ".rs", ".go", ".cc", ".sh"}
LONGEST_SENTENCE: Final = 200  #: maximum mean number of words per sentence

_LANGUAGE: Final = re.compile(r"\.([a-z]{2}|src|tgt)")
_CONLLU: Final = re.compile(r"\d+([-.]\d+)?(\t[^\t]+){9}$")
_ENTRY: Final = re.compile(r"[^ \t]+  [^ \t]")


def suffix(name: str) -> str:
    """Return the extension of a file, without that of its compression."""
    return _uncompressed(name).suffix.lower()


def is_labelled(sources: Sequence[Source]) -> bool:
    """Return whether files certainly contain labelled data.

    They do if their extensions are those of formats, if their lines begin with
    __label__, or if they are one text in two languages, such as train.de and train.en.
    """
    if are_languages([source.name for source in sources]):
        return True
    return bool(sources) and all(
        suffix(source.name) in SUFFIXES or _has_labels(source) for source in sources
    )


def are_languages(names: Sequence[str]) -> bool:
    """Return whether two file names differ only in the language at the end."""
    paths = [_uncompressed(name) for name in names]
    return (
        len({path.suffix for path in paths}) == len(names) == 2
        and len({path.with_suffix("") for path in paths}) == 1
        and all(
            _LANGUAGE.fullmatch(path.suffix) and path.suffix not in NOT_LANGUAGES
            for path in paths
        )
    )


def detect(name: str, text: str, task: str = "") -> str:
    """Return the format of a file, or an empty string if it is not a known one.

    task: if it is given and is not "tag", blank lines do not mean sentences of words.
    """
    may_be_tagged = task in ("", "tag")
    by_name = SUFFIXES.get(suffix(name), "")
    if by_name and by_name not in MISNAMED:
        return by_name
    lines = [line for line in text.split("\n") if line and not line.isspace()]
    if _most(lines, lambda line: line.startswith(LABEL)):
        return "fasttext"
    words = [line for line in lines if not line.startswith("#")]
    if may_be_tagged and _most(words, _CONLLU.match):
        return "conllu"
    has_tabs = _most(lines, lambda line: "\t" in line)
    if by_name == "tsv" or (has_tabs and not by_name):
        is_tagged = may_be_tagged and has_tabs and _are_sentences(text, lines, "\t")
        return "conll" if is_tagged else "tsv"
    if by_name:
        return by_name
    if _most(lines, lambda line: line.startswith("{")):
        return "jsonl"
    if _most(lines, _ENTRY.match):
        return "dict"
    if lines and names_of(lines[0].strip().split(",")):
        return "csv"
    return "conll" if may_be_tagged and _are_sentences(text, lines, " ") else ""


def _uncompressed(name: str) -> Path:
    path = Path(name)
    return path.with_suffix("") if path.suffix.lower() in OPENERS else path


def _has_labels(source: Source) -> bool:
    for text in source.text(raw=True):
        lines = [line for line in text.split("\n") if line]
        return 2 * sum(line.startswith(LABEL) for line in lines) > len(lines)
    return False


def _most(lines: Sequence[str], is_so: Callable[[str], object]) -> bool:
    return 2 * sum(bool(is_so(line)) for line in lines) > len(lines)


def _are_sentences(text: str, lines: Sequence[str], separator: str) -> bool:
    """Return whether lines contain words and tags, and sentences end at blank lines."""
    inside = text.strip().split("\n")
    sentences = 1 + sum(
        not line.strip() and bool(before.strip())
        for before, line in zip(inside, inside[1:], strict=False)
    )
    if sentences == 1 or len(lines) > LONGEST_SENTENCE * sentences:
        return False
    widths = Counter(line.count(separator) for line in lines)
    tags = {line.rsplit(separator, 1)[-1] for line in lines}
    width, count = widths.most_common(1)[0]
    return width > 0 and 2 * count > len(lines) and 2 * len(tags) <= len(lines)
