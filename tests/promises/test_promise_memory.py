"""R13: memory that will not do is said before training, or met with smaller parts."""

import resource
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from support.training import metrics, request, train

from charrnn.errors import ResourceError
from charrnn.models.recurrent.config import RecurrentConfig
from charrnn.models.recurrent.network import RecurrentNetwork
from charrnn.training.config import TrainConfig
from charrnn.training.machine import training_memory
from charrnn.training.prepare import open_session

pytestmark = [pytest.mark.usefixtures("small_corpora"), pytest.mark.promise("R13")]

OPTIONS = (
    *("--hidden", "8", "--batch", "4", "--bptt", "8", "--steps", "9", "-o", "run"),
    *("--threads", "1", "--precision", "fp32"),
)


# --- before


def test_training_that_cannot_fit_is_refused_unless_forced(
    charrnn: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training_memory, "free_bytes", lambda device: 50_000_000)

    result = charrnn("train", "file.txt", *OPTIONS)

    assert result.exit_code == 6
    assert result.stderr.splitlines() == [
        "error: training needs about 0.1 GB of memory on cpu; 0.1 GB are free",
        "hint: reduce --hidden, --layers, --embed, --batch (4) or --bptt (8);",
        "--force trains anyway",
    ]
    assert not Path("run").exists()
    assert charrnn("train", "file.txt", *OPTIONS, "--force").exit_code == 0


def stop() -> bool:
    return False


def needed_bytes(training: TrainConfig, **sizes: int) -> int:
    sizes = {"vocab_size": 50, "layers": 2, "hidden": 64, "embed": 64} | sizes
    shapes = RecurrentNetwork.parameter_shapes(RecurrentConfig(**sizes))
    return training_memory.needed_bytes(shapes, training)


@pytest.mark.parametrize("name", ["layers", "hidden", "embed", "vocab_size"])
def test_larger_network_needs_more(name: str) -> None:
    assert needed_bytes(TrainConfig(), **{name: 128}) > needed_bytes(TrainConfig())


def test_half_of_a_batch_takes_half_of_what_is_not_weights() -> None:
    whole, half, none = (
        needed_bytes(TrainConfig(batch=batch, bptt=bptt))
        for batch, bptt in ((64, 128), (32, 128), (1, 1))
    )

    assert whole - none == pytest.approx(2 * (half - none), rel=1e-3)


def test_example_that_cannot_fit_is_refused(
    charrnn: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = "".join(letter * 400_000 + "\tlong\n" for letter in "xyz")
    short = "".join(f"{n}\tshort\n" for n in range(500))
    Path("long.tsv").write_text(long + short)
    monkeypatch.setattr(training_memory, "free_bytes", lambda device: 500_000_000)

    result = charrnn("train", "long.tsv", "--task", "classify", *OPTIONS)

    assert result.exit_code == 6
    assert "GB of memory on cpu for the longest example" in result.stderr


@pytest.mark.parametrize("is_forced", [False, True])
def test_memory_is_limited_while_training_unless_forced(is_forced: bool) -> None:
    before = resource.getrlimit(resource.RLIMIT_DATA)

    with open_session(request(steps=1, force=is_forced)) as session:
        within = [resource.getrlimit(resource.RLIMIT_DATA) for _ in session.train(stop)]

    assert all((limit == before) == is_forced for limit in within)
    assert resource.getrlimit(resource.RLIMIT_DATA) == before


def test_memory_that_is_free_is_less_than_there_is() -> None:
    assert 1e8 < training_memory.free_bytes("cpu") < 1e14


# --- on the way


@pytest.fixture
def small_memory(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Let a network run out of memory when a training batch has too many rows."""
    forward = RecurrentNetwork.forward

    def limit(rows: int) -> None:
        def limited(self: RecurrentNetwork, tokens: torch.Tensor, *args: Any) -> Any:
            if torch.is_grad_enabled() and tokens.shape[1] > rows:
                raise torch.OutOfMemoryError("CUDA out of memory.")
            return forward(self, tokens, *args)

        monkeypatch.setattr(RecurrentNetwork, "forward", limited)

    return limit


@pytest.mark.parametrize(
    ("documents", "rows"), [("file", 1), ("file", 2), ("file", 3), ("line", 1)]
)
def test_batch_that_does_not_fit_is_read_in_parts_with_the_same_gradient(
    documents: str, rows: int, small_memory: Callable[[int], None]
) -> None:
    asked = request(documents, layers=2, learned_state=True)
    whole = train(replace(asked, out="whole"))
    small_memory(rows)

    parts = train(replace(asked, out="parts"))

    # the same sums in another order, in float32
    for name, values in whole.trainer.state.network.tensors().items():
        found = parts.trainer.state.network.tensors()[name]
        np.testing.assert_allclose(found, values, atol=2e-4)
    events = [event["event"] for event in metrics(parts)]
    assert events.count("warning") >= 1
    assert events.count("step") == [e["event"] for e in metrics(whole)].count("step")


def test_smaller_parts_are_told_once(
    charrnn: Any, small_memory: Callable[[int], None]
) -> None:
    small_memory(2)

    result = charrnn("train", "file.txt", *OPTIONS)

    assert result.exit_code == 0
    said = [line for line in result.stderr.splitlines() if "warning" in line]
    assert said == [
        "warning: out of memory: each batch is now split into 2 micro-batches"
    ]


def test_memory_for_not_even_one_row_is_an_error(
    small_memory: Callable[[int], None],
) -> None:
    small_memory(0)

    with pytest.raises(ResourceError, match="not enough memory for one row"):
        train(request())


def test_validation_that_does_not_fit_is_read_in_parts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    whole = train(request("line", out="whole"))
    forward = RecurrentNetwork.forward

    def limited(self: RecurrentNetwork, tokens: torch.Tensor, *args: Any) -> Any:
        if not torch.is_grad_enabled() and tokens.numel() > 40:
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory")
        return forward(self, tokens, *args)

    monkeypatch.setattr(RecurrentNetwork, "forward", limited)
    monkeypatch.setattr("charrnn.data.validation.VALIDATION_WINDOW", 8)

    parts = train(request("line", out="parts"))

    best = parts.trainer.state.counters.best_nats
    assert best == pytest.approx(whole.trainer.state.counters.best_nats, rel=1e-5)


def test_other_errors_of_a_kernel_stay_what_they_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*_: Any) -> Any:
        raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")

    monkeypatch.setattr(RecurrentNetwork, "forward", fail)

    with pytest.raises(RuntimeError, match="mat1"):
        train(request())
