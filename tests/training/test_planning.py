"""A plan completes what was given, without training."""

from collections.abc import Mapping
from typing import Any

from charrnn.models.recipe import CorpusStatistics
from charrnn.training.config import TrainConfig
from charrnn.training.plan import complete


class FakeMachine:
    """A machine with two threads that never runs out of memory."""

    device, precision, reason = "cpu", "fp32", "because"

    def check_memory(
        self,
        shapes: Mapping[str, tuple[int, ...]],
        training: TrainConfig,
        longest: int,
    ) -> None:
        """Have enough."""

    def threads(self, family: str, model: Any, training: TrainConfig) -> int:
        return 2


def training_of(given: dict[str, Any], tokens: int = 1_000_000) -> TrainConfig:
    data = CorpusStatistics(tokens, vocab_size=66)
    plan = complete("recurrent", data, {}, given, FakeMachine())
    assert plan.training
    return plan.training


def test_run_without_a_budget_takes_five_minutes() -> None:
    assert training_of({}).time_s == 300


def test_given_values_are_kept() -> None:
    given = {"steps": 7, "lr": 0.5, "batch": 3, "threads": 1, "dropout": 0.25}

    training = training_of(given)

    assert {name: getattr(training, name) for name in given} == given
    assert training.dropout_rise == 0


def test_small_corpus_without_a_budget_is_capped_to_avoid_overfitting() -> None:
    data = CorpusStatistics(tokens=30_000, vocab_size=66)

    plan = complete("recurrent", data, {}, {}, FakeMachine())

    assert plan.training
    assert plan.training.max_epochs == 14
    assert "capped at 14 epochs to avoid overfitting" in plan.reasons


def test_budget_that_was_given_is_not_capped() -> None:
    assert training_of({"time_s": 300.0}, tokens=30_000).max_epochs == 0


def test_counting_needs_no_machine() -> None:
    plan = complete("ngram", CorpusStatistics(10**6, 66), {}, {})

    assert plan.training is None
    assert plan.reasons == ("order 7: the vocabulary is small",)
