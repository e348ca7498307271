"""The most frequent tag of a word, and guesses for unknown words."""

import pytest

from charrnn.inference.counting.frequent_tags import FrequentTags

SOURCES = ["dogs run", "cats run", "the run ended", "the walk ended", "Paris ended"]
TARGETS = ["N V", "N V", "D N V", "D N V", "P V"]


def test_a_known_word_gets_its_most_frequent_tag() -> None:
    tagger = FrequentTags.fit(SOURCES, TARGETS)

    assert tagger.predict(["the run", "dogs run"]) == ["D V", "N V"]


@pytest.mark.parametrize(
    ("word", "tag"),
    [
        ("The", "D"),  # the same word in another case
        ("birds", "N"),  # the ending s of dogs and cats
        ("landed", "V"),  # the ending ed, although ended is the only example
        ("Rome", "P"),  # no known ending, but a capital like Paris
        ("1987", "V"),  # no clue: the most frequent tag
    ],
)
def test_an_unknown_word_gets_the_tag_of_its_best_clue(word: str, tag: str) -> None:
    assert FrequentTags.fit(SOURCES, TARGETS).predict([word]) == [tag]


def test_without_clues_an_unknown_word_gets_the_most_frequent_tag() -> None:
    tagger = FrequentTags.fit(SOURCES, TARGETS).without_clues()

    assert tagger.predict(["The birds Rome run"]) == ["V V V V"]


def test_frequent_words_do_not_vote_on_endings() -> None:
    sources = ["is " * 5 + "is", "gas"]
    targets = ["V " * 5 + "V", "N"]

    assert FrequentTags.fit(sources, targets).predict(["bus"]) == ["N"]


def test_of_equally_frequent_tags_the_first_by_name_wins() -> None:
    tagger = FrequentTags.fit(["a", "a"], ["Y", "X"])

    assert tagger.predict(["a b"]) == ["X X"]


def test_every_word_gets_a_tag_whatever_it_is() -> None:
    tagger = FrequentTags.fit(SOURCES, TARGETS)

    tags = tagger.predict(["", "a\u00a0b ² ß İ 𝔘 -"])

    assert [len(one.split(" ")) for one in tags] == [1, 6]


def test_another_number_of_tags_than_words_is_refused() -> None:
    with pytest.raises(ValueError, match="zip"):
        FrequentTags.fit(["a b"], ["X"])
