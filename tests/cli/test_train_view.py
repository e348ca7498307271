"""What a person reads while a model trains."""

import math
from dataclasses import replace
from typing import Any

import pytest

from charrnn.cli import console
from charrnn.cli.train.lines import clock, excerpt, lines_of
from charrnn.cli.train.view import Figures
from charrnn.tasks.classify import ClassifyTask
from charrnn.tasks.language import LanguageTask
from charrnn.training.events import (
    DoneEvent,
    StartEvent,
    StepEvent,
    ValidationEvent,
)

START = StartEvent(
    step=0,
    elapsed_s=0.0,
    run="runs/a-001",
    continues=False,
    level="char",
    vocabulary=9,
    title="lstm 1x8",
    train_tokens=80,
    valid_tokens=10,
    tokens_per_char=0.5,
    loss_unit="bits/char",
    per_nat=0.5 / math.log(2),
    task="language",
    unit="document",
    corpus={"files": ["a.txt"], "characters": 90, "documents": 2, "leaked": 0},
    family="recurrent",
    model={},
    training={},
    reasons=[],
)


def step(number: int, elapsed_s: float, planned_steps: int = 0) -> StepEvent:
    return StepEvent(
        step=number,
        elapsed_s=elapsed_s,
        loss_nats=1.0,
        smoothed_nats=math.log(2),
        rate=0.1,
        progress=0.5,
        planned_steps=planned_steps,
        cost_ahead=1.5,
        epoch=0.0,
        tokens=100,
    )


@pytest.mark.parametrize("columns", [20, 40, 71])
@pytest.mark.parametrize("text", ["a" * 99, "\n" * 99, "\u6c34" * 99, "\x1b[31m" * 30])
def test_excerpt_fits_its_columns_and_closes_its_quotes(
    text: str, columns: int
) -> None:
    shown = excerpt(text, columns)

    assert console.width(shown) <= columns
    assert shown.startswith('"')
    assert shown.endswith('"...')


def test_short_text_is_its_own_excerpt() -> None:
    assert excerpt("so\nshort", 20) == '"so\\nshort"'


def test_line_shows_nats_per_token_as_bits_per_character() -> None:
    figures = Figures()
    figures.update(replace(START, training={"time_s": 60.0}))

    figures.update(step(1, 20.0))

    # ln 2 nats per token are 1 bit, and a character is half a token
    assert figures.line.startswith("0:40 left \u00b7 train 0.500")


def test_time_left_follows_from_the_last_steps_and_what_later_ones_cost() -> None:
    figures = Figures()
    figures.update(START)

    for number in range(1, 5):
        figures.update(step(number, 100 + 2.0 * number, planned_steps=14))

    # ten steps of three seconds
    assert figures.line.startswith("0:30 left")


def test_validation_line_has_the_share_of_unknown_tokens() -> None:
    rates = {"bits_per_char": 1.0, "nats_per_token": 2.0}
    metrics = rates | {"tokens": 1000, "unknown": 51}

    (line,) = lines_of(
        ValidationEvent(step=1, elapsed_s=61.0, metrics=metrics, best=True),
        80,
        LanguageTask.describe,
    )

    assert line == "   1:01  valid 1.000 bits/char (2.0000 nats/token), 5.1% unknown"


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({}, "run      in runs/a-001"),
        ({"continues": True}, "run      resumes in runs/a-001"),
        ({"run": ""}, "run      not created (--dry-run)"),
    ],
)
def test_start_names_the_run(changes: dict[str, Any], line: str) -> None:
    assert line in list(lines_of(replace(START, **changes), 80, LanguageTask.describe))


def test_times_and_counts_read_as_people_write_them() -> None:
    assert [clock(s) for s in (5, 65, 3665, math.nan)] == [
        *("0:05", "1:05", "1:01:05", "-:--"),
    ]
    assert (console.plural(1, "thread"), console.plural(2000, "thread")) == (
        *("1 thread", "2,000 threads"),
    )


def classified(accuracy: float, nats: float | None) -> dict[str, Any]:
    """Return the metrics of a classifier."""
    metrics = {"accuracy": accuracy, "right": accuracy, "macro_f1": 0.5}
    return metrics | {"nats_per_token": nats, "step": 7}


def done(best: dict[str, Any], **details: Any) -> list[str]:
    """Return the lines after the first one that end a run of a classifier."""
    event = DoneEvent(step=7, elapsed_s=1.0, run="a", best=best, steps=7)
    shown = replace(event, details=details)
    return [line.strip() for line in lines_of(shown, 80, ClassifyTask.describe)][1:]


def test_end_of_a_run_reports_the_members_of_a_mixture() -> None:
    members = [classified(0.8, 0.5) | {"name": "lstm", "weight": 0.25}]

    (line,) = done(classified(0.9, 0.4) | {"members": members})

    assert line == (
        "lstm alone (weight 0.25): accuracy 80.00%, macro F1 50.0%, 0.500 nats/label"
    )


@pytest.mark.parametrize(
    ("accuracy", "nats", "is_better"),
    [(0.7, 0.7, False), (0.7, 0.5, True), (0.9, 0.7, True), (0.9, None, False)],
)
def test_end_of_a_run_advises_to_count_if_that_is_better(
    accuracy: float, nats: float | None, is_better: bool
) -> None:
    counts = classified(accuracy, nats) | {"name": "naive Bayes"}

    (line,) = done(classified(0.8, 0.6), ngram=counts)

    assert line.startswith(f"for comparison, naive Bayes: accuracy {accuracy:.2%}")
    assert line.endswith("; this is better: try --with-ngram") == is_better
