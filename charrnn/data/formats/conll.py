"""One word per line, with a blank line after each sentence.

CoNLL     columns separated by TABs or blanks; the word is first and the tag last
CoNLL-U   ten columns; the word is in FORM, the tag in UPOS or another column
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Final

from charrnn.data.formats import columns as option
from charrnn.data.formats.base import (
    Example,
    File,
    Format,
    Labelled,
    check_tag,
    checked,
    joined,
    only,
    split_words,
    unwritable,
)
from charrnn.data.formats.guessing import is_label_first
from charrnn.data.formats.table import Row, Rows, cells

FIELDS: Final = (
    "ID", "FORM", "LEMMA", "UPOS", "XPOS", "FEATS", "HEAD", "DEPREL", "DEPS", "MISC",
)  # fmt: skip
DOCUMENT: Final = "-DOCSTART-"
EMPTY: Final = "_"
#: Columns of CoNLL-U in which _ means that the annotation is missing.
NEEDED: Final = (3, 4)


def _read_conll(file: File, task: str, columns: str) -> Labelled:
    certain = only("conll", "tag", task)
    sentences = [*_sentences(_conll_rows(file))]
    rows = [row for sentence in sentences for row in sentence]
    if not rows:
        checked(file, [])
    width = max(2, Counter(len(row) for _, row in rows).most_common(1)[0][0])
    for line, row in rows:
        if len(row) != width:
            raise file.error(
                line,
                f"expected {width} columns with the tag last, but found {len(row)}",
                hint="give every word a tag, and put a blank line between sentences",
            )
    is_swapped = is_label_first("", *([row[end] for _, row in rows] for end in (0, -1)))
    usual = f"{width},1" if is_swapped else f"1,{width}"
    chosen = option.parse(columns or usual, default_input="1")
    inputs, output = chosen.indexes((), width)
    examples = [_example(file, sentence, inputs, output) for sentence in sentences]
    reason = (
        f"words in column {'+'.join(chosen.inputs)}, tags in column {chosen.output}"
    )
    return Labelled(checked(file, examples), certain, "conll", reason, str(chosen))


def _conll_rows(file: File) -> Iterator[Row]:
    lines = list(file.filled_lines())
    has_tabs = 2 * sum("\t" in line for _, line in lines) > len(lines)
    split = (lambda line: line.split("\t")) if has_tabs else _split_at_blanks
    widths = Counter(len(split(line)) for _, line in lines)
    width = widths.most_common(1)[0][0] if widths else 0
    for number, line in file.lines():
        row = split(line)
        if not line or line.isspace() or row[0] == DOCUMENT:
            yield number, []
        # a line whose word begins with # is not a comment if it has all columns
        elif not (line.startswith("#") and len(row) != width):
            yield number, row


def _sentences(rows: Iterable[Row]) -> Iterator[Rows]:
    """Yield the rows of each sentence; an empty row ends a sentence."""
    for is_inside, found in groupby(rows, lambda row: bool(row[1])):
        if is_inside:
            yield list(found)


def _split_at_blanks(line: str) -> list[str]:
    return [cell for cell in re.split("[ \t]+", line) if cell]


def _example(file: File, rows: Rows, inputs: list[int], output: int) -> Example:
    words, tags = [], []
    for line, row in rows:
        word, tag = "\t".join([row[index] for index in inputs]), row[output]
        if not word or word.isspace() or not tag or tag.isspace():
            what = "the word" if tag else "the tag"
            raise file.error(line, f"{what} is missing", hint="give every word a tag")
        check_tag(file, line, tag)
        words.append(word)
        tags.append(tag)
    return Example(joined(words), joined(tags), rows[0][0])


def _read_conllu(file: File, task: str, columns: str) -> Labelled:
    certain = only("conllu", "tag", task)
    chosen = option.parse(columns.upper() or "FORM,UPOS", default_input="FORM")
    inputs, output = chosen.indexes(FIELDS, len(FIELDS))
    needed = {*inputs, output}.intersection(NEEDED)
    examples = []
    for rows in _sentences(_conllu_rows(file)):
        for line, row in rows:
            for index in needed:
                if row[index] == EMPTY:
                    raise file.error(
                        line,
                        f"{FIELDS[index]} is missing",
                        hint="choose another column, such as `columns` XPOS",
                    )
        examples.append(_example(file, rows, inputs, output))
    reason = f"words in {'+'.join(chosen.inputs)}, tags in {chosen.output}"
    return Labelled(checked(file, examples), certain, "conllu", reason, str(chosen))


def _conllu_rows(file: File) -> Iterator[Row]:
    for number, line in file.lines():
        if not line or line.isspace():
            yield number, []
            continue
        if line.startswith("#"):
            continue
        row = line.split("\t")
        if len(row) != len(FIELDS):
            raise file.error(
                number,
                f"expected {len(FIELDS)} columns separated by TABs, found {len(row)}",
                hint="if this is CoNLL, which has fewer columns, rename it to .conll",
            )
        # 3-4 is a range of words, and 3.1 is a word that is not in the text
        if row[0].isdecimal():
            yield number, row
        elif not re.fullmatch(r"\d+[-.]\d+", row[0]):
            raise file.error(
                number,
                f"expected the number of a word, not {row[0]!r}",
                hint="if this is CoNLL with other columns, rename the file to .conll",
            )


def _write_conll(
    examples: Iterable[Example], columns: str, header: tuple[str, ...]
) -> Iterator[str]:
    chosen = option.parse(columns or "1,2", default_input="1")
    for example in examples:
        for row in _rows(example, str(chosen), ()):
            if not _is_writable(row) or row[0] == DOCUMENT:
                raise unwritable(example, "conll", "a TAB or line end is inside a word")
            yield "\t".join(row) + "\n"
        yield "\n"


def _write_conllu(
    examples: Iterable[Example], columns: str, header: tuple[str, ...]
) -> Iterator[str]:
    chosen = option.parse(columns.upper() or "FORM,UPOS", default_input="FORM")
    inputs, output = chosen.indexes(FIELDS, len(FIELDS))
    needed = {*inputs, output}.intersection(NEEDED)
    for example in examples:
        for number, row in enumerate(_rows(example, str(chosen), FIELDS), 1):
            if not _is_writable(row) or any(row[index] == EMPTY for index in needed):
                what = "a TAB or line end is inside a word, or a tag is _"
                raise unwritable(example, "conllu", what)
            yield "\t".join([str(number), *row[1:]]) + "\n"
        yield "\n"


def _rows(example: Example, columns: str, header: Sequence[str]) -> Iterator[list[str]]:
    pairs = zip(split_words(example.source), split_words(example.target), strict=True)
    for word, tag in pairs:
        yield cells(Example(word, tag, example.line), columns, header, EMPTY)


def _is_writable(row: list[str]) -> bool:
    return all(row) and not any(mark in cell for cell in row for mark in "\t\n\r")


CONLL: Final = Format(_read_conll, _write_conll, is_by_word=True)
CONLLU: Final = Format(_read_conllu, _write_conllu, is_by_word=True)
