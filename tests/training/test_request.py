"""What was asked for, and which run that is."""

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.training import TEXTS

import charrnn
from charrnn.errors import ResourceError, UsageError
from charrnn.storage.runs import Run
from charrnn.training.prepare import open_session
from charrnn.training.request import Request

TINY = {"steps": 4, "hidden": 8, "batch": 2, "bptt": 8, "threads": 1}


@pytest.fixture
def corpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("CHARRNN_RUNS", str(tmp_path / "runs"))
    path = tmp_path / "prose.txt"
    path.write_text(TEXTS["file"])
    return str(path)


def run_of(corpus: str, **options: Any) -> Path:
    with open_session(Request.of([corpus], **(TINY | options))) as session:
        for _ in session.train(lambda: False):
            pass
        return session.run.path


def test_vocabulary_may_turn_out_smaller_than_asked_for(corpus: str) -> None:
    model = charrnn.train(corpus, **TINY, vocab_size=1000)

    assert model.model.vocab_size == model.tokenizer.vocab_size < 1000


def test_training_from_python_returns_the_best_model(corpus: str) -> None:
    model = charrnn.train(corpus, **TINY)

    assert model.score("a text").tokens == 6


def test_path_may_be_a_text_or_a_path_object(corpus: str) -> None:
    names = ("out", "init_from", "tokenizer", "valid")

    objects = Request.of("a", **dict.fromkeys(names, Path("b")))

    assert objects == Request.of(["a"], **dict.fromkeys(names, "b"))
    assert objects.valid == ("b",)
    assert charrnn.train(Path(corpus), **TINY, valid=corpus).name


def test_option_that_does_not_exist_is_refused(corpus: str) -> None:
    with pytest.raises(ValueError, match="no option depth"):
        charrnn.train(corpus, depth=3)


def test_seed_that_is_the_default_is_the_same_run_typed_or_not(corpus: str) -> None:
    assert run_of(corpus) == run_of(corpus, seed=1)


def test_tokenizer_file_counts_by_its_content(corpus: str, tmp_path: Path) -> None:
    file, copy = tmp_path / "a.json", tmp_path / "b.json"
    values = charrnn.train(corpus, **TINY).tokenizer.to_json()
    file.write_text(json.dumps(values))
    copy.write_text(json.dumps(values))
    first = run_of(corpus, tokenizer=str(file))

    assert run_of(corpus, tokenizer=str(copy)) == first

    file.write_text(json.dumps({"level": "byte"}))

    assert run_of(corpus, tokenizer=str(file)) != first


def test_tokenizer_and_options_to_make_one_exclude_each_other(
    corpus: str, tmp_path: Path
) -> None:
    (tmp_path / "t.json").write_text('{"level": "byte"}')

    with pytest.raises(UsageError, match="`level` is also given"):
        run_of(corpus, tokenizer=str(tmp_path / "t.json"), level="word")


def test_damaged_description_of_another_run_does_not_matter(
    corpus: str, tmp_path: Path
) -> None:
    (tmp_path / "runs/other-001").mkdir(parents=True)
    (tmp_path / "runs/other-001/run.json").write_text("{")

    assert run_of(corpus).name == "prose-001"


def test_run_that_is_found_again_is_the_newest(corpus: str, tmp_path: Path) -> None:
    old = Run(run_of(corpus, out=str(tmp_path / "runs/z-001")))
    old.write_info(old.read_info() | {"created": "2020-01-01T00:00:00Z"})
    new = run_of(corpus, new=True)

    assert run_of(corpus) == new


def test_starting_afresh_in_a_folder_takes_its_model_away(
    corpus: str, tmp_path: Path
) -> None:
    folder = run_of(corpus, out=str(tmp_path / "run"))

    request = Request.of([corpus], **TINY, out=str(folder), new=True)
    with open_session(request) as session:
        assert not session.run.model.exists()


def test_finished_run_is_described_after_a_kill_before_the_description(
    corpus: str,
) -> None:
    run = Run(run_of(corpus))
    info = run.read_info()
    run.write_info({key: info[key] for key in info if key != "best"})

    with open_session(Request.of([corpus], **TINY)) as session:
        event = session.done_event()

    assert event.values["best"] == info["best"]
    assert os.path.samefile(event.values["run"], run.path)


def test_folder_with_a_model_of_unknown_origin_is_not_taken(
    corpus: str, tmp_path: Path
) -> None:
    folder = run_of(corpus, out=str(tmp_path / "run"))
    (folder / "run.json").unlink()
    before = (folder / "model.safetensors").read_bytes()

    with pytest.raises(UsageError, match="files named like those of a run"):
        run_of(corpus, out=str(folder))

    assert (folder / "model.safetensors").read_bytes() == before


def test_text_of_another_name_is_another_run(corpus: str) -> None:
    first = run_of(corpus)
    other = Path(corpus).with_name("verse.txt")
    other.write_text(Path(corpus).read_text())

    assert (first.name, run_of(str(other)).name) == ("prose-001", "verse-001")


@pytest.mark.parametrize("out", ["file", "file/run", "link"])
def test_place_that_is_no_folder_is_named(
    out: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("file").touch()
    Path("link").symlink_to("gone")
    message = f"{out.split('/')[0]} is .* folder"

    with pytest.raises(UsageError, match=message):
        Request.of("a.txt", out=out)
    monkeypatch.setenv("CHARRNN_RUNS", out)
    with pytest.raises(UsageError, match=message):
        Request.of("a.txt")


def test_name_of_a_run_has_no_control_characters(tmp_path: Path) -> None:
    request = Request.of(tmp_path / "a\nb\x1b\x9bé.txt")

    assert request.stem == "a_b__é"


def test_network_that_no_memory_holds_is_refused(corpus: str) -> None:
    with pytest.raises(ResourceError, match="training needs about"):
        run_of(corpus, hidden=1_000_000)


def test_more_threads_than_cores_are_refused(corpus: str) -> None:
    with pytest.raises(UsageError, match="`threads` is"):
        run_of(corpus, threads=100_000)


def test_run_is_found_by_its_name(corpus: str) -> None:
    folder = run_of(corpus)

    assert charrnn.load(folder.name).name == str(folder / "model.safetensors")


def test_finished_run_is_left_alone_when_no_budget_is_given(corpus: str) -> None:
    folder = run_of(corpus)
    sizes = {name: TINY[name] for name in TINY if name != "steps"}

    with open_session(Request.of([corpus], **sizes)) as session:
        assert session.run.path == folder
        assert session.finished


def test_numpy_number_is_a_number() -> None:
    request = Request.of("a.txt", hidden=np.int64(8), lr=np.float32(0.5))

    assert request.given == {"hidden": 8, "lr": 0.5}


@pytest.mark.parametrize(
    "given", [{"out": "a\0b"}, {"config": 3}, {"valid": ("a\0",)}], ids=str
)
def test_path_that_cannot_be_one_is_refused(given: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        Request.of("a.txt", **given)
