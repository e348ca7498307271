"""The number of threads is the one that measured fastest."""

import pytest
import torch

from charrnn.models.recurrent.config import RecurrentConfig
from charrnn.training.config import TrainConfig
from charrnn.training.machine import threads
from charrnn.training.machine.this_machine import ThisMachine
from charrnn.training.machine.threads import fastest_threads


@pytest.mark.parametrize(
    ("cores", "seconds", "fastest"),
    [
        (1, {1: 1.0}, 1),
        (2, {1: 1.0, 2: 0.6}, 2),
        (2, {1: 1.0, 2: 1.05}, 2),  # not clearly slower
        (2, {1: 1.0, 2: 1.2}, 1),
        (6, {1: 1.0, 2: 0.6, 4: 0.4, 6: 0.3}, 6),
        (16, {1: 1.0, 2: 0.6, 4: 0.5, 8: 0.7, 16: 0.9}, 4),
    ],
)
def test_as_many_threads_are_taken_as_are_not_clearly_slower(
    cores: int,
    seconds: dict[int, float],
    fastest: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now: list[int] = []
    monkeypatch.setattr(threads, "available_cores", lambda: cores)
    monkeypatch.setattr(torch, "set_num_threads", now.append)
    monkeypatch.setattr(threads, "_seconds", lambda run: seconds[now[-1]])

    assert fastest_threads(lambda: torch.ones(1, requires_grad=True), "fp32") == fastest


@pytest.mark.parametrize("cell", ["lstm", "lstm-peephole", "gru", "mingru"])
def test_measuring_leaves_the_threads_as_they_were(cell: str) -> None:
    before = torch.get_num_threads()

    model = RecurrentConfig(5, cell=cell, hidden=8)
    machine = ThisMachine({"precision": "fp32", "device": "cpu"}, force=False)
    found = machine.threads("recurrent", model, TrainConfig(batch=4))

    assert 1 <= found <= threads.available_cores()
    assert torch.get_num_threads() == before
