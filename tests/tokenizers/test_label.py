"""The whole text is one token."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from charrnn.errors import TextError, UsageError
from charrnn.tokenizers import TOKENIZERS
from charrnn.tokenizers.config import TokenizerConfig
from charrnn.tokenizers.label import LabelTokenizer
from charrnn.tokenizers.loading import from_json

labels = st.lists(st.text(min_size=1), min_size=1)


def fit(*some: str) -> LabelTokenizer:
    return LabelTokenizer.fit(some, TokenizerConfig())


@given(labels)
def test_every_label_is_one_token_and_comes_back(some: list[str]) -> None:
    tokenizer = fit(*some)

    for label in some:
        ids, ends = tokenizer.encode_with_ends(label)
        assert label in tokenizer
        assert tokenizer.decode(ids) == label
        assert (len(ids), ends.tolist()) == (1, [len(label)])
    assert tokenizer.vocab_size == 1 + len(set(some))
    assert tokenizer.never_generated == ()


@given(labels)
def test_json_keeps_the_labels(some: list[str]) -> None:
    tokenizer = fit(*some)

    rebuilt = from_json(json.loads(json.dumps(tokenizer.to_json())))

    assert isinstance(rebuilt, LabelTokenizer)
    assert rebuilt.labels == tokenizer.labels


@given(labels)
def test_ids_do_not_depend_on_the_order_of_the_examples(some: list[str]) -> None:
    assert fit(*some).labels == fit(*reversed(some)).labels == tuple(sorted({*some}))


@given(labels)
def test_many_labels_encode_as_one_by_one(some: list[str]) -> None:
    tokenizer = fit(*some)

    ids, places = tokenizer.encode_closed(some)

    assert ids[::2].tolist() == [int(tokenizer.encode(label)[0]) for label in some]
    assert places.tolist() == np.flatnonzero(ids == 0).tolist()


def test_labels_with_blanks_are_numbered_from_1() -> None:
    tokenizer = fit("lost property", "question", "lost property", "a\tb\n")

    assert tokenizer.labels == ("a\tb\n", "lost property", "question")
    assert tokenizer.encode("lost property").tolist() == [2]
    assert tokenizer.piece(2) == "lost property"
    assert tokenizer.unknown is None


@pytest.mark.parametrize("label", ["Spam", "spam ", "sp", "ham spam"])
def test_label_that_was_not_learned_is_refused(label: str) -> None:
    tokenizer = fit("ham", "spam")

    assert label not in tokenizer
    with pytest.raises(TextError, match="no label") as caught:
        tokenizer.encode(label)
    assert "ham, spam" in caught.value.hint


def test_empty_text_has_no_token_and_is_no_label() -> None:
    tokenizer = fit("a", "")

    assert "" not in tokenizer
    assert tokenizer.encode("").tolist() == []


@pytest.mark.parametrize("nothing", [[], [""]])
def test_no_labels_cannot_be_learned(nothing: list[str]) -> None:
    with pytest.raises(TextError, match="no labels"):
        fit(*nothing)


@pytest.mark.parametrize("value", [None, "ab", [], [1], ["b", "a"], ["a", "a"], [""]])
def test_json_without_a_sorted_list_of_labels_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="labels"):
        from_json({"level": "label", "labels": value})


def test_level_is_registered_but_not_offered() -> None:
    assert TOKENIZERS["label"] is LabelTokenizer
    assert "label" not in [*TOKENIZERS]
    with pytest.raises(UsageError, match="`level` is 'label'"):
        TokenizerConfig(level="label")
