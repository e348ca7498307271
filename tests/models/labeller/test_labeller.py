"""The laws of classifiers and taggers, over everything that they may have."""

from dataclasses import replace

import numpy as np
import pytest
from support.labellers import (
    CLASSIFIERS,
    ILLEGAL,
    LABELLERS,
    LENGTHS,
    SMALL,
    SOURCE,
    TAGGER,
    TAGGERS,
    V,
    count,
    nats_of_all,
    random_labeller,
    row,
)

from charrnn.errors import UsageError
from charrnn.models.base import build, log_softmax, softmax
from charrnn.models.labeller.config import LabellerConfig
from charrnn.models.labeller.model import HASHES, LabellerModel
from charrnn.models.labeller.words import split_words

ATOL = 1e-5  # float32, other order of the same operations
ROWS = range(len(SOURCE))

every_labeller = pytest.mark.parametrize(
    "config", LABELLERS.values(), ids=LABELLERS.keys()
)
every_tagger = pytest.mark.parametrize("config", TAGGERS.values(), ids=TAGGERS.keys())


def random_tokens(batch: int, time: int) -> np.ndarray:
    return np.random.default_rng(1).integers(0, V, (batch, time))


# --- probabilities


@every_labeller
@pytest.mark.parametrize("number", ROWS)
def test_probabilities_of_all_outputs_of_an_input_sum_to_one(
    config: LabellerConfig, number: int
) -> None:
    nats = nats_of_all(random_labeller(config), number)

    total = sum(np.exp(-np.array(list(nats.values()))))
    assert total == pytest.approx(1, abs=ATOL)


@every_labeller
def test_boundary_follows_the_last_label_and_no_other(config: LabellerConfig) -> None:
    model = random_labeller(config)

    logits, _ = model.forward(random_tokens(4, 6), model.read(SOURCE, LENGTHS))

    counts = [count(config, number) for number in ROWS]
    ends = np.arange(6) >= np.array(counts)[:, None]
    np.testing.assert_array_equal(softmax(logits)[..., 0], ends)


@every_tagger
def test_unknown_label_is_practically_impossible(config: LabellerConfig) -> None:
    model = random_labeller(config)

    logits, _ = model.forward(random_tokens(4, 5), model.read(SOURCE, LENGTHS))

    assert softmax(logits)[..., 1].max() < 1e-15


def test_label_of_a_classifier_does_not_depend_on_the_token_before_it() -> None:
    model = random_labeller(SMALL)
    state = model.read(SOURCE, LENGTHS)

    first, _ = model.forward(np.zeros((4, 1), int), state)

    other, _ = model.forward(np.full((4, 1), 3), state)
    np.testing.assert_array_equal(first, other)


# --- batches


@every_labeller
def test_padded_row_gives_what_the_row_alone_gives(config: LabellerConfig) -> None:
    model = random_labeller(config)
    tokens = random_tokens(4, 5)
    together, _ = model.forward(tokens, model.read(SOURCE, LENGTHS))

    for number in ROWS:
        alone, _ = model.forward(tokens[[number]], model.read(*row(number)))
        np.testing.assert_allclose(
            log_softmax(together[number]), log_softmax(alone[0]), atol=ATOL
        )


@every_labeller
def test_order_of_the_rows_changes_nothing(config: LabellerConfig) -> None:
    model = random_labeller(config)
    order, tokens = np.array([2, 0, 3, 1]), random_tokens(4, 5)
    logits, _ = model.forward(tokens, model.read(SOURCE, LENGTHS))

    state = model.read(SOURCE[order], LENGTHS[order])

    shuffled, _ = model.forward(tokens[order], state)
    np.testing.assert_allclose(shuffled, logits[order], rtol=1e-5, atol=ATOL)


@every_labeller
def test_rows_of_a_state_can_be_reordered(config: LabellerConfig) -> None:
    model = random_labeller(config)
    order, tokens = np.array([2, 0, 3, 3]), random_tokens(4, 5)
    logits, _ = model.forward(tokens, model.read(SOURCE, LENGTHS))

    state = tuple(array[order] for array in model.read(SOURCE, LENGTHS))

    shuffled, _ = model.forward(tokens[order], state)
    np.testing.assert_array_equal(shuffled, logits[order])


@every_labeller
def test_labels_one_at_a_time_give_what_all_at_once_give(
    config: LabellerConfig,
) -> None:
    model = random_labeller(config)
    tokens = random_tokens(4, 6)
    whole, _ = model.forward(tokens, model.read(SOURCE, LENGTHS))

    state, pieces = model.read(SOURCE, LENGTHS), []
    for t in range(6):
        logits, state = model.forward(tokens[:, t : t + 1], state)
        pieces.append(logits)

    np.testing.assert_array_equal(np.concatenate(pieces, axis=1), whole)


def test_input_without_tokens_reads_as_one_boundary() -> None:
    model = random_labeller(TAGGER)

    logits, _ = model.forward(np.zeros((2, 2), int), model.initial_state(2))

    assert softmax(logits)[:, :, 0].tolist() == [[0, 1], [0, 1]]


# --- the best outputs


