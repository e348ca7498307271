"""The encoder: padding, direction and batch change nothing, and both twins agree."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pytest
import torch

from charrnn.models import CELLS
from charrnn.models.encoder import network as torch_encoder
from charrnn.models.encoder.model import Encoder, encoder_shapes

Array = npt.NDArray[np.float32]

S, B, E, H = 7, 4, 5, 3
LENGTHS = np.array([7, 1, 4, 6])
ATOL = 1e-5  # float32, other order of the same operations


class Shape(NamedTuple):
    cell: str
    inputs: int
    hidden: int
    layers: int
    one_way: bool
    norm: bool


def shapes() -> Iterator[Shape]:
    for cell in CELLS:
        yield Shape(cell, E, H, 2, False, True)
    for layers in (1, 3):
        for one_way in (False, True):
            yield Shape("gru", E, H, layers, one_way, norm=layers == 1)


every_shape = pytest.mark.parametrize("shape", list(shapes()), ids=str)


def weights(shape: Shape) -> dict[str, Array]:
    rng = np.random.default_rng(0)
    found = encoder_shapes("encoder", *shape).items()
    return {n: rng.normal(0, 0.5, x).astype(np.float32) for n, x in found}


def numpy_encoder(shape: Shape, tensors: dict[str, Array]) -> Encoder:
    return Encoder("encoder", shape.cell, shape.layers, tensors)


def torch_twin(shape: Shape, tensors: dict[str, Array]) -> torch_encoder.Encoder:
    twin = torch_encoder.Encoder(*shape)
    values = {n.removeprefix("encoder."): x for n, x in tensors.items()}
    twin.load_state_dict({n: torch.from_numpy(x) for n, x in values.items()})
    return twin


def inputs(seed: int = 1) -> Array:
    return np.random.default_rng(seed).normal(0, 1, (S, B, E)).astype(np.float32)


def read_by_torch(
    encoder: torch_encoder.Encoder, x: Array, lengths: npt.NDArray[np.int64]
) -> list[torch.Tensor]:
    return list(encoder(torch.from_numpy(x), torch.from_numpy(lengths)))


@every_shape
def test_both_twins_agree(shape: Shape) -> None:
    tensors = weights(shape)

    found = read_by_torch(torch_twin(shape, tensors), inputs(), LENGTHS)

    expected = numpy_encoder(shape, tensors).read(inputs(), LENGTHS)
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours.detach().numpy(), theirs, atol=ATOL)


@every_shape
def test_padded_row_reads_as_the_row_alone(shape: Shape) -> None:
    encoder = numpy_encoder(shape, weights(shape))
    outputs, summary = encoder.read(inputs(), LENGTHS)

    for row, length in enumerate(LENGTHS):
        alone, own = encoder.read(inputs()[:length, row : row + 1], LENGTHS[[row]])
        np.testing.assert_allclose(outputs[:length, row], alone[:, 0], atol=ATOL)
        np.testing.assert_allclose(summary[row], own[0], atol=ATOL)


@every_shape
def test_content_of_the_padding_changes_nothing(shape: Shape) -> None:
    encoder = numpy_encoder(shape, weights(shape))
    x, other = inputs(), inputs(seed=2)
    is_padding = np.arange(S)[:, None] >= LENGTHS
    other[~is_padding] = x[~is_padding]

    for ours, theirs in zip(
        encoder.read(x, LENGTHS), encoder.read(other, LENGTHS), strict=True
    ):
        np.testing.assert_array_equal(ours, theirs)


@every_shape
def test_outputs_at_the_padding_are_zero(shape: Shape) -> None:
    outputs, _ = numpy_encoder(shape, weights(shape)).read(inputs(), LENGTHS)

    is_padding = np.arange(S)[:, None] >= LENGTHS
    assert not outputs[is_padding].any()
    assert outputs[~is_padding].all()


@every_shape
def test_order_of_the_rows_changes_nothing(shape: Shape) -> None:
    encoder = numpy_encoder(shape, weights(shape))
    order = np.array([2, 0, 3, 1])
    outputs, summary = encoder.read(inputs(), LENGTHS)

    shuffled, summaries = encoder.read(inputs()[:, order], LENGTHS[order])

    np.testing.assert_allclose(shuffled, outputs[:, order], atol=ATOL)
    np.testing.assert_allclose(summaries, summary[order], atol=ATOL)


@every_shape
def test_summary_is_the_last_output_of_each_direction(shape: Shape) -> None:
    outputs, summary = numpy_encoder(shape, weights(shape)).read(inputs(), LENGTHS)

    last = outputs[LENGTHS - 1, np.arange(B)]
    np.testing.assert_array_equal(summary[:, :H], last[:, :H])
    np.testing.assert_array_equal(summary[:, H:], outputs[0, :, H:])


@pytest.mark.parametrize("cell", CELLS)
def test_reversed_input_mirrors_the_output_if_the_directions_swap(cell: str) -> None:
    shape = Shape(cell, E, H, 2, False, True)
    tensors = weights(shape)
    outputs, summary = numpy_encoder(shape, tensors).read(inputs(), LENGTHS)
    backwards = inputs()
    for row, length in enumerate(LENGTHS):
        backwards[:length, row] = backwards[:length, row][::-1]

    mirrored, other = numpy_encoder(shape, swapped(tensors)).read(backwards, LENGTHS)

    halves = np.r_[H : 2 * H, :H]
    np.testing.assert_allclose(other, summary[:, halves], atol=ATOL)
    for row, length in enumerate(LENGTHS):
        expected = outputs[:length, row][::-1, halves]
        np.testing.assert_allclose(mirrored[:length, row], expected, atol=ATOL)


def swapped(tensors: dict[str, Array]) -> dict[str, Array]:
    """Return an encoder whose forward direction is the other's backward direction."""
    halves = np.r_[H : 2 * H, :H]
    found = {}
    for name, x in tensors.items():
        if ".norms." in name:
            x = x[halves]
        if name.endswith(".1.weight_ih"):  # its inputs are outputs of both directions
            x = x[:, halves]
        other = {"layers": "reverse", "reverse": "layers"}
        found[".".join(other.get(word, word) for word in name.split("."))] = x
    return found


def test_layer_reads_forward_and_backward_as_its_equation_says() -> None:
    shape = Shape("elman", 1, 1, 1, False, False)
    tensors = {name: np.zeros_like(x) for name, x in weights(shape).items()}
    for direction in ("layers", "reverse"):
        tensors[f"encoder.{direction}.0.weight_ih"][:] = 1
        tensors[f"encoder.{direction}.0.weight_hh"][:] = 1
    x = np.array([0.5, -1, 2], np.float32)[:, None, None]

    outputs, _ = numpy_encoder(shape, tensors).read(x, np.array([3]))

    h1, g3 = np.tanh(0.5), np.tanh(2)
    h2, g2 = np.tanh(-1 + h1), np.tanh(-1 + g3)
    h3, g1 = np.tanh(2 + h2), np.tanh(0.5 + g2)
    expected = [[h1, g1], [h2, g2], [h3, g3]]
    np.testing.assert_allclose(outputs[:, 0], expected, atol=1e-6)
