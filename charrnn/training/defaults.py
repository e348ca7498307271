"""Sizes and rates for what the user did not choose, with the reason for each.

They follow from how much text there is, how long it may train, and what the machine
does. README.md has the measurements behind them.
"""

import math
import os
from collections.abc import Mapping
from typing import Any, Final

from charrnn.batches import are_short
from charrnn.config import RecurrentConfig, TrainConfig
from charrnn.errors import ResourceError, UsageError
from charrnn.models.recurrent import parameter_count
from charrnn.models.threads import available_cores
from charrnn.store import TokenStore
from charrnn.training.budget import BUDGETS, LONG_TOKENS, check_budget
from charrnn.training.precision import choose_device, choose_precision
from charrnn.training.session import Choice
from charrnn.training.threads import fastest_threads

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
SHORT_TIME_S: Final = 120.0  #: below it more steps of short windows
LONG_TIME_S: Final = 900.0  #: from there a network twice as wide pays


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
    has_short_documents = are_short(store.train, TrainConfig.bptt)
    hidden = _hidden(store, has_short_documents, device, given.get("time_s", 0))
    network = _network(vocab_size, {"hidden": hidden, **model})
    _check_machine(network, given.get("threads", 1))
    machine = {"device": device, "precision": precision}
    windows = _windows(store, vocab_size, given) | machine | given
    if "threads" not in given and device == "cpu":
        windows["threads"] = fastest_threads(network, windows["batch"], precision)
    elif "threads" not in given:
        # nothing to measure: a GPU trains, whose format the processor may not run
        windows["threads"] = available_cores()
    epochs = _expected_epochs(network, TrainConfig(**windows), store)
    enough = ENOUGH_EPOCHS_SHORT if has_short_documents else ENOUGH_EPOCHS
    reasons = []
    if "hidden" not in model:
        reasons.append(f"hidden {hidden}: {store.train.targets:,} tokens to train on")
    if not has_budget and epochs > enough:
        windows["max_epochs"] = epochs = enough
        reasons.append(f"at most {enough:g} epochs: more would learn it by heart")
    config = TrainConfig(**(_rates(network, given, epochs) | windows))
    if "dropout" not in given:
        most = config.dropout + config.dropout_rise
        rise = f"dropout {config.dropout:g} to {most:.2g}"
        reasons.append(f"{rise}: about {epochs:,.1f} epochs")
    reasons.append(f"{precision}: {why}")
    return Choice(network, config, tuple(reasons))


def _hidden(
    store: TokenStore, has_short_documents: bool, device: str, time_s: float
) -> int:
    """Return how many units suit the text, and the time to learn it."""
    tokens = store.train.targets
    if tokens < 100_000 or (tokens < 1_000_000 and has_short_documents):
        return 256
    if tokens < 300_000:
        return 384
    if device == "cpu":
        return 512 if time_s < LONG_TIME_S else 1024
    return 512 if tokens < 1_000_000 else 768


def _network(vocab_size: int, given: Mapping[str, Any]) -> RecurrentConfig:
    """Return the network: an embedding is the wider the more there is to tell apart."""
    words = vocab_size > LONG_TOKENS
    embed = 256 if words else 64 if vocab_size <= 128 else 128
    sizes = {"embed": embed, "tie": words}
    return RecurrentConfig(**{**sizes, **given, "vocab_size": vocab_size})


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
    has_short_time = 0 < given.get("time_s", 0) < SHORT_TIME_S
    # a word or subword is some four characters: the same text in fewer tokens
    is_short = has_short_time or vocab_size > LONG_TOKENS
    bptt = given.get("bptt", 64 if is_short else 128)
    # fewer streams when the text is too short to fill them
    batch = min(32, max(1, store.train.targets // (4 * bptt)))
    stages = 1 if "bptt" in given or has_short_time else 2
    return {"batch": batch, "bptt": bptt, "stages": stages}


def _rates(
    network: RecurrentConfig, given: Mapping[str, Any], epochs: float
) -> dict[str, Any]:
    """Return the learning rate, and more regularisation the more epochs there are.

    Dropout rises from a start that hardly slows learning, as what was read often is
    learned by heart (Morerio et al. 2017). A dropout that is given stays as it is.
    """
    most = min(0.6, 0.1 + 0.05 * epochs)
    # what is read but once or twice is learned in large steps
    peak = 8e-3 if epochs < 3 else 5e-3
    return {
        "lr": peak * min(1.0, math.sqrt(512 / network.hidden)),
        "dropout": 0.1,
        "dropout_rise": 0.0 if "dropout" in given else most - 0.1,
        "weight_decay": 0.1 if epochs < 30 else 0.2,
    }


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
