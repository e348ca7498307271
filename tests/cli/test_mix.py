"""`charrnn mix` and `charrnn score --mix`: models combined into one."""

import json
from pathlib import Path
from typing import Any

import pytest
from conftest import TEXT, random_model, save_run
from support.ngrams import fit_ngrams

import charrnn as library
from charrnn.inference import checkpoint
from charrnn.inference.text_model import TextModel
from charrnn.models.ngram.config import NgramConfig

OUT = "mixed.safetensors"
NEW = "jackdaws love my big sphinx of quartz, reader...\n"  # 50 tokens with its end


def counted(text: str = TEXT) -> TextModel:
    """Return a 3-gram model with the tokenizer of `random_model()`."""
    tokenizer = random_model().tokenizer
    config = NgramConfig(tokenizer.vocab_size, 3)
    ngram = fit_ngrams([tokenizer.encode(text).tolist()], config)
    return TextModel(ngram, tokenizer)


@pytest.fixture
def two_runs(bare_setting: Path) -> list[str]:
    """A random network, and an n-gram model of the text, as runs."""
    Path("text.txt").write_text(NEW)
    models = {"network-001": random_model(), "ngram-001": counted()}
    return [str(save_run(model, name)) for name, model in models.items()]


def test_mixture_is_a_model_file_with_mean_probabilities(
    charrnn: Any, two_runs: list[str]
) -> None:
    result = charrnn("mix", *two_runs, "-o", OUT, "--weights", "0.25,0.75")

    assert result.stdout == f"{OUT}\n"
    nats = [library.load(path).score("the", end=False) for path in (*two_runs, OUT)]
    assert library.load(OUT).model.family == "mixture"
    assert library.load(OUT).learned_end
    assert nats[2].nats < max(nats[0].nats, nats[1].nats)


def test_weights_are_fitted_on_one_half_and_the_other_is_scored(
    charrnn: Any, two_runs: list[str]
) -> None:
    result = charrnn("mix", *two_runs, "-o", OUT, "-f", "text.txt")

    first, second, *scores = result.stderr.splitlines()[:6]
    assert first == "fitting weights on half of text.txt: 25 tokens"
    assert second == "scores on the other half of text.txt: 25 tokens"
    shares = [float(row.split()[0]) for row in scores[1:3]]
    assert sum(shares) == pytest.approx(1, abs=0.002)
    found = library.load(OUT).score(NEW[:25], end=False).bits_per_char
    assert scores[3].split()[:1] == [f"{found:.3f}"]


def test_json_has_the_weights_and_the_score(charrnn: Any, two_runs: list[str]) -> None:
    result = charrnn("mix", *two_runs, "-o", OUT, "-f", "text.txt", "--json")

    found = json.loads(result.stdout)
    assert [one["model"] for one in found["members"]] == two_runs
    assert sum(one["weight"] for one in found["members"]) == pytest.approx(1)
    assert found["tokens"] == 25


def test_member_with_negligible_weight_is_left_out(
    charrnn: Any, two_runs: list[str]
) -> None:
    result = charrnn("mix", *two_runs, "-o", OUT, "--weights", "0.0001,0.9999")

    assert "left out runs/network-001: its weight is 0.0001" in result.stderr
    (ngram,) = library.load(OUT).model.config_json()["members"]
    assert ngram["family"] == "ngram"


def test_weights_are_fitted_on_the_validation_text_of_the_first_run(
    charrnn: Any, two_runs: list[str]
) -> None:
    Path("corpus.txt").write_text(TEXT * 9)
    small = ("--hidden", 4, "--steps", 1, "--threads", 1, "--precision", "fp32")
    runs = [
        charrnn("train", "corpus.txt", "-q", "--seed", seed, *small).stdout.strip()
        for seed in (1, 2)
    ]

    result = charrnn("mix", *runs, "-o", OUT)

    lines = result.stderr.splitlines()
    text = f"the validation text of {runs[0]}"
    assert lines[0] == f"fitting weights on half of {text}: 32 tokens"
    checkpoint.save(Path("alone.safetensors"), library.load(runs[1]))
    doubtful = charrnn("mix", runs[0], "alone.safetensors", "-o", OUT)
    assert "alone.safetensors may have been trained on" in doubtful.stderr


