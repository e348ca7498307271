"""Sizes and rates for what the user did not choose, with the reason for each.

They follow from how much text there is, how long it may train, and what the machine
does. README.md has the measurements behind them.
"""

import os
from collections.abc import Mapping
from typing import Any, Final

from charrnn.data.batches import are_short
from charrnn.data.store import TokenStore
from charrnn.errors import UsageError
from charrnn.inference.threads import available_cores
from charrnn.models.network import Network
from charrnn.training.config import BUDGETS, TrainConfig
from charrnn.training.machine.precision import choose_device, choose_precision
from charrnn.training.machine.room import check_memory
from charrnn.training.machine.threads import fastest_threads
from charrnn.training.ngram_partner import hold_out
from charrnn.training.session import Choice

DEFAULT_TIME_S: Final = 300.0
#: GFLOP/s of a training step on one core, roughly; 6 FLOP a parameter and token
CORE_GFLOPS: Final = {"fp32": 70.0, "bf16": 120.0, "fp16": 120.0}
GPU_GFLOPS: Final = 20_000.0
MOST_TOKENS_S: Final = 60_000.0  #: of small networks, whatever their size
#: where a run without a budget ends early, by the length of documents: a network of 384
#: units validates best on corpora/ferry.txt after 12 to 17 epochs; names are still
#: learned after 50
ENOUGH_EPOCHS: Final = 14.0
ENOUGH_EPOCHS_SHORT: Final = 60.0


def choose(
    kind: type[Network],
    store: TokenStore,
    model: Mapping[str, Any],
    training: Mapping[str, Any],
    *,
    force: bool = False,
) -> Choice:
    """Complete what was given: fields of the network's config and of TrainConfig.

    "auto" for device or precision is the same as not given. force: also train what is
    likely to need more memory than there is. Raises UsageError if what was given makes
    no sense, ResourceError for too little memory.
    """
    given = {name: value for name, value in training.items() if value != "auto"}
    has_budget = any(given.get(name) for name in BUDGETS)
    if not has_budget:
        given["time_s"] = DEFAULT_TIME_S
    _check_threads(given.get("threads", 1))
    device = choose_device(given.get("device", "auto"))
    precision, why = choose_precision(given.get("precision", "auto"), device)
    network, reasons = kind.choose(store, model, given, device=device)
    machine = {"device": device, "precision": precision}
    chosen = kind.choose_windows(store, given) | machine | given
    if not force:
        check_memory(kind.parameter_shapes(network), TrainConfig(**chosen))
    if "threads" not in given:
        chosen["threads"] = _threads(kind, network, TrainConfig(**chosen))
    products = kind.product_count(network)
    epochs = _expected_epochs(products, TrainConfig(**chosen), store)
    is_short = are_short(store.train, TrainConfig.bptt)
    enough = ENOUGH_EPOCHS_SHORT if is_short else ENOUGH_EPOCHS
    if not has_budget and epochs > enough:
        chosen["max_epochs"] = epochs = enough
        reasons.append(f"at most {enough:g} epochs: more would learn it by heart")
    rates = _rates(kind, network, epochs, dropout=given.get("dropout"))
    config = TrainConfig(**(rates | chosen))
    if "dropout" not in given:
        most = config.dropout + config.dropout_rise
        rise = f"dropout {config.dropout:g} to {most:.2g}"
        reasons.append(f"{rise}: about {epochs:,.1f} epochs")
    reasons.append(f"{precision}: {why}")
    if config.with_ngram:
        _, held = hold_out(store.train)
        reasons.append(f"{held.targets:,} tokens find the weight of the n-gram model")
    return Choice(network, config, tuple(reasons))


def _check_threads(threads: int) -> None:
    cores = os.cpu_count() or 1
    if threads > cores:
        raise UsageError(
            f"--threads is {threads:,}, but there are {cores} cores",
            hint="leave --threads out",
        )


def _threads(kind: type[Network], network: Any, training: TrainConfig) -> int:
    """Return how many threads to train with."""
    if training.device != "cpu":
        # nothing to measure: a GPU trains, whose format the processor may not run
        return available_cores()
    return fastest_threads(kind.probe(network, training.batch), training.precision)


def _rates(
    kind: type[Network], network: Any, epochs: float, *, dropout: float | None
) -> dict[str, Any]:
    """Return the rates for so many epochs; a dropout that is given stays as it is."""
    first, last = (dropout, dropout) if dropout is not None else kind.dropout(epochs)
    return {
        "lr": kind.peak_rate(network, epochs),
        "dropout": first,
        "dropout_rise": last - first,
        "weight_decay": 0.1 if epochs < 30 else 0.2,
    }


def _expected_epochs(products: int, config: TrainConfig, store: TokenStore) -> float:
    """Return how often a budget will read the training part, roughly.

    products: of each token with a weight, forwards.
    """
    if config.epochs:
        return config.epochs
    # a batch holds no more than the text
    tokens: float = config.steps * min(config.batch * config.bptt, store.train.targets)
    if config.time_s:
        cores = CORE_GFLOPS[config.precision] * min(config.threads, 8)
        gflops = cores if config.device == "cpu" else GPU_GFLOPS
        speed = min(MOST_TOKENS_S, gflops * 1e9 / (6 * products))
        tokens = config.time_s * speed
    return tokens / max(1, store.train.targets)
