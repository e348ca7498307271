"""Steps of cells of one unit, worked by hand."""

import math

import numpy as np
import numpy.typing as npt
import pytest

from charrnn.models import CELLS
from charrnn.models.cells import NUMPY

Arrays = npt.NDArray[np.float64]


def one(value: float) -> Arrays:
    return np.array([[value]])


def test_elman_worked_by_hand() -> None:
    # W x + b = 0.3, U = 0.5, h = 0.2, b' = 0.1: tanh(0.3 + 0.5 0.2 + 0.1) = tanh 0.5
    w = {"weight_hh": one(0.5), "bias_hh": np.array([0.1])}

    (h,) = CELLS["elman"].step(NUMPY, one(0.3), (one(0.2),), w)

    assert h.item() == pytest.approx(math.tanh(0.5), abs=1e-15)
    assert h.item() == pytest.approx(0.46211715726, abs=1e-11)


def test_relu_network_worked_by_hand() -> None:
    w = {"weight_hh": one(2.0), "bias_hh": np.array([0.25])}
    step = CELLS["elman-relu"].step

    assert step(NUMPY, one(1.0), (one(3.0),), w)[0].item() == 1 + 2 * 3 + 0.25
    assert step(NUMPY, one(-7.0), (one(3.0),), w)[0].item() == 0


def test_lstm_worked_by_hand() -> None:
    # sigmoid(ln 3) = 3/4 and sigmoid(-ln 3) = 1/4, so gates i, f, g, o are
    # i = 3/4, f = 1/4, g = tanh(0.5), o = 3/4; and c_{t-1} = 2, U = 0
    ln3 = math.log(3)
    w = {"weight_hh": np.zeros((4, 1)), "bias_hh": np.array([0.0, 0.0, 0.2, ln3])}
    projected = np.array([[ln3, -ln3, 0.3, 0.0]])

    h, c = CELLS["lstm"].step(NUMPY, projected, (one(9.0), one(2.0)), w)

    memory = 0.25 * 2 + 0.75 * math.tanh(0.5)
    assert c.item() == pytest.approx(memory, abs=1e-15)
    assert h.item() == pytest.approx(0.75 * math.tanh(memory), abs=1e-15)


def test_gru_worked_by_hand() -> None:
    # gates r, z, n: r = 3/4, z = 1/4; U h + b' of n is 2 0.4 + 0.2 = 1, and r is
    # applied to all of it: n = tanh(0.5 + 3/4); h = (1 - z) n + z h
    ln3 = math.log(3)
    w = {"weight_hh": np.array([[0.0], [0.0], [2.0]]), "bias_hh": np.array([0, 0, 0.2])}
    projected = np.array([[ln3, -ln3, 0.5]])

    (h,) = CELLS["gru"].step(NUMPY, projected, (one(0.4),), w)

    expected = 0.75 * math.tanh(1.25) + 0.25 * 0.4
    assert h.item() == pytest.approx(expected, abs=1e-15)


def test_minimal_gru_worked_by_hand() -> None:
    # z = 3/4, candidate 4 (no tanh): h = 1/4 0.8 + 3/4 4 = 3.2
    projected = np.array([[math.log(3), 4.0]])

    (h,) = CELLS["mingru"].step(NUMPY, projected, (one(0.8),), {})

    assert h.item() == pytest.approx(3.2, abs=1e-15)
