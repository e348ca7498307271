"""Every cell against references that share no code with it."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch

from charrnn.models import CELLS
from charrnn.models.cells import NUMPY, Cell

Arrays = npt.NDArray[np.float64]
I, H, B, T = 3, 4, 2, 5  # inputs, hidden, batch, time  # noqa: E741

every_cell = pytest.mark.parametrize("name", CELLS)


def random_weights(cell: type[Cell], *, seed: int = 0) -> dict[str, Arrays]:
    rng = np.random.default_rng(seed)
    shapes = cell.shapes(I, H).items()
    return {name: rng.normal(0, 0.7, shape) for name, shape in shapes}


def random_inputs(*, seed: int = 1) -> Arrays:
    return np.random.default_rng(seed).normal(0, 1, (T, B, I))


def random_state(cell: type[Cell], *, seed: int = 2) -> tuple[Arrays, ...]:
    rng = np.random.default_rng(seed)
    return tuple(rng.normal(0, 0.5, (B, H)) for _ in range(cell.states))


def run(
    cell: type[Cell], x: Arrays, state: tuple[Arrays, ...], w: dict[str, Arrays]
) -> tuple[Arrays, tuple[Arrays, ...]]:
    """Run a cell over x (T, B, I) in NumPy; return the outputs and the last state."""
    outputs = []
    for now in x:
        projected = now @ w["weight_ih"].T + w["bias_ih"]
        state = cell.step(NUMPY, projected, state, w)
        outputs.append(state[0])
    return np.stack(outputs), state


# --- independent references


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def by_unit(
    x: Arrays, h: Arrays, w: dict[str, Arrays], gate: int, unit: int
) -> tuple[float, float]:
    """Return W x + b and U h + b' of one unit of one gate, as sums over scalars."""
    row = gate * H + unit
    inputs = sum(w["weight_ih"][row, j] * x[j] for j in range(I)) + w["bias_ih"][row]
    if "weight_hh" not in w:
        return float(inputs), 0.0
    memory = sum(w["weight_hh"][row, j] * h[j] for j in range(H)) + w["bias_hh"][row]
    return float(inputs), float(memory)


def peephole_unit(
    x: Arrays, state: list[Arrays], w: dict[str, Arrays], unit: int
) -> list[float]:
    """Gers & Schmidhuber 2000: i and f see c_{t-1}, o sees c_t; gates i, f, g, o."""
    h, c = state
    i, f, g, o = (sum(by_unit(x, h, w, gate, unit)) for gate in range(4))
    i = sigmoid(i + w["weight_ci"][unit] * c[unit])
    f = sigmoid(f + w["weight_cf"][unit] * c[unit])
    after = f * c[unit] + i * math.tanh(g)
    o = sigmoid(o + w["weight_co"][unit] * after)
    return [o * math.tanh(after), after]


def simple_gru_unit(
    x: Arrays, state: list[Arrays], w: dict[str, Arrays], unit: int
) -> list[float]:
    """Update gate u, candidate n: h_t = u n + (1 - u) h_{t-1}; gates u, n."""
    (h,) = state
    u = sigmoid(sum(by_unit(x, h, w, 0, unit)))
    n = math.tanh(sum(by_unit(x, h, w, 1, unit)))
    return [u * n + (1 - u) * h[unit]]


def min_gru_unit(
    x: Arrays, state: list[Arrays], w: dict[str, Arrays], unit: int
) -> list[float]:
    """Feng et al. 2024, 3.1.1: z and h~ linear in x_t alone; gates z, h~."""
    (h,) = state
    z = sigmoid(by_unit(x, h, w, 0, unit)[0])
    return [(1 - z) * h[unit] + z * by_unit(x, h, w, 1, unit)[0]]


PAPERS: dict[str, Callable[..., list[float]]] = {
    "lstm-peephole": peephole_unit,
    "gru-simple": simple_gru_unit,
    "mingru": min_gru_unit,
}
TORCH: dict[str, Callable[[], Any]] = {
    "elman": lambda: torch.nn.RNN(I, H, nonlinearity="tanh"),
    "elman-relu": lambda: torch.nn.RNN(I, H, nonlinearity="relu"),
    "lstm": lambda: torch.nn.LSTM(I, H),
    "gru": lambda: torch.nn.GRU(I, H),
}


def test_every_cell_has_a_reference() -> None:
    assert set(CELLS) == set(PAPERS) | set(TORCH)


