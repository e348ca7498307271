"""Runs that stop and go on: exactly, from their last save, under the plan asked for."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.training import (
    STEPS,
    TEXTS,
    files_of,
    metrics,
    request,
    same,
    train,
)

from charrnn.errors import BusyError, ModelFileError, UsageError
from charrnn.tokenizers import loading as tokenizers
from charrnn.tokenizers.config import TokenizerConfig
from charrnn.training.prepare import open_session

pytestmark = pytest.mark.usefixtures("small_corpora")


@pytest.fixture(scope="module")
def subwords(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the file of a subword tokenizer, learned once."""
    config = TokenizerConfig(level="subword", vocab_size=300)
    tokenizer = tokenizers.fit(TEXTS.values(), config)
    path = tmp_path_factory.mktemp("subwords") / "tokenizer.json"
    path.write_text(json.dumps(tokenizer.to_json()))
    return path


# --- exactly


@pytest.mark.parametrize(
    ("cell", "level", "documents"),
    [
        ("gru", "char", "file"),
        ("gru", "subword", "line"),
        ("lstm", "char", "line"),
        ("lstm", "subword", "file"),
        ("mingru", "char", "file"),
        ("mingru", "subword", "line"),
        ("elman", "char", "line"),
        ("elman", "subword", "file"),
    ],
)
def test_stopped_run_ends_as_one_that_was_not_stopped(
    cell: str, level: str, documents: str, subwords: Path
) -> None:
    tokenizer = str(subwords) if level == "subword" else ""
    # any step: each case draws its own, the same at every run of the test
    step = int(
        np.random.default_rng([*map(ord, cell + level + documents)]).integers(1, STEPS)
    )
    asked = request(documents, cell=cell, tokenizer=tokenizer)
    whole = train(replace(asked, out="whole"))

    train(replace(asked, out="parts"), until=step)
    parts = train(replace(asked, out="parts"))

    assert same(whole, parts), f"stopped after step {step}"
    assert metrics(whole) == metrics(parts)


@pytest.mark.parametrize("documents", ["file", "line"])
def test_run_can_be_stopped_after_every_step(documents: str) -> None:
    asked = request(documents, layers=2, learned_state=True)
    whole = train(replace(asked, out="whole"))

    for step in range(1, STEPS + 1):
        train(replace(asked, out="parts"), until=step)
    parts = train(replace(asked, out="parts"))

    assert same(whole, parts)
    assert metrics(whole) == metrics(parts)


@pytest.mark.parametrize("saved", [0, 3, 12])
def test_killed_run_goes_on_from_its_last_save(saved: int) -> None:
    asked = request(save_every_s=1000.0)
    whole = train(replace(asked, out="whole"))

    if saved:
        train(replace(asked, out="parts"), until=saved)
    killed = train(replace(asked, out="parts"), until=17, saves=False)
    assert metrics(killed)[-1]["step"] > saved
    parts = train(replace(asked, out="parts"))

    assert same(whole, parts)
    assert metrics(whole) == metrics(parts)


def test_line_that_was_cut_by_a_kill_is_removed() -> None:
    asked = request(out="parts")
    session = train(asked, until=10)
    with session.run.metrics.open("a") as file:
        file.write('{"event": "step", "st')

    train(asked)

    assert metrics(session) == metrics(train(request(out="whole")))


def test_other_pace_of_saving_goes_on_exactly() -> None:
    whole = train(request(out="whole"))

    train(request(out="parts"), until=7)
    parts = train(request(out="parts", save_every_s=0.001))

    assert same(whole, parts)


# --- finished, further, afresh


def test_finished_run_is_left_alone() -> None:
    session = train(request())
    before = files_of(session)

    with open_session(request()) as again:
        assert again.finished

    assert files_of(session) == before


@pytest.mark.parametrize("steps", [1, STEPS - 1])
def test_finished_run_is_left_alone_by_a_smaller_budget(steps: int) -> None:
    train(request())

    with open_session(request(steps=steps)) as again:
        assert again.finished


def test_run_without_patience_left_is_left_alone() -> None:
    asked = request(steps=40, lr=1e-30, patience=1)
    first = train(asked)
    assert first.trainer.state.counters.step == 8

    with open_session(asked) as again:
        assert again.finished


