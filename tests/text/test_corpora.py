"""The texts in corpora/ match their description in SOURCES.md."""

import hashlib
import re
from pathlib import Path

import pytest

CORPORA = Path(__file__).parents[2] / "corpora"
ROW = re.compile(r"\| (\S+\.txt) \| (\d+) \| `([0-9a-f]{64})` \|")
ROWS = ROW.findall((CORPORA / "SOURCES.md").read_text("utf-8"))


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
