"""Sizes and rates for what the user did not choose, with the reason for each.

They follow from how much text there is, how long it may train, and what the machine
does. README.md has the measurements behind them.
"""

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from charrnn.batches import are_short
from charrnn.config import RecurrentConfig, TrainConfig
from charrnn.errors import UsageError
from charrnn.store import TokenStore
from charrnn.training.precision import choose_device, choose_precision

BUDGETS: Final = ("time_s", "epochs", "steps")
DEFAULT_TIME_S: Final = 300.0
#: GFLOP/s of a training step on one core, roughly; 6 FLOP a parameter and token
CORE_GFLOPS: Final = {"fp32": 55.0, "bf16": 95.0}
GPU_GFLOPS: Final = 20_000.0


@dataclass(frozen=True)
class Choice:
    """A network, how to train it, and why, in a few phrases."""

    model: RecurrentConfig
    training: TrainConfig
    reasons: tuple[str, ...]


def choose(
    store: TokenStore,
    vocab_size: int,
    model: dict[str, Any],
    training: dict[str, Any],
) -> Choice:
    """Complete what was given: fields of RecurrentConfig and TrainConfig.

    Raises UsageError if what was given makes no sense.
    """
    check_budget(training)
    training = dict(training)
    if not any(training.get(name) for name in BUDGETS):
        training["time_s"] = DEFAULT_TIME_S
    device = choose_device(training.get("device", "auto"))
    precision, why = choose_precision(training.get("precision", "auto"), device)
    sizes, reason = _sizes(store, vocab_size, training, device)
    network = RecurrentConfig(**({"vocab_size": vocab_size} | sizes | model))
    threads = training.get("threads") or _threads(network)
    seen = _expected_tokens(network, training, store, precision, device, threads)
    epochs = seen / max(1, store.train.targets)
    rest = _rates(store, vocab_size, training, epochs)
    fixed = {"device": device, "precision": precision, "threads": threads}
    config = TrainConfig(**(rest | training | fixed))
    reasons = (
        reason,
        f"dropout {config.dropout:g}: about {epochs:,.1f} epochs are ahead",
        f"{precision} on {threads} threads: {why}",
    )
    return Choice(network, config, reasons)


def check_budget(training: Mapping[str, Any]) -> None:
    """Raise UsageError unless at most one budget is given, and that is one."""
    given = [name for name in BUDGETS if name in training]
    if len(given) > 1:
        raise UsageError(
            "more than one of --time, --epochs and --steps is given",
            hint="a run has one budget: give one of them",
        )
    for name in given:
        if not 0 < training[name] < math.inf:
            flag = name.removesuffix("_s")
            raise UsageError(f"--{flag} is {training[name]:g}, not a number above 0")


def parameter_count(config: RecurrentConfig) -> int:
    """Return the number of weights of a network."""
    from charrnn.models.recurrent import parameter_shapes

    sizes = []
    for shape in parameter_shapes(config).values():
        size = 1
        for length in shape:
            size *= length
        sizes.append(size)
    return sum(sizes)


def available_cores() -> int:
    """Return the cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _sizes(
    store: TokenStore, vocab_size: int, training: dict[str, Any], device: str
) -> tuple[dict[str, Any], str]:
    """Return the shape of the network, and the reason."""
    tokens = store.train.targets
    if tokens < 100_000:
        hidden = 256
    elif are_short(store.train, training.get("bptt", 128)):
        hidden = 256 if tokens < 1_000_000 else 512
    else:
        hidden = 512
    if device != "cpu" and tokens > 1_000_000:
        hidden = 768
    words = vocab_size > 1024
    sizes = {"hidden": hidden, "embed": 256 if words else 128, "tie": words}
    return sizes, f"hidden {hidden}: the training part has {tokens:,} tokens"


def _expected_tokens(
    network: RecurrentConfig,
    training: dict[str, Any],
    store: TokenStore,
    precision: str,
    device: str,
    threads: int,
) -> float:
    """Return how many tokens a budget will train on, roughly."""
    part = store.train.targets
    if training.get("epochs"):
        return float(training["epochs"] * part)
    if training.get("steps"):
        window = training.get("batch", 32) * training.get("bptt", 128)
        return float(training["steps"] * window)
    gflops = GPU_GFLOPS if device != "cpu" else CORE_GFLOPS[precision] * min(threads, 8)
    embedding = network.vocab_size * network.embed
    products = parameter_count(network) - (0 if network.tie else embedding)
    return float(training["time_s"]) * gflops * 1e9 / (6 * products)


def _threads(network: RecurrentConfig) -> int:
    """Return the threads: one for small layers, whose products are too short to share.

    Fifty steps of 16 units on two busy cores took 21 s with two threads, 0.14 with one.
    """
    return 1 if network.hidden <= 128 else available_cores()


def _rates(
    store: TokenStore, vocab_size: int, training: dict[str, Any], epochs: float
) -> dict[str, Any]:
    """Return batch, window, rate, dropout and decay."""
    short_time = 0 < training.get("time_s", 0) < 90
    # a word or subword is some four characters: the same text in fewer tokens
    long_tokens = vocab_size > 1024
    return {
        "batch": _batch(store, training),
        "bptt": 64 if short_time or long_tokens else 128,
        "lr": 5e-3 if short_time else 4e-3,
        "dropout": 0.1 if epochs < 10 else 0.25 if epochs < 30 else 0.4,
        "weight_decay": 0.1 if epochs < 10 else 0.2,
    }


def _batch(store: TokenStore, training: dict[str, Any]) -> int:
    """Return the streams: 32, fewer when the text is too short to fill them."""
    tokens = store.train.targets
    return int(min(32, max(1, tokens // (4 * training.get("bptt", 128)))))
