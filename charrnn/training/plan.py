"""A plan: a value for every option that a request left open, with the reasons.

`complete` is a pure function of the corpus statistics, the given options and a
machine, so that the defaults can be tested without training.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

from charrnn.models.families import FAMILIES
from charrnn.models.recipe import CorpusStatistics, GradientRecipe, Recipe
from charrnn.training.config import BUDGETS, TrainConfig

DEFAULT_TIME_S: Final = 300.0
#: rough GFLOP/s of a training step on one core, at 6 FLOP per parameter and token
CORE_GFLOPS: Final = {"fp32": 70.0, "bf16": 120.0, "fp16": 120.0}
GPU_GFLOPS: Final = 20_000.0
MAX_TOKENS_S: Final = 60_000.0  #: most tokens/s, even of a tiny network
#: the number of epochs after which a run without a given budget ends early, for long
#: and for short documents: a network of 384 units has its best validation on
#: corpora/ferry.txt after 12 to 17 epochs; one trained on names improves beyond 50
MAX_EPOCHS: Final = 14.0
MAX_EPOCHS_SHORT: Final = 60.0


@dataclass(frozen=True)
class Plan:
    """The configs of a model and its training, with the reason for each choice.

    training: None for a model that is fitted by counting.
    """

    family: str
    model: Any
    training: TrainConfig | None
    reasons: tuple[str, ...]


class Machine(Protocol):
    """The information that a plan needs about the machine that will run it."""

    device: str  #: "cpu" or the name of a GPU
    precision: str
    reason: str  #: why this precision was chosen

    def check_memory(
        self,
        shapes: Mapping[str, tuple[int, ...]],
        training: TrainConfig,
        longest: int,
    ) -> None:
        """Raise ResourceError if training is likely to need too much memory."""

    def threads(self, family: str, model: Any, training: TrainConfig) -> int:
        """Return the number of threads to train with."""


def complete(
    family: str,
    data: CorpusStatistics,
    sizes: Mapping[str, Any],
    training: Mapping[str, Any],
    machine: Machine | None = None,
) -> Plan:
    """Choose every value that was not given; return the complete plan.

    sizes: given fields of the family's config. training: given fields of TrainConfig.
    machine: None for n-gram models. Raises UsageError for values that contradict each
    other, ResourceError if training needs too much memory.
    """
    recipe: type[Recipe] = FAMILIES[family].recipe_type
    device = machine.device if machine else "cpu"
    given = dict(training)
    has_budget = any(given.get(name) for name in BUDGETS)
    if not has_budget:
        given["time_s"] = DEFAULT_TIME_S
    model, reasons = recipe.sizes(data, sizes, given, device)
    if not (machine and issubclass(recipe, GradientRecipe)):
        return Plan(family, model, None, tuple(reasons))
    chosen: dict[str, Any] = {**recipe.windows(data, given)}
    chosen |= {"device": device, "precision": machine.precision} | given
    shapes = recipe.parameter_shapes(model)
    longest = recipe.steps(model, data.longest)
    machine.check_memory(shapes, TrainConfig(**chosen), longest)
    if "threads" not in given:
        chosen["threads"] = machine.threads(family, model, TrainConfig(**chosen))
    products = recipe.product_count(model)
    epochs = _expected_epochs(products, TrainConfig(**chosen), data.tokens)
    enough = MAX_EPOCHS_SHORT if data.has_short_documents else MAX_EPOCHS
    if not has_budget and epochs > enough:
        chosen["max_epochs"] = epochs = enough
        reasons.append(f"capped at {enough:g} epochs to avoid overfitting")
    fixed = given.get("dropout")
    first, last = recipe.dropout(epochs) if fixed is None else (fixed, fixed)
    rates: dict[str, Any] = {
        "lr": recipe.peak_rate(model, epochs),
        "dropout": first,
        "dropout_rise": last - first,
        "weight_decay": 0.1 if epochs < 30 else 0.2,
        "label_smoothing": recipe.label_smoothing,
    }
    config = TrainConfig(**(rates | chosen))
    if fixed is None:
        most = config.dropout + config.dropout_rise
        rise = f"dropout {config.dropout:g} to {most:.2g}"
        reasons.append(f"{rise}: about {epochs:,.1f} epochs")
    reasons.append(f"{machine.precision}: {machine.reason}")
    return Plan(family, model, config, tuple(reasons))


def _expected_epochs(products: int, config: TrainConfig, train_tokens: int) -> float:
    """Estimate how many epochs fit into a budget.

    products: multiplications per token in the forward pass.
    """
    if config.epochs:
        return config.epochs
    # a batch cannot hold more tokens than the text
    tokens: float = config.steps * min(config.batch * config.bptt, train_tokens)
    if config.time_s:
        cores = CORE_GFLOPS[config.precision] * min(config.threads, 8)
        gflops = cores if config.device == "cpu" else GPU_GFLOPS
        speed = min(MAX_TOKENS_S, gflops * 1e9 / (6 * products))
        tokens = config.time_s * speed
    return tokens / max(1, train_tokens)
