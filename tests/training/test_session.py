"""Runs and their models: what they begin from, what they keep, what they leave."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from support.networks import evaluate
from support.training import (
    request,
    same,
    train,
    validations,
)

from charrnn.errors import NotFoundError, TextError, UsageError
from charrnn.inference import checkpoint
from charrnn.training import prepare

pytestmark = pytest.mark.usefixtures("small_corpora")


# --- from a model


@pytest.mark.parametrize("name", ["start", "start/model.safetensors"])
def test_run_from_a_model_begins_where_that_ended(name: str) -> None:
    start = train(request(steps=150, lr=0.02, dropout=0, out="start"))

    warm = train(request(steps=1, lr=1e-30, init_from=name))

    assert validations(warm) == pytest.approx([min(validations(start))], rel=1e-5)
    scratch = train(request(steps=1, lr=1e-30))
    assert validations(warm)[0] < validations(scratch)[0] / 2


def test_sizes_that_are_not_those_of_the_model_are_refused() -> None:
    train(request(steps=1, out="start"))

    with pytest.raises(
        UsageError, match="`hidden` is 9, but the model of `init_from` has 8"
    ):
        train(request(init_from="start", hidden=9))

    assert not Path("runs").exists()


def test_model_that_is_missing_is_said() -> None:
    with pytest.raises(NotFoundError, match="nothing"):
        train(request(init_from="nothing"))


def test_run_whose_metrics_are_lost_does_not_begin_at_that_model_again() -> None:
    train(request(steps=1, out="start"))
    asked = request(init_from="start", steps=40)
    whole = train(replace(asked, out="whole"))
    stopped = train(replace(asked, out="stopped"), until=3)
    stopped.run.metrics.unlink()

    train(replace(asked, out="stopped"), until=4)

    assert same(train(replace(asked, out="stopped")), whole)


# --- the model that is kept


def test_model_file_is_the_best_and_not_the_last() -> None:
    # trained on one line only, validated on another: it gets better, then worse
    Path("other.txt").write_text("night and rain, torrents and a dark storm" * 3)
    asked = request(steps=300, lr=0.03, dropout=0, valid=("other.txt",))

    session = train(asked)

    nats = validations(session)
    assert min(nats) < nats[-1]
    network = session.trainer.state.network
    network.load(checkpoint.load(session.run.model).model.tensors())
    score = evaluate(network, session.store.valid)
    assert score.nats_per_token == pytest.approx(min(nats), rel=1e-6)


# --- preparing that fails


@pytest.mark.parametrize("out", ["", "deep/folder"])
@pytest.mark.parametrize("error", [TextError("no"), KeyboardInterrupt()], ids=repr)
def test_run_that_could_not_be_prepared_leaves_no_folder(
    out: str, error: BaseException, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise error

    monkeypatch.setattr(prepare, "complete", fail)

    with pytest.raises(type(error)):
        train(request(out=out))

    assert not Path(out or "runs/file-001").exists()


def test_folder_that_was_there_before_is_not_removed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    Path("mine").mkdir()
    Path("mine/thesis.tex").write_text("all my work")
    Path("short.txt").write_text("")

    with pytest.raises(TextError):
        train(request(out="mine", valid=("short.txt",)))

    assert Path("mine/thesis.tex").read_text() == "all my work"


def test_training_leaves_the_settings_of_the_process_as_they_were() -> None:
    threads = torch.get_num_threads()

    train(request(steps=1, threads=threads + 1))

    assert torch.get_num_threads() == threads
    smallest = torch.tensor(2.0**-130)  # denormal in float32
    assert (smallest * 1).item() > 0