def test_models_of_different_tokenizers_are_named(
    charrnn: Any, two_runs: list[str]
) -> None:
    save_run(random_model("byte"), "bytes-001")

    result = charrnn("mix", *two_runs, "runs/bytes-001", "-o", OUT, "-f", "text.txt")

    assert result.exit_code == 2
    assert "runs/network-001 and runs/bytes-001 have different tok" in result.stderr
    assert not Path(OUT).exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["runs/network-001"], "mix needs at least two models"),
        (["runs/network-001", "runs/ngram-001"], "no validation text to fit"),
        (
            ["runs/network-001", "runs/ngram-001", "--weights", "1"],
            "1 value for 2 models",
        ),
        (
            ["runs/network-001", "runs/ngram-001", "--weights", "0.5,half"],
            "--weights is '0.5,half'",
        ),
        (
            ["runs/network-001", "runs/ngram-001", "--weights", "0.5,0.6"],
            "add up to 1",
        ),
        (["runs/network-001", "runs/ngram-001", "--weights", "1.5,-0.5"], "'1.5,-0.5'"),
    ],
)
def test_wrong_use_is_reported(
    charrnn: Any, two_runs: list[str], arguments: list[str], message: str
) -> None:
    result = charrnn("mix", *arguments, "-o", OUT)

    assert result.exit_code == 2
    assert message in result.stderr
    assert not Path(OUT).exists()


def test_empty_text_is_reported(charrnn: Any, two_runs: list[str]) -> None:
    Path("empty.txt").touch()

    result = charrnn("mix", *two_runs, "-o", OUT, "-f", "empty.txt")

    assert result.exit_code == 4
    assert "empty.txt contains no text" in result.stderr


def test_mixture_does_not_replace_a_member(charrnn: Any, two_runs: list[str]) -> None:
    path = Path(two_runs[0]) / "model.safetensors"
    before = path.read_bytes()

    result = charrnn("mix", *two_runs, "-o", path, "--weights", "0.5,0.5")

    assert result.exit_code == 2
    assert f"--out {path} is also an input" in result.stderr
    assert path.read_bytes() == before


def test_mixture_does_not_replace_the_text(charrnn: Any, two_runs: list[str]) -> None:
    result = charrnn("mix", *two_runs, "-o", "text.txt", "-f", "text.txt")

    assert result.exit_code == 2
    assert "--out text.txt is also an input" in result.stderr
    assert Path("text.txt").read_text() == NEW


# --- score --mix


def test_score_with_mix_equals_the_saved_mixture(
    charrnn: Any, two_runs: list[str]
) -> None:
    charrnn("mix", *two_runs, "-o", OUT, "--weights", "0.7,0.3")

    mixed = charrnn("score", "the fox", "-m", two_runs[0], "--mix", "ngram-001=0.3")
    saved = charrnn("score", "the fox", "-m", OUT)

    assert mixed.exit_code == 0, mixed.stderr
    assert mixed.stdout == saved.stdout
    assert "0.7 runs/network-001 + 0.3 runs/ngram-001" in mixed.stderr


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["ngram-001"], "--mix is 'ngram-001'"),
        (["ngram-001=x"], "--mix is 'ngram-001=x'"),
        (["=0.5"], "--mix is '=0.5'"),
        (["ngram-001=0"], "--mix is 'ngram-001=0'"),
        (["ngram-001=nan"], "--mix is 'ngram-001=nan'"),
        (
            ["ngram-001=0.5", "ngram-001=0.5"],
            "add up to 1, which leaves no weight for runs/network-001",
        ),
    ],
)
def test_mix_weights_must_leave_some_for_the_model(
    charrnn: Any, two_runs: list[str], given: list[str], message: str
) -> None:
    options = [word for one in given for word in ("--mix", one)]

    result = charrnn("score", "the fox", "-m", "network-001", *options)

    assert result.exit_code == 2
    assert message in result.stderr


@pytest.mark.parametrize("out", ["-", "runs", "gone/mixed.safetensors"])
def test_impossible_out_is_refused_before_weights_are_fitted(
    out: str, charrnn: Any, two_runs: list[str]
) -> None:
    result = charrnn("mix", *two_runs, "-o", out, "-f", "text.txt")

    assert result.exit_code == 2
    assert f"--out {out} is not a file" in result.stderr
    assert "fitting weights" not in result.stderr
    assert not Path("-").exists()
