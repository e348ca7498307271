"""Read, write and split labelled data: inputs with their outputs.

Whole files are read into memory; 120,000 examples take about a second.
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
from charrnn.registry import named
from charrnn.text.sources import FOREIGN_MARKS, Source, find_sources

#: The encoding of a file that is not UTF-8, or Latin-1, which accepts any bytes.
OLD_ENCODING = "cp1252"


def read_examples(
    source: Source | Sequence[Source],
    *,
    task: str = "",
    columns: str = "",
    like: Labelled | None = None,
    unlabelled: bool = False,
) -> Labelled:
    """Read labelled data from one or more files.

    Two files in no known format are read in parallel: line n of the second is the
    output for line n of the first. The format of a file follows from its extension and
    from all of its lines, and so does the task unless it is given. Raises TextError if
    a line cannot be read or the task is not clear, and UsageError for wrong options.

    like: data read before. Its task is used for these files, and so are its columns and
    header if the format is the same. Further files are read like the first one.
    unlabelled: whether outputs may be missing; all outputs are then arbitrary.
    """
    sources = [source] if isinstance(source, Source) else list(source)
    files = [_decoded(one) for one in sources]
    task = like.task if like else task
    formats = [detect.detect(file.name, file.text, task) for file, _ in files]
    if detect.are_languages([one.name for one in sources]) or (
        len(files) == 2 and not any(formats)
    ):
        files, formats = [_paired(*files)], ["parallel"]
    found: list[Labelled] = []
    for (file, encoding), format in zip(files, formats, strict=True):
        model = found[0] if found else like
        if unlabelled:
            known = columns or (model and model.format == format and model.columns)
            # imported when needed, because it imports most formats
            completed = named("charrnn.data.formats.unlabelled:completed")
            file = completed(file, format, known or "")
        found.append(_read(file, encoding, format, task, columns, model))
    if not found:
        raise ValueError("there are no sources")
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
    if format != "csv" and "\n" not in file.text and file.text.count("\r") > 1:
        raise file.error(
            1,
            "lines end with CR, without LF",
            hint=f"convert it: tr '\\r' '\\n' < {file.name}",
        )
    if not format:
        number = next(number for number, line in file.lines() if "\t" not in line)
        raise file.error(
            number,
            "this is not in a known format of labelled data",
            hint="write one example per line: input TAB output",
        )
    if encoding and not _format(format).is_old:
        raise _not_utf8(file, encoding)
    if like:
        task = like.task
        if like.format == format:
            columns, file = columns or like.columns, replace(file, header=like.header)
    found = _format(format).read(file, task, columns)
    if encoding:
        note = f"{file.name} is not UTF-8 and was read as {encoding}"
        return replace(found, notes=(*found.notes, note))
    return found


def _paired(first: tuple[File, str], second: tuple[File, str]) -> tuple[File, str]:
    for file, encoding in (first, second):
        if encoding:
            raise _not_utf8(file, encoding)
    return replace(first[0], second=second[0]), ""


def task_of(paths: Sequence[str], columns: str = "") -> str:
    """Return the task of labelled data, or an empty string for plain text.

    Text from stdin counts as plain, and so does a missing file, which is reported when
    it is read. If `columns` is given, the files must be labelled data.
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
    """Yield the pieces of a file that `read_examples` reads as the same examples.

    columns, header: the layout, as in `Labelled`. Raises TextError if the format cannot
    represent an example. For "parallel", only the outputs are written.
    """
    return _format(format).write(examples, columns, header)


def split(
    examples: Sequence[Example], share: float, seed: int
) -> tuple[list[Example], list[Example]]:
    """Return the examples for training and those for validation, in file order.

    A hash of seed and input decides, so examples with equal inputs end up in the same
    part, and their order in the file does not matter. share: the fraction to hold out,
    which is met as closely as equal inputs allow. Neither part is empty. Raises
    TextError if all inputs are equal.
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
            "all examples have the same input, but training and validation need"
            " different ones",
            hint="add examples, or give a file for validation",
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
        try:
            return File(source.name, data.decode(OLD_ENCODING)), OLD_ENCODING
        except UnicodeDecodeError:
            return File(source.name, data.decode("latin-1")), "latin-1"


def _not_utf8(file: File, encoding: str) -> TextError:
    """Return the error for a file that was decoded with another encoding."""
    lines = file.text.encode(encoding).split(b"\n")
    numbered = enumerate(lines, 1)
    # U+FFFD takes three bytes, so no other line grows
    wrong = next(n for n, x in numbered if x.decode("utf-8", "replace").encode() != x)
    return file.error(
        wrong,
        "not UTF-8",
        hint=f"convert it, for example: iconv -f latin1 -t utf-8 {file.name}",
    )
