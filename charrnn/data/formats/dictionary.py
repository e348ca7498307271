"""Pronouncing dictionaries, such as CMUdict: `word  PH PH`, one per line.

`word(2)` is another pronunciation of a word. Lines that begin with ;;; and the rest of
a line after a blank and # are comments.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Final

from charrnn.data.formats.base import (
    Example,
    File,
    Format,
    Labelled,
    checked,
    only,
    unwritable,
)

COMMENT: Final = ";;;"
_VARIANT: Final = re.compile(r"(.+)\(\d+\)")
_REST: Final = re.compile(r"[ \t]#.*")


def _read(file: File, task: str, columns: str) -> Labelled:
    certain = only("dict", "translate", task, columns)
    examples = []
    for number, line in file.filled_lines():
        if line.startswith(COMMENT):
            continue
        word, *phones = _REST.sub("", line).split()
        if not phones:
            raise file.error(
                number,
                f"no pronunciation after {word!r}",
                hint="write the word, a blank, and its phones separated by blanks",
            )
        variant = _VARIANT.fullmatch(word)
        examples.append(
            Example(variant[1] if variant else word, " ".join(phones), number)
        )
    checked(file, examples)
    return Labelled(examples, certain, "dict", "a pronouncing dictionary")


def _write(
    examples: Iterable[Example], columns: str, header: tuple[str, ...]
) -> Iterator[str]:
    written: Counter[str] = Counter()
    for example in examples:
        word, phones = example.source, example.target
        written[word] += 1
        variant = f"({written[word]})" if written[word] > 1 else ""
        is_same = (
            word.split() == [word]
            and phones == " ".join(phones.split())
            and not _REST.search(f" {phones}")
            and not word.startswith(COMMENT)
            and not _VARIANT.fullmatch(word)
        )
        if not is_same:
            what = "a blank or (2) in the word, or # in the pronunciation"
            raise unwritable(example, "dict", what)
        yield f"{word}{variant}  {phones}\n"


DICTIONARY: Final = Format(_read, _write, is_old=True)
