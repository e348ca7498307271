"""`charrnn predict`: its inputs, its laws, and its forms of output."""

import json
import math
from pathlib import Path
from typing import Any

import pytest
from conftest import random_model, save_run
from support.compared import counted
from support.conditional import EXAMPLES, conditional_model, save_conditional

import charrnn as library

every_task = pytest.mark.parametrize("task", EXAMPLES)


def objects(result: Any) -> list[dict[str, Any]]:
    assert result.exit_code == 0, result.stderr
    return [json.loads(line) for line in result.stdout.splitlines()]


def inputs_of(task: str) -> list[str]:
    return [source for source, _ in EXAMPLES[task]]


def outputs_of(found: list[dict[str, Any]]) -> list[Any]:
    return [[one["output"] for one in row["predictions"]] for row in found]


# --- laws


@every_task
def test_probability_is_that_of_the_nats(charrnn: Any, task: str) -> None:
    save_conditional(task)

    rows = objects(charrnn("predict", *inputs_of(task), "-n", 3, "--json"))

    assert [row["input"] for row in rows] == inputs_of(task)
    for row in rows:
        assert list(row) == ["input", "predictions", "model"]
        for one in row["predictions"]:
            assert list(one) == ["output", "p", "nats"]
            assert one["p"] == pytest.approx(math.exp(-one["nats"]))


@every_task
def test_nats_are_those_of_score(charrnn: Any, task: str) -> None:
    save_conditional(task)
    rows = objects(charrnn("predict", *inputs_of(task), "-n", 2, "--json"))
    pairs = [
        (f"{row['input']}\t{text}", one["nats"])
        for row in rows
        for one in row["predictions"]
        if (text := one["output"] if task != "tag" else " ".join(one["output"]))
    ]

    scores = objects(charrnn("score", *(pair for pair, _ in pairs), "--json"))

    assert len(pairs) > len(rows)
    assert [one["nats"] for one in scores] == pytest.approx(
        [nats for _, nats in pairs], abs=1e-4
    )


@every_task
def test_neither_order_nor_batch_matters(charrnn: Any, task: str) -> None:
    save_conditional(task)
    inputs = inputs_of(task)

    together = objects(charrnn("predict", *inputs, "--json"))
    reverse = objects(charrnn("predict", *inputs[::-1], "--json"))[::-1]
    alone = [one for x in inputs for one in objects(charrnn("predict", x, "--json"))]

    assert outputs_of(together) == outputs_of(reverse) == outputs_of(alone)
    for rows in zip(together, reverse, alone, strict=True):
        nats = [row["predictions"][0]["nats"] for row in rows]
        assert nats == pytest.approx([nats[0]] * 3, abs=1e-4)


@every_task
def test_best_outputs_are_different_and_the_first_is_the_only_one(
    charrnn: Any, task: str
) -> None:
    save_conditional(task)

    several = outputs_of(objects(charrnn("predict", *inputs_of(task), "-n3", "--json")))
    one = outputs_of(objects(charrnn("predict", *inputs_of(task), "--json")))

    assert [row[:1] for row in several] == one
    for row in several:
        assert len({str(output) for output in row}) == len(row) > 1


@every_task
def test_empty_lines_give_empty_lines(charrnn: Any, task: str) -> None:
    save_conditional(task)
    lines = ["", *inputs_of(task), "  ", ""]
    Path("in.txt").write_text("\n".join(lines))

    shown = charrnn("predict", "-f", "in.txt").stdout.split("\n")
    rows = objects(charrnn("predict", "-f", "in.txt", "--json"))
    alone = charrnn("predict", *inputs_of(task)).stdout.splitlines()

    # the last line is empty and not ended by a newline, so it is no line
    assert shown == ["", *alone, "", ""]
    assert [bool(row["predictions"]) for row in rows] == [
        bool(line.strip()) for line in lines[:-1]
    ]


# --- forms of output


def test_classifier_shows_label_and_probability(charrnn: Any) -> None:
    save_conditional("classify")

    (row,) = objects(charrnn("predict", "Anna", "-n", 3, "--json"))
    shown = charrnn("predict", "Anna", "-n", 3).stdout

    cells = shown.removesuffix("\n").split("\t")
    assert cells[::2] == [one["output"] for one in row["predictions"]]
    p = [one["p"] for one in row["predictions"]]
    assert list(map(float, cells[1::2])) == pytest.approx(p, abs=0.005)
    assert sum(one["p"] for one in row["predictions"]) == pytest.approx(1)


def test_tagger_shows_words_with_their_tags(charrnn: Any) -> None:
    save_conditional("tag")

    (row,) = objects(charrnn("predict", "the  cat", "--json"))
    shown = charrnn("predict", "the  cat").stdout

    first, second = row["predictions"][0]["output"]
    assert shown == f"the/{first} cat/{second}\n"
    assert row["input"] == "the  cat"


