"""The number of threads is the one that measured fastest."""

import pytest
import torch

from charrnn.config import RecurrentConfig
from charrnn.training import threads
from charrnn.training.threads import fastest_threads

NETWORK = RecurrentConfig(vocab_size=5, hidden=8)


@pytest.mark.parametrize(
    ("cores", "seconds", "fastest"),
    [
        (1, {1: 1.0}, 1),
        (2, {1: 1.0, 2: 0.6}, 2),
        (2, {1: 1.0, 2: 1.1}, 1),
        (6, {1: 1.0, 2: 0.6, 4: 0.4, 6: 0.3}, 6),
        (16, {1: 1.0, 2: 0.6, 4: 0.5, 8: 0.7}, 4),  # 16 are not tried
    ],
)
def test_more_threads_are_taken_while_they_are_faster(
    cores: int,
    seconds: dict[int, float],
    fastest: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(threads, "available_cores", lambda: cores)
    monkeypatch.setattr(threads, "_layer_s", lambda *given: seconds[given[-1]])

    assert fastest_threads(NETWORK, 4, "fp32") == fastest


@pytest.mark.parametrize("cell", ["lstm", "lstm-peephole", "gru", "mingru"])
def test_measuring_leaves_the_threads_as_they_were(cell: str) -> None:
    before = torch.get_num_threads()

    found = fastest_threads(RecurrentConfig(5, cell=cell, hidden=8), 4, "fp32")

    assert 1 <= found <= threads.available_cores()
    assert torch.get_num_threads() == before
