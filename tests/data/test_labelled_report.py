"""The report on labelled data, counted by hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from charrnn.data.examples import Example
from charrnn.data.formats.report import Lengths, report


def examples(*pairs):
    return [Example(source, target) for source, target in pairs]


def test_labels_repeated_and_contradictory_inputs_are_counted():
    found = report(
        examples(
            *[("Abel", "de"), ("Abe", "ja"), ("Abel", "en"), ("Abel", "de")],
            *[("Cha", "ko"), ("Abe", "ja")],
        ),
        "classify",
    )

    assert found.examples == 6
    assert found.labels == (("de", 2), ("ja", 2), ("en", 1), ("ko", 1))
    assert found.repeated == 2
    assert (found.contradictory, found.contradictions) == (1, (("Abel", ("de", "en")),))
    # lengths 4, 3, 4, 4, 3, 3
    assert (found.inputs, found.unit) == (Lengths(3.5, 4), "characters")
    assert found.outputs == Lengths(2.0, 2)
    assert (found.copied, found.unseen) == (0.0, None)


def test_words_that_only_held_out_sentences_have_are_unseen():
    train = examples(("New York burns", "B I O"))
    valid = examples(("York is New York", "B O B I"), ("New\u00a0York", "B"))

    found = report(train + valid, "tag", (train, valid))

    assert found.labels == (("B", 4), ("I", 2), ("O", 2))
    assert (found.inputs, found.outputs) == (Lengths(3.0, 4), Lengths(3.0, 4))
    assert found.unit == "words"
    assert found.unseen == 2 / 5  # "is" and the word with a blank inside


def test_translations_have_no_labels_but_may_be_copies():
    found = report(
        examples(("a", "a"), ("b", "c d"), ("e", "e"), ("f", "")), "translate"
    )

    assert (found.labels, found.copied, found.unseen) == ((), 0.5, None)
    assert found.outputs == Lengths(1.0, 3)


def test_at_most_three_contradictions_are_listed():
    pairs = [(f"{n}", target) for n in range(5) for target in "zyx"]

    found = report(examples(*pairs), "classify")

    assert found.contradictory == 5
    assert found.contradictions == tuple((f"{n}", ("x", "y", "z")) for n in range(3))


@pytest.mark.parametrize(
    "twins",
    [("1", "1,"), ("Spam", "spam"), ("ham", "ham "), ("not-ok", "not ok", "not_ok")],
)
def test_labels_that_look_alike_are_grouped(twins):
    found = report(
        examples(*[("x", label) for label in twins], ("x", "other")), "classify"
    )

    assert found.twins == (tuple(sorted(twins)),)


def test_tags_of_punctuation_and_of_related_words_are_not_alike():
    tags = [". , : `` '' $ -LRB- PRP PRP$ WP WP$ B-loc I-loc B-LOC/PER C C# +1 -1"]

    found = report(examples((tags[0], tags[0])), "tag")

    assert len(found.labels) == len(tags[0].split())
    assert found.twins == ()


def test_a_report_needs_examples():
    with pytest.raises(ValueError, match="no examples"):
        report([], "classify")


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("xyz")), min_size=1),
    st.randoms(),
)
def test_a_report_counts_every_example_in_any_order(pairs, chance):
    found = report(examples(*pairs), "classify")

    assert sum(count for _, count in found.labels) == found.examples == len(pairs)
    assert found.repeated == len(pairs) - len(set(pairs))
    chance.shuffle(pairs)
    other = report(examples(*pairs), "classify")
    assert (other.labels, other.contradictory) == (found.labels, found.contradictory)
