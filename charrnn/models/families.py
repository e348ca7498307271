"""The registry of model families and the classes of each family."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Final

from charrnn.fields import options_of
from charrnn.registry import named


@dataclass(frozen=True)
class Family:
    """The classes of a family, each as "module:Object".

    config: the frozen dataclass of its sizes. model: its models, in NumPy. network: its
    networks, trained by gradient descent in torch; "" for a family that only counts.
    recipe: chooses the options that the user did not set; "" for models that are not
    trained. tasks: the tasks that it can learn.
    """

    config: str
    model: str
    network: str = ""
    recipe: str = ""
    tasks: tuple[str, ...] = ("language",)

    @property
    def config_type(self) -> type[Any]:
        """The dataclass of the family's sizes."""
        found: type[Any] = named(self.config)
        return found

    @property
    def model_type(self) -> type[Any]:
        """The class of the family's models, a `models.base.LanguageModel`."""
        found: type[Any] = named(self.model)
        return found

    @property
    def network_type(self) -> type[Any]:
        """The class of the family's networks, a `models.network.Network`."""
        found: type[Any] = named(self.network)
        return found

    @property
    def recipe_type(self) -> type[Any]:
        """The class that chooses the family's defaults, a `models.recipe.Recipe`."""
        found: type[Any] = named(self.recipe)
        return found

    def smallest(self, given: Mapping[str, Any]) -> Any:
        """Return a config with the given fields; sizes that depend on data are 1."""
        sizes = {one.name for one in fields(self.config_type)}
        unknown = {"vocab_size", "source_size"} & sizes
        return self.config_type(**dict.fromkeys(unknown, 1) | dict(given))

    @property
    def options(self) -> set[str]:
        """The fields that a user can set; the others follow from the data."""
        return {one.field for one in options_of(self.config_type)}


FAMILIES: Final = {
    "recurrent": Family(
        config="charrnn.models.recurrent.config:RecurrentConfig",
        model="charrnn.models.recurrent.model:RecurrentModel",
        network="charrnn.models.recurrent.network:RecurrentNetwork",
        recipe="charrnn.models.recurrent.recipe:RecurrentRecipe",
    ),
    "window": Family(
        config="charrnn.models.window.config:WindowConfig",
        model="charrnn.models.window.model:WindowModel",
        network="charrnn.models.window.network:WindowNetwork",
        recipe="charrnn.models.window.recipe:WindowRecipe",
    ),
    "ngram": Family(
        config="charrnn.models.ngram.config:NgramConfig",
        model="charrnn.models.ngram.model:NgramModel",
        recipe="charrnn.models.ngram.recipe:NgramRecipe",
    ),
    "translator": Family(
        config="charrnn.models.translator.config:TranslatorConfig",
        model="charrnn.models.translator.model:TranslatorModel",
        network="charrnn.models.translator.network:TranslatorNetwork",
        recipe="charrnn.models.translator.recipe:TranslatorRecipe",
        tasks=("translate",),
    ),
    "labeller": Family(
        config="charrnn.models.labeller.config:LabellerConfig",
        model="charrnn.models.labeller.model:LabellerModel",
        network="charrnn.models.labeller.network:LabellerNetwork",
        recipe="charrnn.models.labeller.recipe:LabellerRecipe",
        tasks=("classify", "tag"),
    ),
    "bayes": Family(
        config="charrnn.models.bayes.config:BayesConfig",
        model="charrnn.models.bayes.model:BayesModel",
        recipe="charrnn.models.bayes.recipe:BayesRecipe",
        tasks=("classify",),
    ),
    "mixture": Family(
        config="charrnn.models.mixture:MixtureConfig",
        model="charrnn.models.mixture:MixtureModel",
    ),
    "product": Family(
        config="charrnn.models.mixture:MixtureConfig",
        model="charrnn.models.product:ProductModel",
        tasks=("classify",),
    ),
}


def trained_families(task: str = "") -> tuple[str, ...]:
    """Return the families that can be trained for a task, the default one first."""
    return tuple(
        name
        for name, family in FAMILIES.items()
        if family.recipe and (not task or task in family.tasks)
    )


def counting_family(task: str) -> str:
    """Return the family that learns a task by counting, or "" if there is none."""
    found = (name for name in trained_families(task) if not FAMILIES[name].network)
    return next(found, "")