@pytest.mark.parametrize("name", TORCH)
def test_outputs_and_state_are_those_of_torch_nn(name: str) -> None:
    cell, reference = CELLS[name], TORCH[name]().double()
    w, x, state = random_weights(cell), random_inputs(), random_state(cell)
    with torch.no_grad():
        for key, value in w.items():
            getattr(reference, f"{key}_l0").copy_(torch.from_numpy(value))
        before = [torch.from_numpy(array)[None] for array in state]
        first = tuple(before) if name == "lstm" else before[0]
        expected, after = reference(torch.from_numpy(x), first)

    outputs, last = run(cell, x, state, w)

    # 1e-12: the same operations in float64, in another order
    np.testing.assert_allclose(outputs, expected.numpy(), rtol=0, atol=1e-12)
    for ours, theirs in zip(last, after if name == "lstm" else [after], strict=True):
        np.testing.assert_allclose(ours, theirs[0].numpy(), rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", PAPERS)
def test_outputs_and_state_are_those_of_the_papers_equations(name: str) -> None:
    cell, unit_step = CELLS[name], PAPERS[name]
    w, x, state = random_weights(cell), random_inputs(), random_state(cell)

    outputs, last = run(cell, x, state, w)

    for row in range(B):
        expected = [array[row] for array in state]
        for t in range(T):
            units = [unit_step(x[t, row], expected, w, unit) for unit in range(H)]
            expected = [np.array(values) for values in zip(*units, strict=True)]
            np.testing.assert_allclose(outputs[t, row], expected[0], atol=1e-12)
        for ours, theirs in zip(last, expected, strict=True):
            np.testing.assert_allclose(ours[row], theirs, atol=1e-12)


# --- laws


@every_cell
def test_whole_sequence_equals_its_pieces_with_carried_state(name: str) -> None:
    cell = CELLS[name]
    w, x, state = random_weights(cell), random_inputs(), random_state(cell)
    whole, last = run(cell, x, state, w)

    for cut in range(1, T):
        first, between = run(cell, x[:cut], state, w)
        second, after = run(cell, x[cut:], between, w)

        np.testing.assert_array_equal(np.concatenate([first, second]), whole)
        np.testing.assert_array_equal(after, last)


@every_cell
def test_row_of_a_batch_equals_the_row_alone(name: str) -> None:
    cell = CELLS[name]
    w, x, state = random_weights(cell), random_inputs(), random_state(cell)
    together, _ = run(cell, x, state, w)

    for row in range(B):
        mine = tuple(array[row : row + 1] for array in state)
        alone, _ = run(cell, x[:, row : row + 1], mine, w)

        np.testing.assert_allclose(together[:, row : row + 1], alone, atol=1e-14)


@every_cell
def test_step_does_not_change_its_arguments(name: str) -> None:
    cell = CELLS[name]
    w, state = random_weights(cell), random_state(cell)
    projected = np.random.default_rng(3).normal(0, 1, (B, cell.gates * H))
    arguments = [projected, *state, *w.values()]
    copies = [array.copy() for array in arguments]

    cell.step(NUMPY, projected, state, w)

    for array, copy in zip(arguments, copies, strict=True):
        np.testing.assert_array_equal(array, copy)


@every_cell
def test_state_stays_float32(name: str) -> None:
    cell = CELLS[name]
    w = {key: value.astype(np.float32) for key, value in random_weights(cell).items()}
    state = tuple(array.astype(np.float32) for array in random_state(cell))

    outputs, after = run(cell, random_inputs().astype(np.float32), state, w)

    assert outputs.dtype == np.float32
    assert all(array.dtype == np.float32 for array in after)


@every_cell
def test_extreme_inputs_give_finite_states_without_warnings(name: str) -> None:
    cell = CELLS[name]
    w, state = random_weights(cell), random_state(cell)
    for size in (1e3, -1e3, 1e30, -1e30):
        projected = np.full((B, cell.gates * H), size)

        after = cell.step(NUMPY, projected, state, w)  # warnings are errors

        assert all(np.isfinite(array).all() for array in after)


def test_numpy_sigmoid_is_the_logistic_function() -> None:
    x = np.linspace(-30, 30, 601)

    np.testing.assert_allclose(NUMPY.sigmoid(x), 1 / (1 + np.exp(-x)), atol=1e-15)


@every_cell
def test_gradient_is_that_of_central_differences(name: str) -> None:
    cell = CELLS[name]
    weights, state = random_weights(cell), random_state(cell)
    arrays = {"x": random_inputs()[0]} | weights
    arrays |= {f"state {k}": array for k, array in enumerate(state)}
    leaves = {key: torch.from_numpy(a).requires_grad_() for key, a in arrays.items()}
    rng = np.random.default_rng(4)
    mix = [torch.from_numpy(rng.normal(0, 1, (B, H))) for _ in range(cell.states)]

    def loss() -> torch.Tensor:
        before = tuple(leaves[f"state {k}"] for k in range(cell.states))
        projected = leaves["x"] @ leaves["weight_ih"].T + leaves["bias_ih"]
        after = cell.step(torch, projected, before, leaves)
        return sum((m * array).sum() for m, array in zip(mix, after, strict=True))

    loss().backward()

    step = 1e-6
    for key, leaf in leaves.items():
        numeric = torch.empty(leaf.numel(), dtype=torch.float64)
        with torch.no_grad():
            flat = leaf.view(-1)
            for j in range(leaf.numel()):
                kept = flat[j].item()
                flat[j] = kept + step
                above = loss()
                flat[j] = kept - step
                numeric[j] = (above - loss()) / (2 * step)
                flat[j] = kept
        # 1e-7: rounding 1e-16 / step, and the third derivative times step^2
        torch.testing.assert_close(
            leaf.grad.view(-1), numeric, rtol=0, atol=1e-7, msg=lambda m, k=key: k + m
        )
