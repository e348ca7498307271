"""Progress over a run, its validations, and the learning rate."""

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from charrnn.training.loop.schedule import (
    COLD_RATE,
    FINAL_RATE,
    VALIDATIONS,
    Schedule,
    learning_rate,
)

#: steps after which a plan is changed, and the steps that are then left
replans = st.lists(st.tuples(st.integers(1, 30), st.integers(1, 60)), max_size=6)


def planned(total: int, validations: int = 0) -> Schedule:
    schedule = Schedule()
    schedule.plan(0, total, validations)
    return schedule


def validations_of(schedule: Schedule, steps: int) -> list[int]:
    return [step for step in range(steps) if schedule.validates_after(step)]


def rate(progress: float, shape: str = "linear", warmup: float = 0.2) -> float:
    return learning_rate(progress, peak=1.0, warmup=warmup, shape=shape)


# --- progress


@given(st.integers(1, 10_000), st.integers(0, 10_000))
def test_progress_of_a_plan_is_a_straight_line(total: int, step: int) -> None:
    schedule = planned(total)

    assert schedule.progress(step) == min(1.0, step / total)


def test_progress_without_a_plan_is_zero() -> None:
    assert Schedule().progress(1000) == 0


@given(st.integers(1, 60), replans)
def test_progress_is_continuous_where_the_plan_changes(
    total: int, changes: list[tuple[int, int]]
) -> None:
    schedule, step = planned(total), 0
    for after, left in changes:
        step += after
        before = schedule.progress(step)

        schedule.plan(step, step + left)

        assert schedule.progress(step) == before


@given(st.integers(1, 60), replans)
def test_progress_never_falls_and_reaches_one_at_the_planned_end(
    total: int, changes: list[tuple[int, int]]
) -> None:
    schedule, step, end = planned(total), 0, total
    for after, left in changes:
        if step + after >= end:  # the run is over
            break
        step += after
        end = step + left
        schedule.plan(step, end)

    line = [schedule.progress(step) for step in range(end + 2)]

    assert all(before <= after for before, after in pairwise(line))
    assert line[end - 1] < 1
    assert line[end] == line[end + 1] == 1


def test_changed_plan_worked_by_hand() -> None:
    schedule = planned(100)

    schedule.plan(50, 60)  # half is done; the other half takes 10 steps

    assert [schedule.progress(step) for step in (25, 50, 55, 60)] == [
        0.25,
        0.5,
        0.75,
        1,
    ]


def test_plan_always_leaves_one_step() -> None:
    schedule = planned(100)

    schedule.plan(50, 20)

    assert schedule.progress(50) == 0.5
    assert schedule.progress(51) == 1


def test_past_is_not_changed_by_a_new_plan() -> None:
    schedule = planned(100)
    before = [schedule.progress(step) for step in range(51)]

    schedule.plan(50, 60)

    assert [schedule.progress(step) for step in range(51)] == before


def test_extended_run_begins_a_second_line_from_zero() -> None:
    schedule = planned(100)

    schedule.extend(100, 300)

    assert [schedule.progress(step) for step in (99, 100, 200, 300)] == [
        0.99,
        0,
        0.5,
        1,
    ]


# --- validations


@given(st.integers(1, 500), st.integers(1, 50))
def test_plan_has_as_many_validations_as_it_says(steps: int, validations: int) -> None:
    schedule = planned(max(steps, validations), validations)

    assert len(validations_of(schedule, max(steps, validations))) == validations


@given(st.integers(1, 500), st.integers(1, 50))
def test_last_step_of_a_plan_is_validated(steps: int, validations: int) -> None:
    assert planned(steps, validations).validates_after(steps - 1)


def test_validations_are_ten_unless_said_otherwise() -> None:
    assert validations_of(planned(100), 100) == list(range(9, 100, 10))
    assert VALIDATIONS == 10


def test_plan_of_fewer_steps_than_validations_validates_after_each() -> None:
    assert validations_of(planned(3, 10), 3) == [0, 1, 2]


def test_step_that_passes_several_validations_makes_one() -> None:
    schedule = planned(1000, 10)
    schedule.plan(50, 52)

    assert validations_of(schedule, 52) == [50, 51]


@given(st.integers(10, 60), replans)
def test_changed_plan_keeps_the_number_of_validations(
    total: int, changes: list[tuple[int, int]]
) -> None:
    # 5 over the whole progress, each plan leaving steps enough for all of them
    schedule, step, end = planned(total, 5), 0, total
    for after, left in changes:
        if step + after >= end:
            break
        step += after
        end = step + left + 5
        schedule.plan(step, end)

    assert len(validations_of(schedule, end)) == 5


def test_extended_run_validates_as_often_again() -> None:
    schedule = planned(100, 4)

    schedule.extend(100, 180)

    assert validations_of(schedule, 180)[-4:] == [119, 139, 159, 179]


# --- learning rate


def test_rate_rises_in_a_straight_line_from_the_cold_rate() -> None:
    # a warm-up of a fifth: at a tenth, half of the way is added to the cold rate
    assert rate(0) == COLD_RATE
    assert rate(0.1) == pytest.approx(COLD_RATE + 0.5)


@pytest.mark.parametrize("shape", ["linear", "cosine", "constant"])
def test_rate_is_at_its_peak_where_the_warm_up_ends(shape: str) -> None:
    assert rate(0.2, shape) == 1


@pytest.mark.parametrize(
    ("shape", "halfway", "three_quarters"),
    [
        ("linear", 0.5, 0.25),
        ("cosine", 0.5, (1 - math.sqrt(0.5)) / 2),
        ("constant", 1, 1),
    ],
)
def test_rate_after_the_warm_up_worked_by_hand(
    shape: str, halfway: float, three_quarters: float
) -> None:
    # the decay goes from 0.2 to 1: its half is at 0.6, three quarters at 0.8
    assert rate(0.6, shape) == pytest.approx(halfway)
    assert rate(0.8, shape) == pytest.approx(three_quarters)


@pytest.mark.parametrize(
    ("shape", "last"), [("linear", FINAL_RATE), ("cosine", FINAL_RATE), ("constant", 1)]
)
def test_rate_at_the_end_is_the_final_rate_unless_it_is_constant(
    shape: str, last: float
) -> None:
    assert rate(1, shape) == last


def test_rate_without_a_warm_up_begins_at_the_peak() -> None:
    assert rate(0, warmup=0) == 1


@given(
    st.floats(0, 1),
    st.sampled_from(["linear", "cosine", "constant"]),
    st.floats(0, 0.9),
)
def test_rate_is_above_zero_and_never_above_the_peak(
    progress: float, shape: str, warmup: float
) -> None:
    assert 0 < learning_rate(progress, peak=1, warmup=warmup, shape=shape) <= 1
