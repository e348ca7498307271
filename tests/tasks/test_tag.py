"""What a tagger knows before it is trained: its words, and the rules of its tags."""

from pathlib import Path
from typing import Any

import pytest

from charrnn.data.config import CorpusConfig
from charrnn.errors import UsageError
from charrnn.tasks.tag import TagTask
from charrnn.text.sources import Source
from charrnn.tokenizers.char import UNKNOWN

IOB2 = "anna B-PER\nlee I-PER\nsees O\nrome B-LOC\n\n"
BIOES = "anna B-PER\nlee E-PER\nsees O\nrome S-LOC\n\n"
#: a span begins with B only if it follows one of the same type
IOB1 = "anna I-PER\nlee I-PER\nbob B-PER\nsees O\nrome I-LOC\n\n"
PARTS_OF_SPEECH = "anna NOUN\nsees VERB\nrome NOUN\n\n"


def sizes_of(text: str, folder: Path, **wanted: Any) -> dict[str, Any]:
    (folder / "a.conll").write_text(text)
    task = TagTask()
    sources = [Source(str(folder / "a.conll"))]
    data = task.data(sources, CorpusConfig(), valid_sources=(), raw=False)
    tokenizers = task.tokenizers(data, wanted, {})
    store = task.parts(data, tokenizers, folder / "store")
    return task.sizes(store, tokenizers)


def numbered(text: str) -> str:
    """Return 100 different sentences."""
    return "".join(text.replace("sees", f"sees{k}") for k in range(100))


@pytest.mark.parametrize("text", [IOB2, BIOES])
def test_tags_that_follow_a_notation_of_spans_stay_legal(
    text: str, tmp_path: Path
) -> None:
    spans = sizes_of(numbered(text), tmp_path)["spans"]

    tags = {line.split()[1] for line in text.split("\n") if line}
    assert set(spans[2:]) == tags


@pytest.mark.parametrize("text", [IOB1, PARTS_OF_SPEECH])
def test_any_order_of_other_tags_is_legal(text: str, tmp_path: Path) -> None:
    assert sizes_of(numbered(text), tmp_path)["spans"] == ()


def test_mistake_in_one_sentence_leaves_the_rules_in_force(tmp_path: Path) -> None:
    wrong = "oslo I-LOC\n\n"

    assert sizes_of(numbered(IOB2) + wrong, tmp_path)["spans"]


def test_words_that_occur_twice_in_training_are_known(tmp_path: Path) -> None:
    words = sizes_of(numbered(IOB2), tmp_path)["words"]

    # anna, lee and rome, but none of sees0, sees1 ...
    assert words == 3


@pytest.mark.parametrize("wanted", [{}, {"min_count": 999}, {"vocab_size": 4}])
@pytest.mark.parametrize("count", [2, 30])
def test_blank_is_known_even_if_every_text_is_a_single_word(
    wanted: dict[str, int], count: int, tmp_path: Path
) -> None:
    text = "".join(f"word{n} X\n\n" for n in range(count))

    assert sizes_of(text, tmp_path, **wanted)["blank"] > UNKNOWN


@pytest.mark.parametrize("level", ["symbol", "word", "subword"])
def test_tokenizer_that_does_not_tell_words_apart_is_refused(
    level: str, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match="a blank is not a token of its own"):
        sizes_of(numbered(IOB2), tmp_path, level=level)
