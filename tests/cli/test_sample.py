"""`charrnn sample`: prompts, lengths, forms of output, agreement with scores."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import random_model, save_run

from charrnn.inference.text_model import TextModel
from charrnn.models.recurrent.model import RecurrentModel

KEYS = (
    *("text", "prompt", "seed", "temperature", "top_k", "top_p", "min_p", "tokens"),
    *("chars", "nats", "bits_per_char", "finish", "model"),
)
NAMES = "Oskenmere Lower Pindle Thrushel Mossick"


def objects(result: Any) -> list[dict[str, Any]]:
    assert result.exit_code == 0, result.stderr
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_json_has_exactly_these_keys(charrnn: Any, char_run: Path) -> None:
    args = ("--seed", "7", "--top-k", "5", "--top-p", "0.9", "--min-p", "0.01")
    (one,) = objects(charrnn("sample", "the", "-t", "0.5", *args, "--json"))

    assert tuple(one) == KEYS
    assert (one["prompt"], one["seed"], one["temperature"]) == ("the", 7, 0.5)
    assert (one["top_k"], one["top_p"], one["min_p"]) == (5, 0.9, 0.01)
    assert one["model"] == "runs/names-001"


def test_nats_of_a_sample_are_those_of_its_score(charrnn: Any, char_run: Path) -> None:
    samples = objects(charrnn("sample", "the", "-n", "9", "--seed", "1", "--json"))
    whole = [one for one in samples if one["finish"] == "end"]

    assert whole
    for one in whole:
        args = ("--context", "the", "--json", "--", one["text"])
        (score,) = objects(charrnn("score", *args))
        assert score["tokens"] == one["tokens"]
        assert score["nats"] == pytest.approx(one["nats"], rel=1e-5)


def test_a_truncated_text_scores_without_its_end(charrnn: Any, char_run: Path) -> None:
    samples = objects(charrnn("sample", "-l", "2", "-n", "9", "--seed", "1", "--json"))
    cut = [one for one in samples if one["finish"] == "length"]

    assert cut
    for one in cut:
        (score,) = objects(charrnn("score", "--no-end", "--json", "--", one["text"]))
        assert score["nats"] == pytest.approx(one["nats"], rel=1e-5)
        assert score["bits_per_char"] == pytest.approx(one["bits_per_char"], rel=1e-5)


def test_a_stream_is_the_text_of_its_json(charrnn: Any, char_run: Path) -> None:
    (one,) = objects(charrnn("sample", "the", "--seed", "4", "--json"))

    plain = charrnn("sample", "the", "--seed", "4")

    assert plain.stdout.rstrip("\n") == ("the" + one["text"]).rstrip("\n")
    without = charrnn("sample", "the", "--seed", "4", "--no-echo")
    assert without.stdout.rstrip("\n") == one["text"].rstrip("\n")


def test_the_kth_of_many_has_seed_plus_k(charrnn: Any, char_run: Path) -> None:
    many = objects(charrnn("sample", "-n", "70", "--seed", "3", "--json"))
    (last,) = objects(charrnn("sample", "--seed", "72", "--json"))

    assert [one["seed"] for one in many] == list(range(3, 73))
    assert many[-1] == last


def test_twenty_names_are_twenty_lines(charrnn: Any, bare_setting: Path) -> None:
    save_run(random_model(text=NAMES))

    result = charrnn("sample", "-n", "20", "--seed", "1")

    assert len(result.stdout.splitlines()) == 20
    assert result.stdout.endswith("\n")


def test_texts_of_several_lines_have_an_empty_line_between(
    charrnn: Any, bare_setting: Path
) -> None:
    model = random_model(text="a\n")
    model.model.tensors()["head.weight"][:] = 0  # equally likely ...
    model.model.tensors()["head.bias"][:] = [-1e4, 0, 0, 0]  # ... except for the end
    save_run(model)
    args = ("-n", "3", "-l", "40", "--seed", "1")
    texts = [one["text"] for one in objects(charrnn("sample", *args, "--json"))]
    assert all("\n" in text[:-1] for text in texts)

    shown = charrnn("sample", *args).stdout

    assert shown == "\n".join(text.removesuffix("\n") + "\n" for text in texts)


def test_greedy_needs_no_seed(charrnn: Any, char_run: Path) -> None:
    args = ("sample", "the", "--temp", "0", "-l", "30", "-q")

    assert charrnn(*args, "--seed", "1").stdout == charrnn(*args, "--seed", "2").stdout


def test_names_of_the_temperature_are_one_option(charrnn: Any, char_run: Path) -> None:
    shown = {
        charrnn("sample", flag, "0.7", "--seed", "1").stdout
        for flag in ("-t", "--temp", "--temperature")
    }

    assert len(shown) == 1


def test_the_line_on_stderr_repeats_the_sample(charrnn: Any, char_run: Path) -> None:
    result = charrnn("sample", "the")

    assert result.stderr.startswith("model runs/names-001, seed ")
    seed = result.stderr.split("seed ")[1].split(",")[0]
    assert charrnn("sample", "the", "--seed", seed).stdout == result.stdout
    assert charrnn("sample", "the", "-q").stderr == ""


def test_every_way_to_give_a_prompt_is_the_same(charrnn: Any, char_run: Path) -> None:
    Path("prompt.txt").write_text("the fox\n")
    args = ("sample", "--seed", "1")
    shown = [
        charrnn(*args, "the fox").stdout,
        charrnn(*args, "-p", "the fox").stdout,
        charrnn(*args, "--prompt", "the fox").stdout,
        charrnn(*args, "--prime", "the fox").stdout,
        charrnn(*args, "--prompt-file", "prompt.txt").stdout,
        charrnn(*args, "--prompt-file", "-", input="the fox\n").stdout,
        charrnn(*args, "-", input="the fox").stdout,
    ]

    assert len(set(shown)) == 1
    assert shown[0].startswith("the fox")
    assert charrnn(*args, "-p", "-").stdout.startswith("-")


def test_unknown_characters_of_the_prompt_are_named(
    charrnn: Any, char_run: Path
) -> None:
    result = charrnn("sample", "Zoë the Zebra")

    assert 'not in the model\'s vocabulary: "Z", "ë"' in result.stderr
    assert result.exit_code == 0


def test_a_stop_text_is_the_last_thing_written(charrnn: Any, char_run: Path) -> None:
    stops = ("--stop", "y", "--stop", "rr")

    found = objects(charrnn("sample", *stops, "-n", "20", "--seed", "1", "--json"))

    stopped = [one["text"] for one in found if one["finish"] == "stop"]
    assert stopped
    assert all(text.endswith(("y", "rr")) for text in stopped)
    assert all("y" not in text[:-1] and "rr" not in text[:-1] for text in stopped)


def test_scores_go_to_stderr(charrnn: Any, char_run: Path) -> None:
    result = charrnn("sample", "-n", "3", "--seed", "1", "--scores")

    assert result.stderr.count("bits/char") == 3
    assert result.stdout == charrnn("sample", "-n", "3", "--seed", "1").stdout


def test_a_text_that_may_never_end_is_refused_where_it_is_not_streamed(
    charrnn: Any, bare_setting: Path
) -> None:
    save_run(random_model(learned_end=False))

    result = charrnn("sample", "-l", "0", "-n", "2")

    assert result.exit_code == 2
    assert "--length 0 may never end" in result.stderr


def test_the_model_named_wins_over_the_environment_and_the_newest(
    charrnn: Any, char_run: Path
) -> None:
    for name in ("b-001", "c-001"):
        save_run(random_model(), name)
    env = {"CHARRNN_MODEL": "runs/b-001"}

    assert "runs/c-001" in charrnn("sample").stderr
    assert "runs/b-001" in charrnn("sample", env=env).stderr
    assert "names-001" in charrnn("sample", "-m", char_run, env=env).stderr
    assert "x.safetensors" in _stderr_of_a_file(charrnn, char_run)


def _stderr_of_a_file(charrnn: Any, run: Path) -> str:
    Path("x.safetensors").write_bytes((run / "model.safetensors").read_bytes())
    return str(charrnn("sample", "-m", "x.safetensors").stderr)


def test_overflow_in_numpy_prints_no_warning(process: Any, bare_setting: Path) -> None:
    diverged = random_model()
    tensors = {n: x * np.float32(1e30) for n, x in diverged.model.tensors().items()}
    with np.errstate(over="ignore", invalid="ignore"):
        model = RecurrentModel.build(diverged.model.config_json(), tensors)
    save_run(TextModel(model, diverged.tokenizer))

    done = process("sample", "-l", "5", "-q")

    assert (done.returncode, done.stderr) == (0, b"")