@every_labeller
@pytest.mark.parametrize("n", [1, 3, 40])
def test_best_outputs_are_those_of_a_search_through_all(
    config: LabellerConfig, n: int
) -> None:
    model = random_labeller(config)
    found = model.best(SOURCE, LENGTHS, n)

    for number in ROWS:
        # neither the unknown label nor an illegal step, which cost 50 nats
        nats = {y: x for y, x in nats_of_all(model, number).items() if x < 35}
        expected = sorted(nats, key=nats.__getitem__)[:n]
        assert [tuple(ids.tolist()) for ids, _ in found[number]] == expected
        np.testing.assert_allclose(
            [one for _, one in found[number]], [nats[y] for y in expected], atol=1e-4
        )


@every_tagger
@pytest.mark.parametrize("seed", range(5))
def test_outputs_of_spans_are_always_legal(config: LabellerConfig, seed: int) -> None:
    model = random_labeller(config, seed=seed)
    # even a network that is sure of I-X everywhere cannot begin with it
    tensors = model.tensors()
    tensors["head.bias"] = np.array([0, 0, 0, 0, 500], np.float32)
    sure = LabellerModel(config, tensors)

    for found in sure.best(SOURCE, LENGTHS, 5):
        for ids, _ in found:
            steps = set(zip([0, *ids.tolist()], ids.tolist(), strict=False))
            assert not config.spans or not steps & ILLEGAL


def test_tempered_probabilities_are_powers_of_the_others() -> None:
    for config in (SMALL, TAGGER, TAGGERS["crf"]):
        model = random_labeller(config)
        for number in ROWS:
            nats = np.array(list(nats_of_all(model, number).values()))
            warm = np.array(list(nats_of_all(model.tempered(2), number).values()))
            usual = nats < 40  # the cost of the unknown label is fixed
            expected = np.exp(-nats[usual] / 2)
            expected /= expected.sum()
            np.testing.assert_allclose(np.exp(-warm[usual]), expected, atol=ATOL)


# --- what a model reads


@pytest.mark.parametrize("kind", ["mean", "max"])
def test_pooling_reads_every_token_of_a_row_only(kind: str) -> None:
    model = random_labeller(replace(SMALL, read_out=kind))
    w = model.tensors()

    potentials, _ = model.read(*row(0))

    outputs, _ = model._encoder.read(w["embedding.weight"][row(0)[0].T], LENGTHS[:1])
    pooled = getattr(outputs[:, 0], kind)(axis=0)
    logits = pooled @ w["head.weight"].T + w["head.bias"]
    np.testing.assert_allclose(potentials[0, 0, 1:], logits[1:], atol=ATOL)


def test_known_word_has_its_own_vector_and_all_others_share_one() -> None:
    config = replace(TAGGER, words=1)
    tensors = random_labeller(config).tensors()
    tensors["embedding.weight"][:] = 0  # all letters are alike
    tensors[HASHES] = split_words(np.array([[5, 6]]), np.array([2]), 2).hashes
    model = LabellerModel(config, tensors)

    found = [
        model.read(np.array([word]), np.array([2]))[0][0, 0]
        for word in ([5, 6], [6, 5], [3, 4])
    ]

    np.testing.assert_array_equal(found[1], found[2])
    assert not np.allclose(found[0], found[1])


# --- building


@every_labeller
def test_model_is_rebuilt_from_its_config_and_tensors(config: LabellerConfig) -> None:
    model = random_labeller(config)

    again = build("labeller", model.config_json(), model.tensors())

    ours, theirs = (one.initial_state(2)[0] for one in (again, model))
    np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize(
    "hashes", [None, np.arange(2), np.array([3, 2, 1]), np.ones(3, np.float32)]
)
def test_hashes_must_be_sorted_and_as_many_as_words(hashes: np.ndarray | None) -> None:
    config = TAGGERS["words"]
    tensors = random_labeller(config).tensors() | {HASHES: hashes}
    tensors = {name: x for name, x in tensors.items() if x is not None}

    with pytest.raises(ValueError, match=r"words\.hashes"):
        LabellerModel(config, tensors)


def test_hashes_may_be_further_apart_than_an_integer_can_tell() -> None:
    config = replace(TAGGER, words=2)
    hashes = np.array([-(2**62) - 1, 2**62 + 1])
    tensors = random_labeller(config).tensors() | {HASHES: hashes}

    assert LabellerModel(config, tensors).config.words == 2


def test_parameters_do_not_include_the_hashes() -> None:
    with_words, without = (
        random_labeller(replace(TAGGER, words=words)).parameters for words in (1, 0)
    )

    # two vectors of 4, and weights for them in both directions of 4 gates of 6 units
    assert with_words - without == 2 * 4 + 2 * 4 * 6 * 4


@pytest.mark.parametrize(
    "values",
    [
        {"words": -1},
        {"source_size": 0},
        {"spans": ("O",)},
        {"read_out": "x"},
        {"per_word": True, "vocab_size": 1},
        {"temperature": 0.0},
        {"crf": True, "vocab_size": 5000},
    ],
)
def test_config_that_cannot_be_is_refused(values: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        LabellerConfig(**{"vocab_size": V, "source_size": 8} | values)


def test_read_outs_of_classifiers_differ() -> None:
    found = [random_labeller(CLASSIFIERS[kind]) for kind in ("last", "mean", "max")]

    states = [model.read(SOURCE, LENGTHS)[0] for model in found]

    assert not np.allclose(states[0], states[1])
    assert not np.allclose(states[1], states[2])
