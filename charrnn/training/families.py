"""The families of models that can be trained, and what trains each.

A network learns by gradient, step by step; an n-gram model counts, once. Both are a
`Session`, which is named here so that only what is wanted is imported.
"""

from dataclasses import dataclass, fields
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from charrnn.config import NgramConfig, RecurrentConfig, TrainConfig

if TYPE_CHECKING:
    from charrnn.training.session import Session


@dataclass(frozen=True)
class Family:
    """What can be chosen of a family, and the session that trains it, module:class."""

    model: type[Any]
    session: str
    training: type[Any] | None = None

    @property
    def options(self) -> set[str]:
        """The fields that a user may give. A tokenizer brings the vocabulary."""
        configs = [config for config in (self.model, self.training) if config]
        names = {field.name for config in configs for field in fields(config)}
        return names - {"vocab_size"}

    def session_type(self) -> type["Session"]:
        """Import what trains the family."""
        module, name = self.session.split(":")
        found: type[Session] = getattr(import_module(module), name)
        return found


BY_GRADIENT: Final = "charrnn.training.network_session:NetworkSession"
BY_COUNTING: Final = "charrnn.training.counting:CountingSession"

FAMILIES: Final = {
    "recurrent": Family(RecurrentConfig, BY_GRADIENT, TrainConfig),
    "ngram": Family(NgramConfig, BY_COUNTING),
}
