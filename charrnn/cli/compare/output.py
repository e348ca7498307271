"""The output of `charrnn compare`: two tables with a row per model, or JSON."""

from collections.abc import Sequence
from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from charrnn.cli import console
from charrnn.cli.score.output import values

if TYPE_CHECKING:
    from charrnn.inference.comparing import Compared, Reading, Texts

QUALITY: Final = ("model", "kind", "bits/char", "to best", "95% interval", "real")
SHOWN: Final = 3  #: number of model names that a warning lists
UNITS: Final = ("bits/byte", "bits/word", "perplexity", "unknown", "chars/s")
SIZES: Final = ("model", "tokens", "parameters", "size", *UNITS)


def log_text(texts: "Texts", name: str, *, quiet: bool) -> None:
    """Log the size of the text and how the intervals are computed."""
    from charrnn.inference.intervals import RESAMPLES

    size = texts.size
    ends = "counted" if texts.ends else "not counted"
    documents = console.plural(len(texts.documents), "document")
    text = f"{size.characters:,} characters, {size.words:,} words, {documents}"
    console.log(f"text: {name}, {text}, ends {ends}", quiet=quiet)
    blocks = _blocks(texts)
    each = f"{blocks['size']:,} {blocks['unit']} each"
    samples = f"{RESAMPLES:,} bootstrap samples of {blocks['count']} blocks, {each}"
    console.log(f"intervals: {samples}", quiet=quiet)


def warn_of_bad_scores(found: Sequence["Compared"], *, quiet: bool) -> None:
    """Warn about scores that are too low or infinite."""
    if names := [one.reading.model.name for one in found if not one.is_fair]:
        why = "an unknown token costs less than its characters would"
        text = f"bits/char is too low for {console.listed(names, SHOWN)}: {why}"
        console.warn(text, quiet=quiet)
    if names := [one.reading.model.name for one in found if one.reading.impossible]:
        models = console.listed(names, SHOWN)
        text = f"at least one token has zero probability under {models}"
        console.warn(f"{text}, so the score is infinite", quiet=quiet)


def short_names(names: Sequence[str]) -> list[str]:
    """Return the names of models; omit folders if the names remain distinct."""
    short = [Path(name).name for name in names]
    return short if len(set(short)) == len(short) else list(names)


def write_table(found: Sequence["Compared"]) -> None:
    """Write a table of scores, then a table of sizes, units and speed."""
    names = short_names([one.reading.model.name for one in found])
    named = list(zip(names, found, strict=True))
    quality = [QUALITY, *((name, *_quality(one)) for name, one in named)]
    console.write_line(console.table(quality, "<<>><<") + "\n")
    sizes = [SIZES, *((name, *_sizes(one.reading)) for name, one in named)]
    score = found[0].reading.score
    if score.bytes == score.characters:
        sizes = [(*row[:4], *row[5:]) for row in sizes]
    console.write_line(console.table(sizes, "<<".ljust(len(sizes[0]), ">")))


def write_json(found: Sequence["Compared"], texts: "Texts", name: str) -> None:
    """Write the text, the bootstrap blocks and the models as one JSON object."""
    size = texts.size
    text = {
        "name": name,
        "documents": len(texts.documents),
        "chars": size.characters,
        "bytes": size.bytes,
        "words": size.words,
        "ends_counted": texts.ends,
    }
    models = [_record(one) for one in found]
    console.write_json({"text": text, "blocks": _blocks(texts), "models": models})


def _blocks(texts: "Texts") -> dict[str, Any]:
    """Return the blocks of the bootstrap, as JSON values."""
    return {
        "count": texts.blocks,
        "size": len(texts.unit_sizes) // texts.blocks,
        "unit": "documents" if texts.has_many else "characters",
    }


def _record(one: "Compared") -> dict[str, Any]:
    reading = one.reading
    model, score = reading.model.model, reading.score
    return {
        "model": reading.model.name,
        "family": model.family,
        "kind": model.title,
        "level": reading.model.tokenizer.level,
        "vocabulary": model.vocab_size,
        "parameters": model.parameters,
        "file_bytes": reading.file_bytes,
        **values(score),
        "bits_per_word": score.bits_per_word,
        "impossible": reading.impossible,
        "chars_per_s": score.characters / reading.seconds,
        "fair": one.is_fair,
        "best": one.is_best,
        "difference": one.difference,
        "low": one.interval.low,
        "high": one.interval.high,
        "real": None if isnan(one.difference) else one.interval.excludes_zero,
    }


def _quality(one: "Compared") -> tuple[str, ...]:
    bits = console.number(one.reading.score.bits_per_char)
    cells = (one.reading.model.model.title, bits)
    if one.is_best or isnan(one.difference):
        return (*cells, "best" if one.is_best else "", "", "")
    low, high = one.interval
    interval = "" if isnan(low) else f"{low:+.3f} to {high:+.3f}"
    is_real = "yes" if one.interval.excludes_zero else "no"
    is_real = is_real if one.is_fair else "unfair"
    return (*cells, f"{one.difference:+.3f}", interval, is_real)


def _sizes(reading: "Reading") -> tuple[str, ...]:
    score, model = reading.score, reading.model
    units = (score.bits_per_byte, score.bits_per_word, score.perplexity)
    return (
        model.tokenizer.level,
        f"{model.model.parameters:,}",
        console.size(reading.file_bytes),
        *map(console.number, units),
        f"{score.unknown:,}",
        f"{score.characters / reading.seconds:,.0f}",
    )
