"""A word is encoded by character, and each of its features is one token."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from charrnn.tokenizers.config import TokenizerConfig
from charrnn.tokenizers.features import FeatureTokenizer

names = st.text(
    st.characters(exclude_characters="\t;,| ", exclude_categories=["Cs"]), min_size=1
)
words = st.text(st.characters(exclude_characters="\t", exclude_categories=["Cs"]))


def fit(*some: str, **config: int) -> FeatureTokenizer:
    return FeatureTokenizer.fit(some, TokenizerConfig(level="features", **config))


@given(words, st.lists(names))
def test_one_token_per_character_and_per_feature(
    word: str, features: list[str]
) -> None:
    text = f"{word}\t{';'.join(features)}"
    tokenizer = fit(text, "a", min_count=1)

    ids = tokenizer.encode(text)

    assert len(ids) == len(word) + len(features)
    assert tokenizer.decode(ids) == "\t".join([word, *features])


def test_word_with_features_is_encoded_by_hand_like_this() -> None:
    tokenizer = fit("nun\tN;SG\n;SG", "nun\tN", min_count=1)

    pieces = tokenizer.pieces
    ids, ends = tokenizer.encode_with_ends("nut\tSG; N,PL ")

    assert pieces == ("n", "\tN", "u", "\tSG", "\tSG\n")  # 4, 2, 2, 1, 1 times
    assert ids.tolist() == [2, 4, 1, 5, 3, 1]
    assert ends.tolist() == [1, 2, 3, 6, 9, 13]  # the last token has the rest


@pytest.mark.parametrize(
    "features", ["N;SG", "N,SG", "N|SG", "N SG", "N\tSG", ";N; SG;"]
)
def test_separators_are_equal(features: str) -> None:
    tokenizer = fit("ox\tN;SG", min_count=1)

    assert tokenizer.decode(tokenizer.encode(f"ox\t{features}")) == "ox\tN\tSG"


def test_feature_is_not_the_character_of_the_same_name() -> None:
    tokenizer = fit("N\tN", min_count=1)

    character, feature = tokenizer.encode("N\tN").tolist()

    assert character != feature
    assert tokenizer.decode([character, feature]) == "N\tN"


def test_text_without_a_tab_is_encoded_by_character() -> None:
    assert len(fit("a b; c", min_count=1).encode("a b; c")) == 6


def test_rare_features_are_unknown() -> None:
    tokenizer = fit("aa\tN;SG", "aa\tN;PL")

    assert tokenizer.pieces == ("a", "\tN")
    assert tokenizer.encode("ab\tN;SG").tolist() == [2, 1, 3, 1]
