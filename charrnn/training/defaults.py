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
from charrnn.errors import ResourceError, UsageError
from charrnn.models.recurrent import parameter_count
from charrnn.store import TokenStore
from charrnn.training.precision import choose_device, choose_precision
from charrnn.training.threads import fastest_threads

BUDGETS: Final = ("time_s", "epochs", "steps")
DEFAULT_TIME_S: Final = 300.0
#: GFLOP/s of a training step on one core, roughly; 6 FLOP a parameter and token
CORE_GFLOPS: Final = {"fp32": 55.0, "bf16": 95.0}
GPU_GFLOPS: Final = 20_000.0
MOST_TOKENS_S: Final = 60_000.0  #: of small networks, whatever their size
#: where a time budget ends early, by the length of documents. A GRU of 384 units
#: validates best on corpora/ferry.txt after 12 epochs (1.60 bits a character, five
#: minutes of 60 epochs give 1.67); names are still learned after 50
MOST_EPOCHS: Final = {"long": 14.0, "short": 60.0}
SHORT_TIME_S: Final = 90.0  #: below it smaller, faster steps
LONG_TOKENS: Final = 1024  #: vocabularies above it are of words or subwords


@dataclass(frozen=True)
class Choice:
    """A network, how to train it, and why, in a few phrases."""

    model: RecurrentConfig
    training: TrainConfig
    reasons: tuple[str, ...]


def choose(
    store: TokenStore,
    vocab_size: int,
    model: Mapping[str, Any],
    training: Mapping[str, Any],
) -> Choice:
    """Complete what was given: fields of RecurrentConfig and TrainConfig.

    "auto" for device or precision is the same as not given. Raises UsageError if
    what was given makes no sense.
    """
    check_budget(training)
    given = {name: value for name, value in training.items() if value != "auto"}
    has_budget = any(given.get(name) for name in BUDGETS)
    if not has_budget:
        given["time_s"] = DEFAULT_TIME_S
    device = choose_device(given.get("device", "auto"))
    precision, why = choose_precision(given.get("precision", "auto"), device)
    network, because = _network(store, vocab_size, model, device)
    _check_machine(network, given.get("threads", 1))
    machine = {"device": device, "precision": precision}
    windows = _windows(store, vocab_size, given) | machine | given
    if "threads" not in given:
        windows["threads"] = fastest_threads(network, windows["batch"], precision)
    epochs = _expected_epochs(network, TrainConfig(**windows), store)
    enough = MOST_EPOCHS["short" if are_short(store.train, 128) else "long"]
    reasons = [because] if because else []
    if not has_budget and epochs > enough:
        windows["max_epochs"] = epochs = enough
        reasons.append(f"at most {enough:g} epochs: more would learn it by heart")
    config = TrainConfig(**(_rates(given, epochs) | windows))
    if "dropout" not in given:
        reasons.append(f"dropout {config.dropout:g}: about {epochs:,.1f} epochs")
    reasons.append(f"{precision}: {why}")
    return Choice(network, config, tuple(reasons))


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


def _network(
    store: TokenStore, vocab_size: int, given: Mapping[str, Any], device: str
) -> tuple[RecurrentConfig, str]:
    """Return the network, and the reason for its size if that was chosen here."""
    tokens = store.train.targets
    if tokens < 100_000 or (tokens < 1_000_000 and are_short(store.train, 128)):
        hidden = 256
    elif tokens < 300_000:
        hidden = 384
    elif device == "cpu" or tokens < 1_000_000:
        hidden = 512
    else:
        hidden = 768
    words = vocab_size > LONG_TOKENS
    sizes = {"hidden": hidden, "embed": 256 if words else 128, "tie": words}
    network = RecurrentConfig(**{**sizes, **given, "vocab_size": vocab_size})
    because = f"hidden {hidden}: {tokens:,} tokens to train on"
    return network, "" if "hidden" in given else because


def _check_machine(network: RecurrentConfig, threads: int) -> None:
    """Raise UsageError or ResourceError for what this machine cannot do."""
    cores = os.cpu_count() or 1
    if threads > cores:
        raise UsageError(
            f"--threads is {threads:,}, but there are {cores} cores",
            hint="leave --threads out",
        )
    # weights, gradients and Adam's two moments, in float32
    needed = 16 * parameter_count(network)
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    if needed > memory:
        raise ResourceError(
            f"the network needs {needed / 1e9:,.0f} GB; there are {memory / 1e9:,.0f}",
            hint="take a smaller --hidden, --embed or --layers",
        )


def _windows(
    store: TokenStore, vocab_size: int, given: Mapping[str, Any]
) -> dict[str, Any]:
    """Return how many tokens a step reads: windows of `bptt`, `batch` side by side."""
    # a word or subword is some four characters: the same text in fewer tokens
    is_short = _has_short_time(given) or vocab_size > LONG_TOKENS
    bptt = given.get("bptt", 64 if is_short else 128)
    # fewer streams when the text is too short to fill them
    batch = min(32, max(1, store.train.targets // (4 * bptt)))
    stages = 1 if "bptt" in given else 2
    return {"batch": batch, "bptt": bptt, "stages": stages}


def _rates(given: Mapping[str, Any], epochs: float) -> dict[str, Any]:
    """Return the learning rate, and more regularisation the more epochs there are."""
    return {
        "lr": 5e-3 if _has_short_time(given) else 4e-3,
        "dropout": 0.1 if epochs < 10 else 0.25 if epochs < 30 else 0.4,
        "weight_decay": 0.1 if epochs < 10 else 0.2,
    }


def _has_short_time(given: Mapping[str, Any]) -> bool:
    return bool(0 < given.get("time_s", 0) < SHORT_TIME_S)


def _expected_epochs(
    network: RecurrentConfig, config: TrainConfig, store: TokenStore
) -> float:
    """Return how often a budget will read the training part, roughly."""
    if config.epochs:
        return config.epochs
    # a batch holds no more than the text
    tokens: float = config.steps * min(config.batch * config.bptt, store.train.targets)
    if config.time_s:
        cores = CORE_GFLOPS[config.precision] * min(config.threads, 8)
        gflops = cores if config.device == "cpu" else GPU_GFLOPS
        # looking up an embedding is no product
        looked_up = 0 if network.tie else network.vocab_size * network.embed
        products = parameter_count(network) - looked_up
        speed = min(MOST_TOKENS_S, gflops * 1e9 / (6 * products))
        tokens = config.time_s * speed
    return tokens / max(1, store.train.targets)
