"""Naive Bayes beside a classifier: multiplied with it, or only named at the end."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.training import metrics, request, same, train, validations

from charrnn.data.example_batches import inputs_of, texts_of
from charrnn.data.parts import hold_out
from charrnn.errors import TextError, UsageError
from charrnn.inference import checkpoint
from charrnn.inference.prediction.predicting import example_predictions
from charrnn.models.base import log_softmax
from charrnn.models.bayes.model import BayesModel
from charrnn.models.product import ProductModel
from charrnn.storage.runs import Run
from charrnn.training import bayes_partner
from charrnn.training import prepare as training
from charrnn.training.bayes_partner import product_weights
from charrnn.training.gradient_session import GradientSession
from charrnn.training.prepare import open_session
from charrnn.training.request import Request

FILE = "names.tsv"
LEARNING = {"lr": 0.02, "steps": 60}  # enough for the network to have a weight


@pytest.fixture(autouse=True)
def names(bare_setting: Path) -> None:
    """Write names in two languages, a tenth of them with the wrong one."""
    rng = np.random.default_rng(0)
    lines = []
    for k in range(240):
        syllables = ["ba", "do", "ki", "mo"] if k % 2 else ["ben", "tor", "kim", "mas"]
        name = "".join(rng.choice(syllables, 3))
        lines.append(f"{name}\t{'ab'[k % 2 ^ (rng.random() < 0.1)]}\n")
    Path(FILE).write_text("".join(lines))


def mixed(until: int = 10**9, **given: Any) -> GradientSession:
    """Return the session of a classifier and naive Bayes."""
    return trained(until, with_ngram=True, **given)


def trained(until: int = 10**9, **given: Any) -> GradientSession:
    session = train(asked(**given), until=until)
    assert isinstance(session, GradientSession)
    return session


def asked(**given: Any) -> Request:
    return request("", paths=(FILE,), task="classify", hidden=8, embed=4, **given)


def members(session: GradientSession) -> tuple[Any, ...]:
    model = checkpoint.load(session.run.model).model
    assert isinstance(model, ProductModel)
    return model.members


# --- multiplied


def test_model_file_is_a_product_that_predicts_as_well_as_reported() -> None:
    session = mixed(**LEARNING)

    model = checkpoint.load(session.run.model)

    reported = model.summary.validation
    assert reported["nats_per_token"] in validations(session)
    both = reported["members"]
    assert [one["name"] for one in both] == ["labeller lstm 1x8", "naive Bayes"]
    used = [one for one in both if one["weight"]]
    assert model.model.weights == tuple(one["weight"] for one in used)
    models = [model.model, *members(session)]
    for one, said in zip(models, [reported, *used], strict=True):
        nats, best = example_predictions(one, session.store.valid)
        measured = session.task.measure(
            nats, session.store.valid, best, session.tokenizer
        )
        assert measured.loss_nats == pytest.approx(said["nats_per_token"], rel=1e-5)
        assert measured.right == round(said["accuracy"] * said["examples"])


def test_examples_that_find_the_weights_train_no_network() -> None:
    session = mixed(steps=1)
    kept, held = hold_out(session.store.train)

    assert len(held.lengths)
    reads = session.source_tokenizer
    assert reads
    seen, unseen = (set(texts_of(inputs_of(one), reads)) for one in (kept, held))
    assert not seen & unseen
    stages = session.trainer.stages
    tokens = [stages.batch(0, k).tokens for k in range(stages.steps(1))]
    assert sum(tokens) == kept.targets


def test_naive_bayes_that_is_kept_counts_all_training_examples() -> None:
    session = mixed(steps=1)

    bayes = members(session)[-1]

    whole = BayesModel.fit(bayes.config, session.store.train, session.tokenizers)
    assert whole.config == bayes.config
    for name, array in whole.tensors().items():
        np.testing.assert_array_equal(bayes.tensors()[name], array)


@pytest.mark.parametrize("until", [1, 37])
def test_run_that_was_stopped_ends_as_one_that_was_not(until: int) -> None:
    whole = mixed(out="whole", **LEARNING)
    mixed(out="parts", until=until, **LEARNING)
    parts = mixed(out="parts", **LEARNING)

    assert same(whole, parts)
    assert metrics(whole) == metrics(parts)
    one, other = (checkpoint.load(run.run.model).model for run in (whole, parts))
    assert one.config_json() == other.config_json()
    for name, array in one.tensors().items():
        np.testing.assert_array_equal(array, other.tensors()[name])


@pytest.mark.parametrize("nth", [1, 3])
def test_run_that_was_killed_in_a_validation_ends_as_one_that_was_not(
    nth: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = mixed(out="whole", save_every_s=1e-9, **LEARNING)
    left = iter(range(nth))

    def kill(*arguments: Any) -> Any:
        if next(left) == nth - 1:
            raise SystemExit
        return product_weights(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(bayes_partner, "product_weights", kill)
        with pytest.raises(SystemExit):
            mixed(out="parts", save_every_s=1e-9, **LEARNING)
    parts = mixed(out="parts", save_every_s=1e-9, **LEARNING)

    assert same(whole, parts)
    assert metrics(whole) == metrics(parts)


def test_validation_is_planned_by_the_tokens_that_it_reads() -> None:
    session = mixed(steps=1)
    assert session.partner

    parts = (session.store.valid, session.partner.held)

    read = sum(part.targets + inputs_of(part).targets for part in parts)
    assert session.partner.tokens == read > 5 * session.store.valid.targets


def test_run_that_was_stopped_while_it_counts_ends_as_one_that_was_not() -> None:
    whole = mixed(out="whole", steps=3)
    with open_session(asked(with_ngram=True, out="stopped", steps=3)) as session:
        kinds = [event.kind for event in session.train(lambda: True)]

    assert kinds == ["start", "save"]
    assert same(mixed(out="stopped", steps=3), whole)


def test_network_of_a_product_can_be_trained_further() -> None:
    start = mixed(out="start", **LEARNING)

    warm = trained(steps=1, lr=1e-30, dropout=0, init_from="start")

    nats, _ = example_predictions(members(start)[0], start.store.valid)
    assert validations(warm) == pytest.approx([nats.mean()], rel=1e-4)


@pytest.mark.parametrize("task", ["tag", "translate"])
def test_other_tasks_have_no_model_to_mix_in(task: str) -> None:
    with pytest.raises(UsageError, match=f"`with_ngram` does not apply .* {task}"):
        request("", paths=(FILE,), task=task, with_ngram=True)


def test_order_of_n_grams_does_not_apply_to_naive_bayes() -> None:
    with pytest.raises(UsageError, match="`ngram_order` does not apply"):
        mixed(ngram_order=3)


def test_inputs_that_are_all_equal_cannot_be_held_out() -> None:
    Path(FILE).write_text("a\tx\na\ty\na\tz\nb\tx\n")

    with pytest.raises(TextError, match="cannot hold out any of"):
        mixed(steps=1)


# --- weights


def drawn(size: int, weights: list[float]) -> tuple[np.ndarray, np.ndarray]:
    """Return log-probabilities (N, M, V), and labels drawn from their product."""
    rng = np.random.default_rng(0)
    scores = rng.normal(0, 2, (size, len(weights), 4)).astype(np.float32)
    scores[..., 0] = -1e9  # no label is a boundary
    scores = log_softmax(scores)
    sums = np.tensordot(scores, weights, ([1], [0]))
    sums[:, 0] = -np.inf
    return scores, (sums + rng.gumbel(size=sums.shape)).argmax(axis=-1)


def test_weights_are_those_that_labels_were_drawn_with() -> None:
    assert product_weights(*drawn(20_000, [0.8, 0.4])) == pytest.approx(
        [0.8, 0.4], abs=0.04
    )


@pytest.mark.parametrize("useless", [0.0, -0.5])
def test_member_that_does_not_help_has_no_weight(useless: float) -> None:
    scores, right = drawn(20_000, [0.8, useless])

    first, second = product_weights(scores, right)

    assert first > 0.6
    assert second < 0.03


def test_member_without_numbers_has_no_weight() -> None:
    scores, right = drawn(2000, [0.8, 0.4])
    scores[:, 0] = np.nan

    first, second = product_weights(scores, right)

    assert first == 0
    assert second > 0


def test_a_single_member_always_has_a_weight() -> None:
    scores, right = drawn(2000, [-1.0])

    assert product_weights(scores, right)[0] > 0


# --- named at the end


def test_end_of_a_run_compares_the_network_with_naive_bayes() -> None:
    session = trained(steps=1)
    done = metrics(session)[-1]

    counts = Run(training.train((FILE,), task="classify", family="bayes"))

    alone = checkpoint.load(counts.model).summary.validation
    assert done["ngram"]["name"] == "naive Bayes"
    for name in ("nats_per_token", "accuracy", "macro_f1"):
        assert done["ngram"][name] == alone[name]