def test_translator_shows_texts(charrnn: Any) -> None:
    save_conditional("translate")

    rows = objects(charrnn("predict", "abc", "cab", "--json"))
    shown = charrnn("predict", "abc", "cab").stdout.splitlines()

    assert shown == [row["predictions"][0]["output"] for row in rows]


def test_language_model_shows_likeliest_continuations(charrnn: Any) -> None:
    model = random_model()
    save_run(model)

    (row,) = objects(charrnn("predict", "the f", "-l", 5, "-n", 2, "--json"))

    (expected,) = model.predict(["the f"], num=2, length=5)
    assert [one["output"] for one in row["predictions"]] == [
        one.output for one in expected
    ]


def test_output_of_several_lines_is_shown_on_one(charrnn: Any) -> None:
    save_run(counted(order=5))

    shown = charrnn("predict", "the lazy dog", "-l", 5).stdout
    (row,) = objects(charrnn("predict", "the lazy dog", "-l", 5, "--json"))

    output = row["predictions"][0]["output"]
    assert output.startswith("\n")
    assert shown == output.replace("\n", "\\n") + "\n"


@every_task
def test_table_has_a_row_per_output(charrnn: Any, task: str) -> None:
    save_conditional(task)

    rows = objects(charrnn("predict", *inputs_of(task), "-n", 2, "--json"))
    heading, *lines = charrnn(
        "predict", *inputs_of(task), "-n", 2, "--tsv"
    ).stdout.splitlines()

    assert heading == "input\toutput\tp\tnats"
    cells = [line.split("\t") for line in lines]
    flat = [(row["input"], one) for row in rows for one in row["predictions"]]
    assert [cell[0] for cell in cells] == [source for source, _ in flat]
    assert [float(cell[3]) for cell in cells] == pytest.approx(
        [one["nats"] for _, one in flat], abs=1e-5
    )


def test_attention_of_each_step_sums_to_a_hundred_percent(charrnn: Any) -> None:
    save_conditional("translate")

    result = charrnn("predict", "abcab", "-q", "--show", "attention")

    heading, *rows = result.stderr.splitlines()
    assert heading.split() == list("abcab")
    assert [row.split()[0] for row in rows] == [*result.stdout.split(), "<EOS>"]
    for row in rows:
        percents = [int(cell) if cell != "." else 0 for cell in row.split()[1:]]
        assert sum(percents) == pytest.approx(100, abs=3)  # each is rounded


def test_attention_to_a_long_input_is_shown_in_several_tables(charrnn: Any) -> None:
    save_conditional("translate")

    result = charrnn("predict", "abc" * 20, "-q", "--show", "attention")

    lines = result.stderr.splitlines()
    assert max(map(len, lines)) <= 80
    headings = [line for line in lines if line.startswith(" ")]
    assert "".join("".join(line.split()) for line in headings) == "abc" * 20


# --- wrong use


@pytest.mark.parametrize(
    ("task", "config", "why"),
    [
        ("classify", {}, "has no attention"),
        ("translate", {"attention": "none"}, "--attention none"),
    ],
)
def test_attention_needs_a_translator_that_has_it(
    charrnn: Any, task: str, config: dict[str, Any], why: str
) -> None:
    save_conditional(task, **config)

    result = charrnn("predict", "a", "--show", "attention")

    assert result.exit_code == 2
    assert why in result.stderr


def test_json_and_tsv_exclude_each_other(charrnn: Any) -> None:
    result = charrnn("predict", "a", "--json", "--tsv")

    assert result.exit_code == 2


def test_columns_of_plain_text_are_refused(charrnn: Any, char_run: Path) -> None:
    assert charrnn("predict", "the", "--columns", "1,2").exit_code == 2


@every_task
def test_empty_input_alone_gives_an_empty_line(charrnn: Any, task: str) -> None:
    save_conditional(task)

    result = charrnn("predict", "")

    assert (result.exit_code, result.stdout) == (0, "\n")


def test_without_a_model_nothing_is_read(charrnn: Any) -> None:
    result = charrnn("predict", "a")

    assert result.exit_code == 3
    assert "charrnn train" in result.stderr


def test_missing_file_is_reported(charrnn: Any) -> None:
    save_conditional("classify")

    result = charrnn("predict", "-f", "none.txt")

    assert result.exit_code == 3
    assert "none.txt" in result.stderr


# --- from Python


@every_task
def test_command_predicts_what_the_library_does(charrnn: Any, task: str) -> None:
    folder = save_conditional(task)
    model = library.load(folder)

    rows = objects(charrnn("predict", *inputs_of(task), "--json"))

    for row, found in zip(rows, model.predict(inputs_of(task)), strict=True):
        assert row["predictions"][0]["nats"] == pytest.approx(found[0].nats, abs=1e-6)


def test_random_models_of_the_tests_disagree() -> None:
    """So that the laws above are not about constant outputs."""
    for task in EXAMPLES:
        found = conditional_model(task).predict(inputs_of(task))
        assert len({row[0].output for row in found}) > 1, task
