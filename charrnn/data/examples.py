"""Labelled data: inputs with their outputs, read, written and split.

A file is read as a whole; 120,000 examples take about a second.
"""

import codecs
import hashlib
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from charrnn.data.formats import FORMATS, detect
from charrnn.data.formats.base import Example as Example
from charrnn.data.formats.base import File, Format
from charrnn.data.formats.base import Labelled as Labelled
from charrnn.data.formats.detect import is_labelled as is_labelled
from charrnn.errors import TextError
from charrnn.text.sources import FOREIGN_MARKS, Source, find_sources

#: Read as this if not UTF-8; every byte is a character in the second.
OLD_ENCODINGS = ("cp1252", "latin-1")


def read_examples(
    source: Source | Sequence[Source],
    *,
    task: str = "",
    columns: str = "",
    like: Labelled | None = None,
) -> Labelled:
    """Read labelled data from a file, or from several in one format.

    Two files without a format of their own are read line by line: inputs from the
    first, outputs from the second. The format, and the task if none is given, are
    chosen from the name and all lines of a file. Raises TextError with the line of what
    cannot be read, or if the task is not clear, and UsageError for `columns`.

    like: data whose task, columns and header hold here too, for validation or a test.
    """
    sources = [source] if isinstance(source, Source) else list(source)
    files = [_decoded(one) for one in sources]
    formats = [detect.detect(file.name, file.text) for file, _ in files]
    if detect.are_languages([one.name for one in sources]) or (
        len(files) == 2 and not any(formats)
    ):
        files, formats = [_paired(*files)], ["parallel"]
    found: list[Labelled] = []
    for (file, encoding), format in zip(files, formats, strict=True):
        model = found[0] if found else like
        found.append(_read(file, encoding, format, task, columns, model))
    if not found:
        raise ValueError("no source was given")
    return replace(
        found[0],
        examples=[example for one in found for example in one.examples],
        notes=tuple(note for one in found for note in one.notes),
    )


def _read(
    file: File,
    encoding: str,
    format: str,
    task: str,
    columns: str,
    like: Labelled | None,
) -> Labelled:
    if not file.text or file.text.isspace():
        raise TextError(f"{file.name} is empty", hint="give a file with examples")
    if not format:
        number = next(number for number, line in file.lines() if "\t" not in line)
        raise file.error(
            number,
            "not in a known format of labelled data",
            hint="write one example per line: input TAB output",
        )
    if encoding and not _format(format).is_old:
        raise _not_utf8(file.name)
    if like:
        task = like.task
    if like and like.format == format:
        columns, file = columns or like.columns, replace(file, header=like.header)
    found = _format(format).read(file, task, columns)
    if encoding:
        note = f"{file.name} is not UTF-8 and was read as {encoding}"
        return replace(found, notes=(*found.notes, note))
    return found


def _paired(first: tuple[File, str], second: tuple[File, str]) -> tuple[File, str]:
    return replace(first[0], second=second[0]), first[1] or second[1]


def task_of(paths: Sequence[str], columns: str = "") -> str:
    """Return the task of labelled data, or an empty string for plain text.

    stdin is plain text, and so is a missing file, which is reported once it is read.
    If `columns` is given, the files must be labelled data.
    """
    if not all(map(os.path.exists, paths)):
        return ""
    sources = find_sources(paths)
    if not (columns or is_labelled(sources)):
        return ""
    return read_examples(sources, columns=columns).task


def write_examples(
    format: str,
    examples: Iterable[Example],
    *,
    columns: str = "",
    header: tuple[str, ...] = (),
) -> Iterator[str]:
    """Yield examples as pieces of a file in a format, for `read_examples`.

    columns, header: those of the file whose layout the new one shall have. Raises
    TextError for a text that the format cannot hold.
    """
    return _format(format).write(examples, columns, header)


def split(
    examples: Sequence[Example], share: float, seed: int
) -> tuple[list[Example], list[Example]]:
    """Return the examples for training and for validation, both in order.

    Chosen by a hash of the seed and the input: equal inputs are on one side, whatever
    their order. The share is met as closely as they allow. Raises TextError if all
    inputs are equal.
    """
    key = str(seed).encode()
    hashes = [
        hashlib.blake2b(
            one.source.encode("utf-8", "surrogateescape"), digest_size=8, key=key
        ).digest()
        for one in examples
    ]
    counts = sorted(Counter(hashes).items())
    if len(counts) < 2:
        raise TextError(
            f"the data has {len(counts)} different inputs, but splitting it needs two",
            hint="give more examples, or a file for validation",
        )
    limit, total, best = b"", 0, float("inf")
    for value, count in counts[:-1]:
        total += count
        distance = abs(total - share * len(examples))
        if distance < best:
            limit, best = value, distance
    sides: tuple[list[Example], list[Example]] = ([], [])
    for example, value in zip(examples, hashes, strict=True):
        sides[value <= limit].append(example)
    return sides


def _format(name: str) -> Format:
    format: Format = FORMATS[name]
    return format


def _decoded(source: Source) -> tuple[File, str]:
    """Return the text of a source, and its encoding if that is not UTF-8."""
    data = b"".join(source.blocks())
    if data.startswith(tuple(FOREIGN_MARKS)):
        "".join(source.text())  # raises the error that names the encoding
    data = data.removeprefix(codecs.BOM_UTF8)
    try:
        return File(source.name, data.decode()), ""
    except UnicodeDecodeError:
        for encoding in OLD_ENCODINGS:
            try:
                return File(source.name, data.decode(encoding)), encoding
            except UnicodeDecodeError:
                continue
    raise _not_utf8(source.name)


def _not_utf8(name: str) -> TextError:
    return TextError(
        f"{name} is not UTF-8",
        hint=f"convert it, for example: iconv -f latin1 -t utf-8 {name}",
    )
