"""The contract of a task, for every task there is."""

import math

import numpy as np
import pytest
from support.parts import part_of

from charrnn.models.families import trained_families
from charrnn.tasks import TASKS
from charrnn.tasks.language import LanguageTask
from charrnn.tokenizers.char import CharTokenizer

every_task = pytest.mark.parametrize("name", TASKS)


@every_task
def test_every_task_can_be_learned_by_a_family(name: str) -> None:
    assert TASKS[name].name == name
    assert trained_families(name)


def test_infinite_loss_is_none_in_json() -> None:
    part, tokenizer = part_of([1]), CharTokenizer("ab")

    metrics = LanguageTask().measure(np.array([math.inf]), part, None, tokenizer)

    assert metrics.to_json()["nats_per_token"] is None
