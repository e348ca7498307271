"""Entities of tag sequences, by hand and against nervaluate."""

import numpy as np
import pytest
from nervaluate.loaders import ListLoader

from charrnn.inference.metrics.spans import are_span_tags, spans


@pytest.mark.parametrize(
    ("tags", "found"),
    [
        ("O B-x I-x O", [("x", 1, 3)]),
        ("B-x B-x", [("x", 0, 1), ("x", 1, 2)]),
        ("O I-x I-x", [("x", 1, 3)]),  # an I may begin an entity
        ("B-x I-y", [("x", 0, 1), ("y", 1, 2)]),  # another type begins another
        ("B-x O I-x", [("x", 0, 1), ("x", 2, 3)]),
        ("B-x I-x E-x", [("x", 0, 3)]),
        ("S-x S-x", [("x", 0, 1), ("x", 1, 2)]),
        ("B-x E-x I-x", [("x", 0, 2), ("x", 2, 3)]),  # E closes
        ("S-x E-x", [("x", 0, 1), ("x", 1, 2)]),
        ("E-x E-x", [("x", 0, 1), ("x", 1, 2)]),
        ("B-x L-x U-y", [("x", 0, 2), ("y", 2, 3)]),  # BILOU
        ("B I O B", [("", 0, 2), ("", 3, 4)]),
        ("B-geo-loc I-geo-loc", [("geo-loc", 0, 2)]),
        ("NOUN B-x", [("x", 1, 2)]),  # a tag in no scheme
        ("", []),
    ],
)
def test_spans_by_hand(tags: str, found: list[tuple[str, int, int]]) -> None:
    assert spans(tags.split()) == found


@pytest.mark.parametrize("seed", range(20))
def test_any_mixture_of_b_i_and_o_gives_the_spans_of_nervaluate(seed: int) -> None:
    rng = np.random.default_rng(seed)
    tags = [*rng.choice(["O", "B-x", "I-x", "B-y", "I-y"], 50).tolist(), "O"]

    reference = ListLoader().load([tags])[0]

    assert spans(tags) == [(e.label, e.start, e.end + 1) for e in reference]


def test_legal_bioes_gives_the_spans_of_the_same_entities_in_bio() -> None:
    bio = ["B-x", "I-x", "I-x", "O", "B-y", "B-y", "I-y", "O", "B-x"]
    bioes = ["B-x", "I-x", "E-x", "O", "S-y", "B-y", "E-y", "O", "S-x"]

    assert spans(bioes) == spans(bio)


@pytest.mark.parametrize(
    ("tags", "are"),
    [
        (["O", "B-x", "I-x"], True),
        (["O", "S-x"], True),
        (["B", "I", "O"], True),
        (["O"], False),
        (["NOUN", "VERB"], False),
        (["O", "B-x", "NOUN"], False),
        (["-LRB-", "NN"], False),
    ],
)
def test_tags_mark_entities_if_all_fit_the_scheme(tags: list[str], are: bool) -> None:
    assert are_span_tags(tags) is are
