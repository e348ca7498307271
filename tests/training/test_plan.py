"""The recorded plan of a run repeats it, whatever the machine's speed."""

from dataclasses import replace
from pathlib import Path

import pytest
from support.training import (
    metrics,
    request,
    same,
    train,
)

from charrnn.errors import NotFoundError, UsageError
from charrnn.training.request import Request

pytestmark = pytest.mark.usefixtures("small_corpora")


def plan_of(run: Path, documents: str = "file") -> Request:
    """Return a request for nothing but the plan of a run."""
    return Request.of((f"{documents}.txt",), config=str(run))


@pytest.mark.parametrize("documents", ["file", "line"])
def test_plan_of_a_time_budget_repeats_the_run(documents: str) -> None:
    first = train(request(documents, time_s=0.6, steps=0))

    again = train(plan_of(first.run.path, documents))

    assert again.run.path != first.run.path
    assert again.trainer.state.counters.step == first.trainer.state.counters.step
    assert same(first, again)
    assert [e["event"] for e in metrics(again)] == [e["event"] for e in metrics(first)]


def test_plan_that_was_followed_is_continued_when_interrupted() -> None:
    first = train(request(time_s=0.6, steps=0))
    train(plan_of(first.run.path), until=3)

    again = train(plan_of(first.run.path))

    assert same(first, again)


def test_plan_brings_the_split_of_its_run() -> None:
    first = train(request("line", steps=4))

    again = train(plan_of(first.run.path, "line"))

    assert again.record.split == first.record.split


def test_plan_of_no_run_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="no run"):
        train(plan_of(tmp_path / "nothing"))


def test_options_beside_a_plan_win_over_it() -> None:
    first = train(request(steps=4))
    config = str(first.run.path)

    again = train(Request.of("file.txt", config=config, lr=0.1, seed=2))

    assert again.trainer.config.lr == 0.1
    assert again.trainer.config.seed == 2
    assert again.trainer.config.bptt == first.trainer.config.bptt
    assert again.trainer.state.schedule.marks == first.trainer.state.schedule.marks


def test_budget_beside_a_plan_makes_a_new_one() -> None:
    first = train(request(steps=4))

    again = train(Request.of("file.txt", config=str(first.run.path), steps=6))

    assert again.trainer.state.counters.step == 6


def test_plan_from_a_model_that_has_changed_is_refused() -> None:
    train(request(steps=2, out="start"))
    first = train(request(steps=4, init_from="start"))
    again = train(replace(plan_of(first.run.path), out="again"))
    train(request(steps=6, out="start"))

    assert same(first, again)
    with pytest.raises(UsageError, match="which has changed"):
        train(replace(plan_of(first.run.path), out="once more"))


def test_plan_is_found_by_the_name_of_its_run() -> None:
    first = train(request(steps=4))

    assert same(first, train(plan_of(Path(first.run.path.name))))


def test_plan_brings_the_validation_text_of_its_run() -> None:
    first = train(request(steps=4, valid=("line.txt",)))

    again = train(plan_of(first.run.path))

    assert again.record.corpus.valid == ["line.txt"]
    assert same(first, again)


def test_another_family_beside_a_plan_takes_what_applies_to_it() -> None:
    first = train(request(steps=4))
    config = str(first.run.path)

    asked = Request.of("file.txt", config=config, family="window")

    assert asked.given["hidden"] == first.config.hidden
    assert "layers" not in asked.given
