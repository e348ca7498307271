"""`charrnn train --model ngram`: counting goes the way of all training."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from training_for_tests import TEXTS

import charrnn as package
from charrnn.config import MODELS
from charrnn.runs import Run
from charrnn.training.families import FAMILIES

HELD_OUT = "it was a night\na dark and stormy one\n"


@pytest.fixture(autouse=True)
def corpora(bare_setting: Path) -> None:
    for documents, text in TEXTS.items():
        Path(f"{documents}.txt").write_text(text)
    Path("held-out").write_text(HELD_OUT)


@pytest.fixture
def ngram(charrnn: Any) -> Any:
    """Train an n-gram model in this process."""

    def run(*args: str, documents: str = "file") -> Any:
        corpus = (f"{documents}.txt", "--documents", documents)
        result = charrnn("train", *corpus, "--model", "ngram", *args)
        assert result.exit_code == 0, result.stderr
        return result

    return run


def events(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_models_to_choose_from_are_the_families_that_can_be_trained() -> None:
    assert tuple(FAMILIES) == MODELS


# --- as other training


def test_stdout_is_the_run_folder_and_nothing_else(ngram: Any) -> None:
    assert ngram().stdout == "runs/file-001\n"


def test_run_folder_holds_a_model_and_nothing_to_go_on_from(ngram: Any) -> None:
    ngram("-o", "here")

    names = {path.name for path in Path("here").iterdir()}
    assert names == {"lock", "metrics.jsonl", "model.safetensors", "run.json", "tokens"}


def test_events_are_those_of_a_training_without_steps(ngram: Any) -> None:
    found = events(ngram("--json").stdout)

    assert [e["event"] for e in found] == ["start", "validation", "sample", "done"]
    assert found == events(Run(Path("runs/file-001")).metrics.read_text())
    assert found[-1]["best"].items() >= {"step": 0, "tokens": 83}.items()


@pytest.mark.parametrize("documents", TEXTS)
def test_validation_is_what_score_gives_the_held_out_text(
    documents: str, ngram: Any, charrnn: Any
) -> None:
    *_, done = events(
        ngram("--valid", "held-out", "--json", documents=documents).stdout
    )

    ways = {"file": ["--whole"], "line": []}[documents]
    scored = charrnn("score", "-f", "held-out", *ways, "--per", "total", "--json")
    total = json.loads(scored.stdout)
    # a file is scored without its final newline, a line's end is one more token
    expected = total["nats"] / total["tokens"]
    if documents == "line":
        assert done["best"]["nats_per_token"] == pytest.approx(expected)
    assert done["best"]["tokens"] == total["tokens"] + (documents == "file")


def test_same_command_again_leaves_the_run_alone(ngram: Any) -> None:
    ngram()
    model = Path("runs/file-001/model.safetensors")
    before = model.stat().st_mtime_ns

    result = ngram("--seed", "1")

    assert "runs/file-001 is finished; left as it is" in result.stderr
    assert "--time" not in result.stderr
    assert model.stat().st_mtime_ns == before


def test_other_orders_and_smoothings_are_other_runs(ngram: Any) -> None:
    options = [["--order", "2"], ["--order", "3"], ["--smoothing", "addk"]]

    runs = [ngram(*one).stdout for one in options]

    assert len(set(runs)) == len(options)


def test_fit_that_was_killed_begins_anew(ngram: Any) -> None:
    ngram()
    run = Run(Path("runs/file-001"))
    whole, lines = run.model.read_bytes(), run.metrics.read_text().splitlines()
    info = run.read_info()
    run.write_info({name: info[name] for name in info if name != "best"})
    run.model.unlink()

    ngram()

    assert run.model.read_bytes()
    assert len(run.metrics.read_text().splitlines()) == len(lines)
    assert run.read_info()["best"] == info["best"]
    assert len(run.model.read_bytes()) == len(whole)


def test_plan_of_an_ngram_run_brings_its_options(ngram: Any, charrnn: Any) -> None:
    ngram("--order", "3", "--smoothing", "addk", "--k", "0.5")

    charrnn("train", "file.txt", "--plan", "runs/file-001")

    first, again = (package.load(f"runs/file-00{k}").model for k in (1, 2))
    assert again.config_json() == first.config_json()


def test_counting_never_imports_torch() -> None:
    code = "import sys, charrnn; charrnn.train('file.txt', model='ngram')\n"
    code += "sys.exit('torch' in sys.modules)"

    done = subprocess.run([sys.executable, "-c", code], timeout=30)

    assert done.returncode == 0


# --- what makes no sense


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("--model ngram --cell gru", "--cell makes no sense with --model ngram"),
        ("--model ngram --time 1m", "--time makes no sense with --model ngram"),
        ("--model ngram --threads 1", "--threads makes no sense with --model ngram"),
        ("--order 3", "--order makes no sense with --model recurrent"),
        ("--smoothing mle", "--smoothing makes no sense with --model recurrent"),
        ("--model ngram --k 2", "--k makes no sense with --smoothing kneser-ney"),
        ("--model ngram --order 0", "--order is "),
        ("--model ngram --smoothing addk --k 0", "--k is "),
        ("--model ngrm", "--model is 'ngrm'"),
        ("--model ngram --smoothing kn", "--smoothing is 'kn'"),
    ],
)
def test_option_that_makes_no_sense_is_a_usage_error(
    given: str, said: str, charrnn: Any
) -> None:
    result = charrnn("train", "file.txt", *given.split())

    assert result.exit_code == 2
    assert f"error: {said}" in result.stderr
    assert not Path("runs").exists()


def test_counts_are_no_weights_to_start_from(ngram: Any, charrnn: Any) -> None:
    ngram("-o", "counts")

    result = charrnn("train", "file.txt", "--init-from", "counts", "-o", "warm")

    assert result.exit_code == 2
    assert "--init-from counts is of the family ngram" in result.stderr


# --- impossible texts


def test_text_that_mle_thinks_impossible_costs_infinitely_many_bits(
    ngram: Any, charrnn: Any
) -> None:
    said = ngram("--smoothing", "mle", "--valid", "held-out").stderr

    assert "valid inf bits/char" in said
    assert charrnn("score", "zzz").stdout.split()[0] == "inf"
