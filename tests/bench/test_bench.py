"""The number of operations, the arithmetic of readings, and what each part yields."""

import math
from collections.abc import Iterator

import pytest
import torch

from charrnn.bench import inference_speed, measurement, training_speed
from charrnn.bench.measurement import compare, matrices, rates
from charrnn.models import CELLS
from charrnn.models.recurrent.config import RecurrentConfig
from charrnn.tokenizers.base import BOUNDARY

TINY = RecurrentConfig(inference_speed.VOCABULARY, hidden=4, embed=2)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Replace the clock; its time is the only element."""
    now = [0.0]
    monkeypatch.setattr(measurement, "perf_counter", lambda: now[0])
    return now


def test_matrices_of_a_gru_are_those_that_a_token_is_multiplied_with() -> None:
    network = RecurrentConfig(vocab_size=7, cell="gru", hidden=5, embed=2)

    # three gates of 5 units, from 2 inputs and from 5 units; 7 scores from 5 units
    assert list(matrices(network).values()) == [(15, 2), (15, 5), (7, 5)]


def test_an_embedding_is_a_product_only_where_it_is_the_output_too() -> None:
    tied = RecurrentConfig(vocab_size=7, cell="mingru", hidden=5, embed=2, tie=True)

    assert list(matrices(tied).values()) == [(7, 2), (10, 2), (2, 5)]


@pytest.mark.parametrize("cell", CELLS)
def test_a_training_step_multiplies_six_operations_per_weight_and_token(
    cell: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    network = RecurrentConfig(vocab_size=7, cell=cell, hidden=5, embed=2, layers=2)
    operations = []

    def count(a: torch.Tensor, b: torch.Tensor) -> None:
        assert a.shape[1] == b.shape[0]
        operations.append(2 * a.shape[0] * a.shape[1] * b.shape[1])

    monkeypatch.setattr(torch, "mm", count)

    tokens = training_speed.product_step(network, "cpu", "fp32")()

    weights = sum(rows * columns for rows, columns in matrices(network).values())
    assert sum(operations) == 6 * weights * tokens


def test_only_recurrent_products_go_step_by_step(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rows = []
    monkeypatch.setattr(torch, "mm", lambda a, b: rows.append(a.shape[0]))

    training_speed.product_step(TINY, "cpu", "fp32")()

    # forward and backward, one of the three matrices takes 128 steps of 32 rows
    assert rows.count(32) == 2 * 128
    assert rows.count(32 * 128) == 2 * 2


def test_a_rate_is_the_median_after_a_warm_up(clock: list[float]) -> None:
    # two rounds of warm-up, then 10 units of work in 1, 5 and 2 seconds
    durations: Iterator[float] = iter([90.0, 90.0, 1.0, 5.0, 2.0])

    def run() -> float:
        clock[0] += next(durations)
        return 10.0

    assert rates(run, seconds=0.0) == [5.0]


def test_runs_alternate() -> None:
    calls = []

    def note(name: str) -> float:
        calls.append(name)
        return 1.0

    rates(lambda: note("a"), lambda: note("b"), seconds=0.0)

    assert calls == ["a", "b"] * 5


def test_a_share_is_of_the_speed_of_the_products(clock: list[float]) -> None:
    def taking(seconds: float) -> float:
        clock[0] += seconds
        return 100.0

    runs = (lambda: taking(4.0)), (lambda: taking(1.0))
    reading = compare("x", "tokens/s", runs, 3_000_000_000, seconds=0.0)

    # 25 tokens/s next to 100 tokens/s of 3 GFLOP each
    assert (reading.value, reading.share) == (25.0, 0.25)
    assert reading.products_gflops == 300.0


def test_the_model_never_ends_a_text() -> None:
    model = inference_speed.random_model(TINY)

    (sample,) = model.sample(seed=1)

    assert (sample.finish, len(sample.text)) == ("length", 500)
    assert model.model.tensors()["head.bias"][BOUNDARY] < -1000


def test_inference_is_compared_with_products(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inference_speed, "SAMPLE_IMPORTS", "pass")

    start, *others = inference_speed.inference_speed(TINY, seconds=0.0)

    assert (start.name, start.unit) == ("start charrnn sample", "s")
    assert math.isnan(start.share)
    assert [one.unit for one in others] == ["characters/s"] * 2 + ["tokens/s"]
    assert all(one.value > 0 < one.share and one.products_gflops > 0 for one in others)


def test_training_reports_number_format_and_threads() -> None:
    before = torch.get_num_threads()

    reading = training_speed.training_speed(TINY, seconds=0.0)

    assert reading.name.startswith("train lstm 1x4, ")
    assert reading.unit == "tokens/s"
    assert reading.share > 0
    assert torch.get_num_threads() == before
