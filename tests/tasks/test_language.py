"""The contract of a task, for every task there is."""

import math

import numpy as np
import pytest
from support.parts import part_of

from charrnn.models.families import trained_families
from charrnn.tasks import TASKS
from charrnn.tasks.language import LanguageTask

every_task = pytest.mark.parametrize("name", TASKS)


@every_task
def test_every_task_can_be_learned_by_a_family(name: str) -> None:
    assert TASKS[name].name == name
    assert trained_families(name)


def test_metrics_add_over_parts() -> None:
    part, task = part_of([3]), LanguageTask()
    one = task.measure(np.full(3, math.log(2)), part)
    other = task.measure(np.full(3, math.log(8)), part)

    both = one + other

    assert both.loss_nats == pytest.approx((one.loss_nats + other.loss_nats) / 2)
    assert both.to_json()["tokens"] == 6


def test_infinite_loss_is_none_in_json() -> None:
    metrics = LanguageTask().measure(np.array([math.inf]), part_of([1]))

    assert metrics.to_json()["nats_per_token"] is None
