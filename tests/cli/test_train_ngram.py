"""`charrnn train --family ngram`: counting goes the way of all training."""

import json
import subprocess
import sys
from math import log
from pathlib import Path
from typing import Any

import pytest
from support.training import TEXTS

import charrnn as package
from charrnn.storage.runs import Run

HELD_OUT = "it was a night\na dark and stormy one"


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
        result = charrnn("train", *corpus, "--family", "ngram", *args)
        assert result.exit_code == 0, result.stderr
        return result

    return run


def events(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


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
    assert done["best"]["tokens"] == total["tokens"]
    assert done["best"]["nats_per_token"] == pytest.approx(
        total["bits_per_token"] * log(2)
    )


def test_same_command_again_leaves_the_run_alone(ngram: Any) -> None:
    ngram()
    model = Path("runs/file-001/model.safetensors")
    before = model.stat().st_mtime_ns

    result = ngram("--seed", "1")

    assert "runs/file-001 is already finished; nothing was changed" in result.stderr
    assert "--time" not in result.stderr
    assert model.stat().st_mtime_ns == before


def test_other_orders_and_smoothings_are_other_runs(ngram: Any) -> None:
    options = [["--order", "2"], ["--order", "3"], ["--smoothing", "addk"]]

    runs = [ngram(*one).stdout for one in options]

    assert len(set(runs)) == len(options)


def test_fit_that_was_killed_begins_anew(ngram: Any) -> None:
    ngram()
    run = Run(Path("runs/file-001"))
    info, lines = run.read_info(), run.metrics.read_text().splitlines()
    run.write_info({name: info[name] for name in info if name != "best"})
    run.model.unlink()

    ngram()

    assert package.load("file-001").model.family == "ngram"
    assert run.read_info()["best"] == info["best"]
    assert len(run.metrics.read_text().splitlines()) == len(lines)


@pytest.mark.parametrize("options", [(), ("--smoothing", "addk", "--k", "0.5")])
def test_plan_of_an_ngram_run_brings_its_options(
    options: tuple[str, ...], ngram: Any, charrnn: Any
) -> None:
    ngram("--order", "3", *options)

    charrnn("train", "file.txt", "--config", "runs/file-001")

    first, again = (package.load(f"runs/file-00{k}").model for k in (1, 2))
    assert again.config_json() == first.config_json()


def test_counting_never_imports_torch() -> None:
    code = "import sys, charrnn; charrnn.train('file.txt', family='ngram')\n"
    code += "sys.exit('torch' in sys.modules)"

    done = subprocess.run([sys.executable, "-c", code], timeout=30)

    assert done.returncode == 0


@pytest.mark.parametrize(("documents", "order"), [("file", 7), ("line", 6)])
def test_order_that_is_not_given_suits_the_documents_and_is_said(
    documents: str, order: int, ngram: Any
) -> None:
    said = ngram(documents=documents).stderr

    assert f"{order}-gram kneser-ney" in said
    assert f"because  order {order}: " in said


# --- what makes no sense


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("--family ngram --cell gru", "--cell does not apply to --family ngram"),
        ("--family ngram --time 1m", "--time does not apply to --family ngram"),
        ("--family ngram --threads 1", "--threads does not apply to --family ngram"),
        ("--order 3", "--order does not apply to --family recurrent"),
        ("--smoothing mle", "--smoothing does not apply to --family recurrent"),
        ("--family ngram --k 2", "--k is 2, but --smoothing is kneser-ney"),
        ("--family ngram --order 0", "--order is "),
        ("--family ngram --smoothing addk --k 0", "--k is "),
        ("--family ngrm", "--family is 'ngrm'"),
        ("--family ngram --smoothing kn", "--smoothing is 'kn'"),
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
    assert "counts has the family ngram" in result.stderr


@pytest.mark.parametrize(
    "given",
    [
        "--cell gru",
        "--layers 2",
        "--tie",
        "--norm",
        "--smoothing mle",
        "--learned-state",
    ],
)
def test_option_of_another_family_is_refused_for_a_window(
    given: str, charrnn: Any
) -> None:
    result = charrnn("train", "file.txt", "--family", "window", *given.split())

    assert result.exit_code == 2
    flag = given.split()[0]
    assert f"error: {flag} does not apply to --family window" in result.stderr


# --- impossible texts


def test_text_that_ends_as_nothing_can_follow_is_said(ngram: Any, charrnn: Any) -> None:
    Path("unknown-first").write_text("Q" + "the rain fell on the boat. " * 20)
    charrnn("train", "unknown-first", "--family", "ngram", "--smoothing", "mle")

    result = charrnn("sample", "-n", "9", "--seed", "1")

    assert result.exit_code == 0
    assert not result.stdout.strip()
    assert result.stderr.count("every allowed token had zero probability") == 1


def test_text_that_mle_thinks_impossible_costs_infinitely_many_bits(
    ngram: Any, charrnn: Any
) -> None:
    said = ngram("--smoothing", "mle", "--valid", "held-out").stderr

    assert "valid inf bits/char" in said
    assert charrnn("score", "zzz").stdout.split()[:3] == ["inf"] * 3
    assert charrnn("score", "zzz", "--plain").stdout == "inf\n"
    assert "inf" in charrnn("runs").stdout


def test_infinity_is_null_in_json(ngram: Any, charrnn: Any) -> None:
    *_, done = events(
        ngram("--smoothing", "mle", "--valid", "held-out", "--json").stdout
    )
    scored = charrnn("score", "zzz", "--json").stdout

    assert done["best"]["bits_per_char"] is None
    assert json.loads(scored)["bits"] is None
    for text in (scored, *map(Path.read_text, Path("runs/file-001").glob("*.json*"))):
        assert "Infinity" not in text


@pytest.mark.parametrize("given", ["--temp 1", "--temp 0", "--top-k 3", "--top-p 0.9"])
def test_text_ends_where_all_that_may_be_written_is_impossible(
    given: str, charrnn: Any, ngram: Any
) -> None:
    # only an unknown word was ever the first one, and unknown ones are never written
    Path("file.txt").write_text("odd" + " a b c" * 40)
    ngram("--smoothing", "mle", "--level", "word")

    result = charrnn("sample", "-l", "9", "--seed", "1", *given.split(), "--json")

    sample = json.loads(result.stdout)
    assert (sample["text"], sample["finish"], sample["nats"]) == ("", "end", None)