def test_larger_budget_trains_a_finished_run_further() -> None:
    first = train(request())

    second = train(request(steps=35))

    assert second.run == first.run
    assert second.trainer.state.counters.step == 35
    assert [line["steps"] for line in metrics(second) if line["event"] == "done"] == [
        STEPS,
        35,
    ]
    assert second.run.read_info()["training"]["steps"] == 35


def test_budget_of_a_run_that_has_not_begun_can_be_changed() -> None:
    with open_session(request()):
        pass  # prepared, and stopped before the first step

    assert train(request(steps=25)).trainer.state.counters.step == 25


@pytest.mark.parametrize("done", [9, STEPS])
def test_larger_budget_is_kept_when_it_is_killed_before_a_save(done: int) -> None:
    train(request(), until=done)
    train(request(steps=35, save_every_s=1000.0), until=done + 3, saves=False)

    assert train(request(steps=35)).trainer.state.counters.step == 35


def test_patience_can_be_changed_on_the_way() -> None:
    train(request(steps=40, lr=1e-30), until=9)

    session = train(request(steps=40, lr=1e-30, patience=2))

    assert session.trainer.state.counters.step == 12


def test_new_makes_another_run() -> None:
    first = train(request())

    second = train(request(new=True))

    assert [s.run.path.name for s in (first, second)] == ["file-001", "file-002"]
    assert same(first, second)


def test_new_in_the_same_folder_starts_afresh() -> None:
    train(request(out="here"), until=9)

    again = train(request("line", out="here", new=True))

    assert metrics(again) == metrics(train(request("line", out="there")))


def test_newest_run_of_the_same_request_goes_on() -> None:
    train(request())
    second = train(request(new=True), until=5)

    assert train(request()).run == second.run


@pytest.mark.parametrize(
    "other",
    [
        {"lr": 0.001},
        {"seed": 2},
        {"batch": 3},
        {"cell": "elman"},
        {"hidden": 9},
        {"level": "byte"},
        {"valid_frac": 0.2},
        {"valid": ("line.txt",)},
    ],
    ids=str,
)
def test_other_options_make_another_run(other: dict[str, Any]) -> None:
    first = train(request(), until=2)

    assert train(request(**other), until=2).run != first.run


@pytest.mark.parametrize("other", [{"documents": "line"}, {"lr": 0.001}], ids=str)
def test_folder_of_another_run_is_refused_and_left_alone(other: dict[str, Any]) -> None:
    session = train(request(out="here"), until=5)
    before = files_of(session)

    with pytest.raises(UsageError, match="here contains a run"):
        train(request(out="here", **other))

    assert files_of(session) == before


@pytest.mark.parametrize("name", ["run.json", "metrics.jsonl", "resume.safetensors"])
def test_folder_with_files_of_another_program_is_left_alone(name: str) -> None:
    Path("mine").mkdir()
    Path("mine", name).write_text("precious")

    with pytest.raises(UsageError, match="files named like those of a run"):
        train(request(out="mine"))

    assert Path("mine", name).read_text() == "precious"
    assert [path.name for path in Path("mine").iterdir() if path.name != "lock"] == [
        name
    ]


def test_run_whose_folder_another_process_made_anew_is_left_to_it() -> None:
    with open_session(request(out="run")) as session:
        events = session.train(lambda: False)
        next(events)
        (session.run.path / "lock").write_text("process 1 since 1970-01-01")

        with pytest.raises(BusyError, match="now in use by process 1 since"):
            list(events)

    assert not session.run.model.exists()


@pytest.mark.parametrize(
    "damage",
    [
        {"family": "fish"},
        {"family": "ngram"},
        {"model": {}},
        {"tokenizer": 5},
        {"training": {"batch": "many"}},
    ],
    ids=str,
)
def test_description_that_makes_no_sense_is_damage(damage: dict[str, Any]) -> None:
    session = train(request(out="run"), until=2)
    session.run.write_info(session.run.read_info() | damage)

    with pytest.raises(ModelFileError, match="damaged run.json"):
        train(request(out="run"))


@pytest.mark.parametrize("name", ["train.tokens", "valid.tokens", "valid.lengths"])
def test_token_that_has_changed_on_the_disk_is_damage(name: str) -> None:
    session = train(request(out="run"), until=2)
    path = session.run.tokens / name
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)

    with pytest.raises(ModelFileError, match=f"{name} does not match its checksum"):
        train(request(out="run"))
