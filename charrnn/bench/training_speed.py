"""Measure how fast networks train, in torch. B is the batch size, T the window size."""

import math
from functools import partial
from typing import Any

import torch
from torch.nn import functional as F

from charrnn.bench.measurement import Reading, Run, compare, matrices
from charrnn.models.families import FAMILIES
from charrnn.models.recurrent.config import RecurrentConfig
from charrnn.training.machine import precision as numbers
from charrnn.training.machine.process import process_settings
from charrnn.training.machine.threads import fastest_threads
from charrnn.training.machine.training_memory import reporting_memory

B, T = 32, 128  # the defaults of `charrnn train`


def training_speed(config: RecurrentConfig, *, seconds: float) -> Reading:
    """Return the speed of training a network with the defaults of `charrnn train`."""
    device = numbers.choose_device("auto")
    precision, _ = numbers.choose_precision("auto", device)
    flop = 6 * sum(map(math.prod, matrices(config).values()))
    with process_settings(), reporting_memory("training this network"):
        step = _training_step(config, device, precision)
        runs = step, product_step(config, device, precision)
        name = f"train {config.title}, {precision} x {torch.get_num_threads()}"
        return compare(name, "tokens/s", runs, flop, seconds)


def _training_step(config: RecurrentConfig, device: str, precision: str) -> Run:
    """Return a run of one training step, after choosing the fastest thread count."""
    generator = torch.Generator().manual_seed(1)
    network = FAMILIES["recurrent"].network_type(config).to(device)
    network.initialize(generator)
    text = torch.randint(config.vocab_size, (T + 1, B), generator=generator).to(device)
    masks = [torch.ones(B, width, device=device) for width in network.masked]
    # the rate is low, because some cells diverge on random text
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-5, fused=True)

    def logits(steps: int) -> Any:
        return network(text[:steps], network.initial_state(B), masks)[0]

    def step() -> float:
        optimizer.zero_grad()
        with numbers.autocast(precision, device):
            scores = logits(T).flatten(0, 1)
        F.cross_entropy(scores.float(), text[1:].flatten()).backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        torch.get_device_module(device).synchronize()
        return T * B

    if device == "cpu":
        torch.set_num_threads(fastest_threads(lambda: logits(T // 8), precision))
    return step


def product_step(config: RecurrentConfig, device: str, precision: str) -> Run:
    """Return a function that does only the matrix products of one training step.

    A recurrent matrix is multiplied by B rows, T times. The others are multiplied by
    T * B rows, once.
    """
    kind = numbers.HALVES.get(precision, torch.float32)
    ones = partial(torch.ones, dtype=kind, device=device)
    operands = [
        (ones(T * B, I), ones(O, I), ones(T * B, O), T if "weight_hh" in name else 1)
        for name, (O, I) in matrices(config).items()  # noqa: E741
    ]

    def multiply() -> float:
        for inputs, weight, gradients, pieces in operands:
            for rows in inputs.chunk(pieces):
                torch.mm(rows, weight.T)
            for rows in gradients.chunk(pieces):
                torch.mm(rows, weight)
            torch.mm(gradients.T, inputs)
        torch.get_device_module(device).synchronize()
        return T * B

    return multiply
