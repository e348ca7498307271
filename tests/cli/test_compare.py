"""`charrnn compare`: its texts, warnings, errors and forms of output."""

import json
from pathlib import Path
from typing import Any

import pytest
from conftest import random_model
from support.compared import NEW, counted, saved_models
from support.training import TEXTS

from charrnn.inference import checkpoint

KEYS = {
    "model", "family", "kind", "level", "vocabulary", "parameters", "file_bytes",
    "tokens", "chars", "bytes", "words", "unknown", "impossible", "nats", "bits",
    "log10", "bits_per_token", "bits_per_char", "bits_per_byte", "bits_per_word",
    "perplexity", "perplexity_per_word", "chars_per_s", "fair", "best", "difference",
    "low", "high", "real",
}  # fmt: skip

models = pytest.fixture(saved_models)


@pytest.fixture
def count(charrnn: Any, bare_setting: Path) -> Any:
    """Train an n-gram model on file.txt or line.txt, and return its folder."""
    for documents, text in TEXTS.items():
        Path(f"{documents}.txt").write_text(text)

    def run(order: int, *args: str, documents: str = "file") -> str:
        corpus = (f"{documents}.txt", "--documents", documents)
        options = ("--family", "ngram", "--order", order, "-q", *args)
        result = charrnn("train", *corpus, *options)
        assert result.exit_code == 0, result.stderr
        return str(result.stdout.strip())

    return run


def record(result: Any) -> dict[str, Any]:
    """Return the JSON object on stdout; NaN and Infinity are not JSON."""
    assert result.exit_code == 0, result.stderr

    def refuse(name: str) -> None:
        raise AssertionError(name)

    return dict(json.loads(result.stdout, parse_constant=refuse))


# --- output


def test_table_begins_with_the_best_and_marks_real_gaps(
    charrnn: Any, models: list[str]
) -> None:
    result = charrnn("compare", *models, "-f", "new.txt")

    heading, best, second, third, gap, *sizes = result.stdout.splitlines()
    assert heading.split() == [
        "model",
        "kind",
        "bits/char",
        "to",
        "best",
        "95%",
        "interval",
        "real",
    ]
    assert best.split()[0] == "counted-001"
    assert best.split()[-1] == "best"
    assert second.split()[-1] == third.split()[-1] == "yes"
    assert gap == ""
    assert [line.split()[0] for line in (best, second, third)] == [
        line.split()[0] for line in sizes[1:]
    ]
    assert max(map(len, result.stdout.splitlines())) <= 100


def test_bytes_have_a_column_if_they_differ_from_characters(
    charrnn: Any, models: list[str]
) -> None:
    Path("accents.txt").write_text("Größe")

    assert "bits/byte" not in charrnn("compare", *models, "-f", "new.txt").stdout
    assert "bits/byte" in charrnn("compare", *models, "-f", "accents.txt").stdout


def test_json_is_one_object_with_exactly_these_keys(
    charrnn: Any, models: list[str]
) -> None:
    found = record(charrnn("compare", *models, "-f", "new.txt", "--json"))

    assert set(found) == {"text", "blocks", "models"}
    text = {"name": "new.txt", "documents": 1, "chars": 147, "bytes": 147, "words": 24}
    assert found["text"] == text | {"ends_counted": True}
    assert found["blocks"] == {"count": 10, "size": 14, "unit": "characters"}
    assert [set(one) for one in found["models"]] == [KEYS] * 3
    best, *others = found["models"]
    assert best["model"] == "runs/counted-001"
    assert (best["best"], best["difference"], best["real"]) == (True, None, None)
    for one in others:
        assert 0 < one["low"] < one["difference"] < one["high"]
        assert one["real"] is True
        assert (
            one["file_bytes"] == Path(one["model"], "model.safetensors").stat().st_size
        )


def test_infinite_bits_are_warned_of_and_null_in_json(
    charrnn: Any, models: list[str]
) -> None:
    checkpoint.save(Path("never"), counted("the fox", order=2, smoothing="mle"))
    given = ("compare", "never", models[0], "-f", "new.txt")

    table, found = charrnn(*given), record(charrnn(*given, "--json"))

    assert "+inf to +inf  yes" in table.stdout
    assert "zero probability" in table.stderr
    last = found["models"][-1]
    assert last["impossible"] > 0
    assert last["bits_per_char"] is None
    assert last["real"] is True


def test_model_with_many_unknown_tokens_gets_a_warning(
    charrnn: Any, models: list[str]
) -> None:
    checkpoint.save(Path("lazy"), random_model(text="the"))

    result = charrnn("compare", "lazy", models[1], "-f", "new.txt")

    assert "too low for lazy" in result.stderr
    assert "unfair" in result.stdout


