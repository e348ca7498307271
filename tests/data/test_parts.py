"""Pieces of a part: what is held out, and what is left."""

import numpy as np
import pytest
from support.bayes import classifier_part, classifier_tokenizers
from support.models import random_text_model
from support.parts import PARTS, every_part, target_tokens

from charrnn.data.example_batches import inputs_of, texts_of
from charrnn.data.parts import measured, part_of, split
from charrnn.data.store import MANY_DOCUMENTS, Part
from charrnn.data.validation import validation_batches
from charrnn.inference.score import Score
from charrnn.inference.scoring import batch_nats, part_nats, part_score

TEXTS = ["the cat", "", "a hat, the cat and a bat"]


@every_part
@pytest.mark.parametrize("pieces", [1, 3, 10])
@pytest.mark.parametrize("share", [0.02, 0.3, 0.5])
def test_every_target_is_in_one_of_the_pieces(
    part: Part, share: float, pieces: int
) -> None:
    rest, held = split(part, share, pieces=pieces)

    assert sorted(target_tokens(rest) + target_tokens(held)) == target_tokens(part)


@pytest.mark.parametrize("share", [0.02, 0.3, 0.5])
def test_end_of_few_documents_is_held_out(share: float) -> None:
    part = PARTS["three long documents"]

    _, held = split(part, share)

    assert held.targets == round(part.targets * share)
    assert target_tokens(held) == target_tokens(part)[-held.targets :]


def test_pieces_that_are_held_out_are_spread_and_open_with_a_boundary() -> None:
    ids = np.arange(1, 101, dtype=np.uint8)
    part = Part(np.append(0, ids), np.array([0]), np.array([100]), 0, 0, 0, 0)

    rest, held = split(part, 0.06, pieces=2)

    assert target_tokens(held) == [48, 49, 50, 98, 99, 100]
    assert held.tokens.tolist() == [0, 48, 49, 50, 0, 98, 99, 100]
    assert rest.starts.tolist() == [0, 48]
    assert rest.lengths.tolist() == [47, 47]


@pytest.mark.parametrize("share", [0.01, 0.2, 0.5])
def test_examples_with_equal_inputs_are_held_out_together(share: float) -> None:
    inputs = [f"name {k % 7} {k % 5}" for k in range(90)]
    outputs = [f"label {k % 3}" for k in range(90)]
    tokenizers = classifier_tokenizers(inputs, outputs)
    assert tokenizers.source

    pieces = split(classifier_part(inputs, outputs, tokenizers), share)

    found = []
    for piece in pieces:
        source = inputs_of(piece)
        texts = texts_of(source, tokenizers.source)
        labels = texts_of(piece, tokenizers.output)
        found.append(list(zip(texts, labels, strict=True)))
    pairs = zip(inputs, outputs, strict=True)
    assert sorted(found[0] + found[1]) == sorted(pairs)
    rest, held = ({text for text, _ in piece} for piece in found)
    assert len(held) == max(1, int(35 * share))
    assert not rest & held


def test_every_so_many_th_of_many_documents_is_held_out_whole() -> None:
    part = PARTS["sorted documents"]
    assert len(part.lengths) >= MANY_DOCUMENTS

    rest, held = split(part, 0.25)

    assert held.starts.tolist() == part.starts[3::4].tolist()
    assert held.lengths.tolist() == part.lengths[3::4].tolist()
    assert len(rest.lengths) == 3 * len(held.lengths)


# --- texts as a part


@pytest.mark.parametrize("learns_end", [True, False])
def test_score_of_texts_as_a_part_is_that_of_the_texts(learns_end: bool) -> None:
    model = random_text_model(TEXTS)

    part = part_of(TEXTS, model.tokenizer, learns_end=learns_end)

    scores = model.score_all(TEXTS, end=learns_end)
    total, found = sum(scores, Score()), part_score(model.model, part)
    assert found.nats == pytest.approx(total.nats, rel=1e-6)
    assert found.tokens == total.tokens
    sizes = (found.characters, found.bytes, found.words, found.unknown)
    assert sizes == (total.characters, total.bytes, total.words, total.unknown)


def test_sizes_of_two_halves_add_up() -> None:
    model = random_text_model(TEXTS)
    part = part_of(TEXTS, model.tokenizer, learns_end=False)

    halves = [measured(half, model.tokenizer) for half in split(part, 0.5)]

    assert sum(half.characters for half in halves) == part.characters
    assert sum(half.bytes for half in halves) == part.bytes


def test_nats_of_a_part_are_in_the_order_of_its_validation_batches() -> None:
    model = random_text_model(["abc" * 1000], level="byte", hidden=4)
    part = part_of(["abc" * 1000, "b"], model.tokenizer, learns_end=False)

    found = part_nats(model.model, part)

    targets = [b.targets[b.targets >= 0] for g in validation_batches(part) for b in g]
    tokens = np.concatenate(targets)
    ids = model.tokenizer.encode("abc" * 1000)
    (expected,) = batch_nats(model.model, [ids])
    for token in np.unique(ids):
        ours, theirs = found[tokens == token], expected[ids == token]
        assert ours.sum() == pytest.approx(theirs.sum(), rel=1e-2)
