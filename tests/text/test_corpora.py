"""The texts in corpora/ match their description in SOURCES.md."""

import hashlib
import re
from calendar import day_abbr, month_abbr
from collections import Counter
from datetime import date
from pathlib import Path

import pytest

CORPORA = Path(__file__).parents[2] / "corpora"
ROW = re.compile(r"\| (\S+) \| (\d+) \| `([0-9a-f]{64})` \|")
ROWS = ROW.findall((CORPORA / "SOURCES.md").read_text("utf-8"))

OPEN = {"ADJ", "ADV", "INTJ", "NOUN", "PROPN", "VERB"}
CLOSED = {"ADP", "AUX", "CCONJ", "DET", "NUM", "PART", "PRON", "SCONJ"}


@pytest.mark.parametrize(("name", "size", "sha256"), ROWS, ids=[r[0] for r in ROWS])
def test_text_has_the_documented_size_and_hash(
    name: str, size: str, sha256: str
) -> None:
    data = (CORPORA / name).read_bytes()

    assert (len(data), hashlib.sha256(data).hexdigest()) == (int(size), sha256)


def test_every_text_is_described() -> None:
    names = {path.name for path in CORPORA.iterdir()} - {"SOURCES.md"}

    assert names == {row[0] for row in ROWS}


def test_places_are_all_different() -> None:
    lines = (CORPORA / "places.txt").read_text("utf-8").splitlines()

    assert len(lines) >= 2000
    assert len({line.casefold() for line in lines}) == len(lines)


def test_prose_repeats_no_paragraph() -> None:
    text = (CORPORA / "ferry.txt").read_text("ascii")
    paragraphs = [line for line in text.splitlines() if line]

    assert len(text) >= 100_000
    assert len(set(paragraphs)) == len(paragraphs)


@pytest.mark.parametrize(
    ("first", "last"),
    [
        ("\u00c0", "\u024f"),
        ("\u0400", "\u04ff"),
        ("\u0370", "\u03ff"),
        ("\u0600", "\u06ff"),
        ("\u0900", "\u097f"),
        ("\u4e00", "\u9fff"),
        ("\U0001f300", "\U0001faff"),
    ],
    ids=["latin", "cyrillic", "greek", "arabic", "devanagari", "chinese", "emoji"],
)
def test_scripts_have_hundreds_of_characters_each(first: str, last: str) -> None:
    text = (CORPORA / "scripts.txt").read_text("utf-8")

    assert len(text.encode()) >= 20_000
    assert sum(first <= character <= last for character in text) >= 300


def columns(name: str) -> list[tuple[str, str]]:
    """Return the two columns of the lines that are not blank."""
    lines = (CORPORA / name).read_text("ascii").splitlines()
    pairs = [line.split("\t") for line in lines if line]
    assert all(len(pair) == 2 and all(pair) for pair in pairs)
    return [(first, second) for first, second in pairs]


def test_notes_are_all_different_and_85_have_each_label() -> None:
    pairs = columns("notes.tsv")

    assert Counter(label for _, label in pairs) == dict.fromkeys(
        ["complaint", "question", "thanks", "lost"], 85
    )
    assert len({note.casefold() for note, _ in pairs}) == len(pairs)


def test_tags_are_those_of_universal_dependencies() -> None:
    pairs = columns("tags.conll")

    assert len(pairs) == 1390
    assert {tag for _, tag in pairs} == OPEN | CLOSED | {"PUNCT"}
    assert {word for word, tag in pairs if tag == "PUNCT"} == set('.,?!"')


def test_tagged_sentences_are_125_and_all_different() -> None:
    text = (CORPORA / "tags.conll").read_text("ascii")

    assert len(set(text.split("\n\n"))) == 125


def test_dates_are_valid_and_agree_with_what_their_text_shows() -> None:
    pairs = columns("dates.tsv")

    assert len(dict(pairs)) == 600
    for text, iso in pairs:
        day = date.fromisoformat(iso)
        months = [name for name in month_abbr[1:] if name.lower() in text.lower()]
        weekdays = [name for name in day_abbr if re.search(rf"\b{name}", text)]
        figures = {int(digits) for digits in re.findall("[0-9]+", text)}
        assert figures <= {day.year, day.month, day.day}
        assert months in ([], [f"{day:%b}"])
        assert weekdays in ([], [f"{day:%a}"])