def test_quiet_prints_only_the_result(charrnn: Any, models: list[str]) -> None:
    result = charrnn("compare", *models, "-f", "new.txt", "-q")

    assert result.stderr == ""
    assert result.stdout


# --- the text


@pytest.mark.parametrize("documents", ["file", "line"])
def test_default_text_validated_the_first_run(
    documents: str, charrnn: Any, count: Any
) -> None:
    runs = [count(order, documents=documents) for order in (2, 3)]

    result = charrnn("compare", *runs, "--json")

    found = record(result)
    assert "warning" not in result.stderr
    assert found["text"]["name"] == f"the validation text of {runs[0]}"
    assert found["text"]["ends_counted"] == (documents == "line")
    for one in found["models"]:
        best = json.loads(Path(one["model"], "run.json").read_text())["best"]
        assert one["bits_per_char"] == pytest.approx(best["bits_per_char"])


def test_newest_run_is_compared_by_default(charrnn: Any, count: Any) -> None:
    run = count(2)

    (one,) = record(charrnn("compare", "--json"))["models"]

    assert one["model"] == run


def test_files_are_split_as_the_first_corpus_or_as_given(
    charrnn: Any, count: Any
) -> None:
    run = count(2, documents="line")
    Path("new.txt").write_text("one\ntwo\n\nthree\n")
    given = ("compare", run, "-f", "new.txt", "--json")

    as_trained = record(charrnn(*given))
    as_said = record(charrnn(*given, "--documents", "blank"))

    assert as_trained["text"]["documents"] == 3
    assert as_said["text"]["documents"] == 2


def test_text_can_come_from_stdin(charrnn: Any, models: list[str]) -> None:
    found = record(charrnn("compare", *models, "-f", "-", "--json", input=NEW))

    assert found["text"]["chars"] == len(NEW)


def test_baselines_are_compared_too(charrnn: Any, count: Any) -> None:
    found = record(charrnn("compare", count(3), "--baselines", "--json"))["models"]

    bits = {one["model"]: one["bits_per_char"] for one in found}
    assert {"uniform", "unigram", "2-gram", "8-gram"} < set(bits)
    assert len(bits) == 10
    assert {one["model"]: one["kind"] for one in found}["uniform"] == "uniform"
    assert bits["runs/file-001"] == pytest.approx(bits["3-gram"])


@pytest.mark.parametrize(
    ("options", "is_warned"),
    [
        (("--valid-frac", "0.3"), {"line", "file"}),
        (("--seed", "5"), {"line"}),
        (("--seed", "1"), set()),
    ],
    ids=["another share", "another seed", "the same"],
)
@pytest.mark.parametrize("documents", ["file", "line"])
def test_model_trained_on_the_text_gets_a_warning(
    documents: str, options: Any, is_warned: set[str], charrnn: Any, count: Any
) -> None:
    first = count(2, documents=documents)
    other = count(3, "-o", "other", *options, documents=documents)

    result = charrnn("compare", first, other)

    assert ("other may have been trained on some of this" in result.stderr) == (
        documents in is_warned
    )


def test_text_equal_to_the_corpus_gets_a_warning(charrnn: Any, count: Any) -> None:
    run = count(2)
    Path("copy.txt").write_text(TEXTS["file"])

    result = charrnn("compare", run, "-f", "copy.txt")

    assert f"{run} may have been trained on some of this" in result.stderr


# --- errors


def test_model_file_without_a_run_needs_a_text(charrnn: Any, models: list[str]) -> None:
    checkpoint.save(Path("alone"), random_model())

    result = charrnn("compare", "alone", *models)

    assert result.exit_code == 3
    assert "-f FILE" in result.stderr


@pytest.mark.parametrize(
    ("given", "code", "message"),
    [
        (("--documents", "line"), 2, "--documents needs --file"),
        (("-f", "empty.txt"), 4, "no text"),
        (("-f", "gone.txt"), 3, "gone.txt does not exist"),
        (("-f", "new.txt", "--plot", "plot.jpg"), 2, ".png or .svg"),
        (("-f", "new.txt", "--baselines"), 3, "--baselines"),
    ],
    ids=["documents", "empty", "no file", "no plot", "no run"],
)
def test_mistake_is_reported(
    given: Any, code: int, message: str, charrnn: Any, models: list[str]
) -> None:
    Path("empty.txt").touch()

    result = charrnn("compare", models[0], *given)

    assert result.exit_code == code
    assert message in result.stderr
    assert result.stdout == ""
