"""Counting beside a network: mixed in, or only named at the end of a run."""

from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.networks import target_nats
from support.parts import target_tokens
from support.training import metrics, request, same, train, validations

from charrnn.data.parts import hold_out
from charrnn.errors import TextError, UsageError
from charrnn.inference import baselines, checkpoint
from charrnn.inference.scoring import part_nats, part_score
from charrnn.models.mixture import MixtureModel
from charrnn.models.ngram.config import NgramConfig
from charrnn.models.ngram.model import NgramModel
from charrnn.training import ngram_partner as ngrams
from charrnn.training.gradient_session import GradientSession
from charrnn.training.prepare import open_session

pytestmark = pytest.mark.usefixtures("noise")

every_mode = pytest.mark.parametrize("documents", ["file", "line"])
LEARNING = {"lr": 0.02, "steps": 100}  # enough for the network to have a weight


@pytest.fixture
def noise(small_corpora: None) -> None:
    """Let both texts be noise, which counting has no advantage with."""
    drawn = np.random.default_rng(0).choice(list("aaaabbc\n"), 2000)
    for name in ("file.txt", "line.txt"):
        Path(name).write_text("".join(drawn))


def mixed(documents: str = "file", until: int = 10**9, **given: Any) -> GradientSession:
    """Return the session of a network and an n-gram model."""
    session = train(request(documents, with_ngram=True, **given), until=until)
    assert isinstance(session, GradientSession)
    return session


def members(session: GradientSession) -> tuple[Any, ...]:
    model = checkpoint.load(session.run.model).model
    assert isinstance(model, MixtureModel)
    return model.members


# --- mixed in


@every_mode
def test_model_file_is_a_mixture_that_costs_what_was_said(documents: str) -> None:
    session = mixed(documents, **LEARNING)

    model = checkpoint.load(session.run.model)

    said = model.summary.validation
    assert said["nats_per_token"] == min(validations(session))
    used = [one for one in said["members"] if one["weight"]]
    assert model.model.weights == tuple(one["weight"] for one in used)
    models = [model.model, *members(session)]
    found = [part_score(one, session.store.valid).nats_per_token for one in models]
    assert found == pytest.approx(
        [one["nats_per_token"] for one in (said, *used)], rel=1e-5
    )


@every_mode
def test_piece_that_finds_the_weight_trains_no_network(documents: str) -> None:
    session = mixed(documents, steps=1)
    kept, held = hold_out(session.store.train)

    assert held.targets
    pieces = target_tokens(kept) + target_tokens(held)
    assert sorted(pieces) == sorted(target_tokens(session.store.train))
    stages = session.trainer.stages
    tokens = [stages.batch(0, k).tokens for k in range(stages.steps(1))]
    assert sum(tokens) == kept.targets


def test_n_gram_model_that_is_kept_counts_the_whole_training_part() -> None:
    session = mixed(ngram_order=3)

    ngram = members(session)[-1]

    whole = NgramModel.fit(ngram.config, session.store.train)
    assert ngram.config.order == 3
    for name, array in whole.tensors().items():
        np.testing.assert_array_equal(ngram.tensors()[name], array)


@every_mode
def test_network_and_its_twin_cost_each_target_the_same(documents: str) -> None:
    session = train(request(documents, steps=2))
    assert isinstance(session, GradientSession)
    network, part = session.trainer.state.average, session.store.train

    found = target_nats(network, part)

    np.testing.assert_allclose(found, part_nats(network.model(), part), atol=1e-5)


def test_run_that_was_stopped_ends_as_one_that_was_not() -> None:
    whole = mixed(out="whole", **LEARNING)
    mixed(out="parts", until=37, **LEARNING)
    parts = mixed(out="parts", **LEARNING)

    assert same(whole, parts)
    assert metrics(whole) == metrics(parts)
    files = [checkpoint.load(session.run.model) for session in (whole, parts)]
    configs = [model.model.config_json() for model in files]
    assert configs[0] == configs[1]


def test_run_that_was_stopped_while_it_counts_ends_as_one_that_was_not() -> None:
    whole = mixed(out="whole")
    with open_session(request(with_ngram=True, out="stopped")) as session:
        kinds = [event.kind for event in session.train(lambda: True)]

    assert kinds == ["start", "save"]
    assert same(mixed(out="stopped"), whole)


def test_network_of_a_mixture_can_be_trained_on() -> None:
    start = mixed(out="start", **LEARNING)

    warm = train(request(steps=1, lr=1e-30, dropout=0, init_from="start"))

    network = part_score(members(start)[0], start.store.valid)
    assert validations(warm) == pytest.approx([network.nats_per_token], rel=1e-4)


def test_order_without_an_n_gram_model_is_refused() -> None:
    with pytest.raises(UsageError, match="`ngram_order` is given without"):
        train(request(ngram_order=3))


def test_order_above_what_a_model_may_have_is_refused() -> None:
    with pytest.raises(UsageError, match="`ngram_order` is 65, not in"):
        train(request(with_ngram=True, ngram_order=65))


def test_corpus_that_is_too_long_to_count_is_refused_with_a_way_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ngrams, "MAX_MIXED", 100)

    with pytest.raises(TextError, match="at most 100 tokens") as caught:
        mixed()

    assert "charrnn mix" in caught.value.hint


# --- named at the end


@every_mode
def test_end_of_a_run_names_the_best_n_gram_model_counted_alone(
    documents: str,
) -> None:
    session = train(request(documents, steps=1))
    done = metrics(session)[-1]

    part, valid = session.store.train, session.store.valid
    config = NgramConfig(session.store.vocab_size)
    counted = NgramModel.fit_orders(config, part)
    scores = {
        model.config.order: part_score(model, valid).nats_per_token
        for model in islice(counted, 1, 4)
    }
    said = done["ngram"]["order"], done["ngram"]["nats_per_token"]
    assert said == min(scores.items(), key=lambda pair: pair[1])


def test_corpus_that_is_too_long_is_not_counted_in_passing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(baselines, "MAX_COUNTED", 100)

    assert metrics(train(request(steps=1)))[-1]["ngram"] is None
