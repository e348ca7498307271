"""The average of the weights over the last part of a run."""

import pytest
import torch

from charrnn.models.recurrent.config import RecurrentConfig
from charrnn.models.recurrent.network import RecurrentNetwork
from charrnn.training.loop.optimizer import AVERAGE_WINDOWS as WINDOWS
from charrnn.training.loop.optimizer import update_average


def network(value: float) -> RecurrentNetwork:
    """Return a network all of whose parameters have one value."""
    made = RecurrentNetwork(RecurrentConfig(3, hidden=2, embed=2))
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.fill_(value)
    return made


def averaged(values: list[float]) -> float:
    """Return the average after steps that leave these values."""
    average = network(9e9)
    for step, value in enumerate(values):
        update_average(average, network(value), step)
    return float(average.weights()["head.bias"][0].detach())


def test_first_step_replaces_what_was_there() -> None:
    assert averaged([7.0]) == 7.0


def test_second_step_weighs_as_its_window_says() -> None:
    assert averaged([0.0, 1.0]) == pytest.approx(WINDOWS / (1 + WINDOWS))


def test_average_reaches_back_over_a_share_of_the_run() -> None:
    # the average of 0, 1, 2, ... lags behind by 1 / (WINDOWS + 1) of the steps
    found = averaged([float(step) for step in range(600)])

    assert found == pytest.approx(600 - 600 / (WINDOWS + 1), rel=0.01)


def test_average_of_weights_that_rest_is_those_weights() -> None:
    assert averaged([0.3] * 50) == pytest.approx(0.3)
