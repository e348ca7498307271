"""What a person reads while a model trains."""

import math

import pytest

from charrnn.cli import console
from charrnn.cli.train.lines import clock, excerpt, lines_of, plural
from charrnn.cli.train.view import Figures
from charrnn.training.events import Event

STEP = {"smoothed_nats": math.log(2), "tokens": 100, "progress": 0.5}


def start(time_s: float) -> Event:
    values = {"tokens_per_char": 0.5, "training": {"time_s": time_s}}
    return Event("start", 0, 0.0, values)


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


def test_line_gives_bits_a_character_for_nats_a_token() -> None:
    figures = Figures()
    figures.note(start(60.0))

    figures.note(Event("step", 1, 20.0, STEP | {"planned_steps": 0}))

    # ln 2 nats are 1 bit a token, and there is half a token to a character
    assert figures.line.startswith("0:40 left \u00b7 train 0.500")


def test_time_left_follows_from_the_last_steps_and_what_later_ones_cost() -> None:
    figures = Figures()
    figures.note(start(0.0))

    for step in range(1, 5):
        values = STEP | {"planned_steps": 14, "cost_ahead": 1.5}
        figures.note(Event("step", step, 100 + 2.0 * step, values))

    # ten steps of three seconds
    assert figures.line.startswith("0:30 left")


def test_unknown_tokens_are_said_with_a_validation() -> None:
    values = {"bits_per_char": 1.0, "nats_per_token": 2.0, "best": True}
    counts = {"tokens": 1000, "unknown": 51}

    (line,) = lines_of(Event("validation", 1, 61.0, values | counts), 80)

    assert line == "   1:01  valid 1.000 bits/char, 2.0000 nats/token, 5.1% unknown"


def test_times_and_counts_read_as_people_write_them() -> None:
    assert [clock(s) for s in (5, 65, 3665, math.nan)] == [
        *("0:05", "1:05", "1:01:05", "-:--"),
    ]
    assert (plural(1, "thread"), plural(2000, "thread")) == (
        *("1 thread", "2,000 threads"),
    )
