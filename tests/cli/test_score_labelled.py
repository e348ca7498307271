"""`charrnn score` with labelled data: nats, metrics, and what is refused."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.conditional import (
    EXAMPLES,
    save_conditional,
    write_labelled,
    write_tsv,
)

import charrnn as library
from charrnn.data.config import CorpusConfig
from charrnn.tasks import TASKS
from charrnn.text.sources import Source
from charrnn.tokenizers.base import Tokenizers

every_task = pytest.mark.parametrize("task", EXAMPLES)


def objects(result: Any) -> list[dict[str, Any]]:
    assert result.exit_code == 0, result.stderr
    return [json.loads(line) for line in result.stdout.splitlines()]


def total(charrnn: Any, *args: Any) -> dict[str, Any]:
    (record,) = objects(charrnn("score", *args, "--per", "total", "--json"))
    return record


# --- nats


@every_task
def test_each_output_is_scored_given_its_input(charrnn: Any, task: str) -> None:
    folder = save_conditional(task)
    path = write_labelled(task, EXAMPLES[task])

    rows = objects(charrnn("score", "-f", path, "--json"))

    inputs, outputs = zip(*EXAMPLES[task], strict=True)
    assert [(row["input"], row["text"]) for row in rows] == EXAMPLES[task]
    expected = library.load(folder).score_outputs(inputs, outputs)
    assert [row["nats"] for row in rows] == [one.nats for one in expected]


@every_task
def test_total_is_the_sum(charrnn: Any, task: str) -> None:
    save_conditional(task)
    path = write_labelled(task, EXAMPLES[task])

    rows = objects(charrnn("score", "-f", path, "--json"))

    record = total(charrnn, "-f", path)
    assert record["texts"] == len(EXAMPLES[task])
    for key in ("nats", "tokens", "chars", "unknown"):
        assert record[key] == pytest.approx(sum(row[key] for row in rows))


@every_task
def test_text_is_input_tab_output(charrnn: Any, task: str) -> None:
    save_conditional(task)
    path = write_labelled(task, EXAMPLES[task])

    texts = [f"{source}\t{target}" for source, target in EXAMPLES[task]]

    assert charrnn("score", *texts, "--json").stdout == (
        charrnn("score", "-f", path, "--json").stdout
    )


@every_task
def test_plain_numbers_are_in_input_order(charrnn: Any, task: str) -> None:
    save_conditional(task)
    path = write_labelled(task, EXAMPLES[task])

    rows = objects(charrnn("score", "-f", path, "--json"))
    lines = charrnn("score", "-f", path, "--plain", "--unit", "nats").stdout.split()

    assert list(map(float, lines)) == pytest.approx(
        [row["nats"] for row in rows], abs=1e-5
    )


def test_sorting_puts_likely_outputs_first(charrnn: Any) -> None:
    save_conditional("classify")
    path = write_labelled("classify", EXAMPLES["classify"])

    rows = objects(charrnn("score", "-f", path, "--json", "--sort"))

    nats = [row["nats"] for row in rows]
    assert nats == sorted(nats)


# --- metrics


def test_accuracy_counts_labels_that_are_predicted(charrnn: Any) -> None:
    save_conditional("classify")
    path = write_labelled("classify", EXAMPLES["classify"])

    rows = objects(charrnn("score", "-f", path, "--json"))
    record = total(charrnn, "-f", path)

    right = [row["predicted"] == row["text"] for row in rows]
    assert 0 < sum(right) < len(right)
    assert record["accuracy"] == pytest.approx(np.mean(right))
    assert record["accuracy_interval"][0] <= record["accuracy"]
    assert record["bits_per_label"] == pytest.approx(record["bits"] / len(right))
    counts = {label: one["count"] for label, one in record["labels"].items()}
    assert counts == {"first": 2, "last": 2, "place": 2}


def test_tag_accuracy_counts_words(charrnn: Any) -> None:
    save_conditional("tag")
    path = write_labelled("tag", EXAMPLES["tag"])

    rows = objects(charrnn("score", "-f", path, "--json"))

    right = [
        gold == tag
        for row in rows
        for gold, tag in zip(row["text"].split(), row["predicted"], strict=True)
    ]
    record = total(charrnn, "-f", path)
    assert record["words"] == len(right) == 12
    assert record["tag_accuracy"] == pytest.approx(np.mean(right))
    assert "tag_accuracy_unseen" not in record  # the run has no training part


def test_words_that_are_not_in_training_are_unseen(charrnn: Any) -> None:
    folder = save_conditional("tag")
    path = write_labelled("tag", EXAMPLES["tag"])
    model = library.load(folder)
    task = TASKS["tag"]()
    data = task.data([Source(path)], CorpusConfig(), valid_sources=(), raw=False)
    tokenizers = Tokenizers(model.tokenizer, model.source_tokenizer)
    task.parts(data, tokenizers, Path(folder) / "tokens")
    trained = {word for one in data.parts[0] for word in one.source.split()}
    Path("new.conll").write_text("the DET\nhen NOUN\n\nsit VERB\ncat NOUN\n")

    record = total(charrnn, "-f", "new.conll")

    words = ["the", "hen", "sit", "cat"]
    assert record["words_unseen"] == sum(word not in trained for word in words)


def test_inputs_that_were_trained_on_are_reported(charrnn: Any) -> None:
    save_conditional("classify")
    path = write_labelled("classify", EXAMPLES["classify"])
    charrnn("train", path, "--task", "classify", "--family", "bayes", "-q", "-o", "b")

    result = charrnn("score", "-m", "b", "-f", path)

    assert "was trained on" in result.stderr


def test_any_of_several_references_is_right(charrnn: Any) -> None:
    folder = save_conditional("translate")
    (found,) = library.load(folder).predict(["abc"])
    best = found[0].output
    path = write_tsv("a.tsv", [("abc", "x x x"), ("abc", best), ("ba", "x")])

    record = total(charrnn, "-f", path)

    assert record["texts"] == 3
    assert record["examples"] == 2  # two different inputs
    assert record["exact"] == 0.5
    assert record["bleu_signature"].startswith("nrefs:var|")


@every_task
def test_total_shows_the_metrics(charrnn: Any, task: str) -> None:
    save_conditional(task)
    path = write_labelled(task, EXAMPLES[task])

    result = charrnn("score", "-f", path, "--per", "total")

    first = {"classify": "accuracy", "tag": "tag accuracy", "translate": "exact match"}
    assert "95% interval" in result.stdout
    assert f"\n{first[task]}" in result.stdout
    assert max(map(len, result.stdout.splitlines())) <= 80


def test_rows_show_wrong_predictions(charrnn: Any) -> None:
    save_conditional("classify")
    path = write_labelled("classify", EXAMPLES["classify"])

    rows = objects(charrnn("score", "-f", path, "--json"))
    lines = charrnn("score", "-f", path).stdout.splitlines()

    for row, line in zip(rows, lines, strict=True):
        assert f"{row['input']} -> {row['text']}" in line
        is_wrong = row["predicted"] != row["text"]
        assert (f"predicted: {row['predicted']}" in line) == is_wrong


# --- labels that the model does not know


def test_unknown_label_is_wrong_but_left_out_of_sums(charrnn: Any) -> None:
    save_conditional("classify")
    known = write_tsv("known.tsv", EXAMPLES["classify"])
    pairs = [*EXAMPLES["classify"], ("Odin", "god"), ("Thor", "god")]
    path = write_tsv("all.tsv", pairs)

    result = charrnn("score", "-f", path, "--per", "total", "--json")

    (record,) = objects(result)
    of_known = total(charrnn, "-f", known)
    for key in ("nats", "bits_per_label"):
        assert record[key] == pytest.approx(of_known[key])
    assert record["impossible"] == 2
    assert record["accuracy"] * 8 == pytest.approx(of_known["accuracy"] * 6)
    assert result.stderr.count('does not know "god"') == 1
    *_, odin, thor = objects(charrnn("score", "-f", path, "--json"))
    assert odin["nats"] is thor["nats"] is None


def test_unknown_tag_is_named(charrnn: Any) -> None:
    save_conditional("tag")
    Path("a.conll").write_text("the DET\ncat THING\n\nsit VERB\nsit VERB\n")

    result = charrnn("score", "-f", "a.conll", "--per", "total", "--json")

    assert 'does not know "THING"' in result.stderr
    assert objects(result)[0]["impossible"] == 1


# --- what is refused


@pytest.mark.parametrize(
    ("name", "text", "line"),
    [
        ("a.tsv", "Anna\tfirst\nBo\nBerg\tlast\n", 2),
        ("a.txt", "Anna\nBo\n", 1),
        ("a.txt", "__label__a Anna\n__label__a Bo\nBerg\n", 3),
    ],
)
def test_line_without_a_label_is_refused(
    charrnn: Any, name: str, text: str, line: int
) -> None:
    save_conditional("classify")
    Path(name).write_text(text)

    result = charrnn("score", "-f", name)

    assert result.exit_code == 4
    assert f"{name}, line {line}:" in result.stderr
    assert "hint: " in result.stderr


@pytest.mark.parametrize("text", ["Anna", "Anna\t", "\tfirst"])
def test_text_without_input_or_output_is_refused(charrnn: Any, text: str) -> None:
    save_conditional("classify")

    result = charrnn("score", "Bo\tfirst", text)

    assert result.exit_code == 4
    assert "TEXT 2 is not input TAB output" in result.stderr


@pytest.mark.parametrize(
    "option",
    [
        ("--per", "token"), ("--top", "2"), ("--context", "x"), ("--heat",),
        ("--whole",), ("--end",), ("--no-end",), ("--mix", "x=0.5"),
    ],
    ids=lambda option: option[0],
)  # fmt: skip
def test_options_of_language_models_are_refused(
    charrnn: Any, option: tuple[str, ...]
) -> None:
    save_conditional("classify")

    result = charrnn("score", "Anna\tfirst", *option)

    assert result.exit_code == 2
    assert option[0].replace("no-", "") in result.stderr


def test_columns_of_plain_text_are_refused(charrnn: Any, char_run: Path) -> None:
    assert charrnn("score", "the", "--columns", "1,2").exit_code == 2
