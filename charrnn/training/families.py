"""The families of models that can be trained, and what trains each.

A network learns by gradient, step by step; an n-gram model counts, once. Both are a
`Session`, which is named here so that only what is wanted is imported.
"""

from dataclasses import dataclass, fields
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from charrnn.config import NgramConfig, RecurrentConfig, TrainConfig, WindowConfig

if TYPE_CHECKING:
    from charrnn.training.network import Network
    from charrnn.training.session import Session


@dataclass(frozen=True)
class Family:
    """What can be chosen of a family, and what trains it, as module:class.

    network: of what learns by gradient, "" of what counts.
    """

    model: type[Any]
    session: str
    network: str = ""

    @property
    def options(self) -> set[str]:
        """The fields that a user may give. A tokenizer brings the vocabulary."""
        configs = [self.model, *([TrainConfig] if self.network else [])]
        names = {field.name for config in configs for field in fields(config)}
        return names - {"vocab_size"}

    def session_type(self) -> type["Session"]:
        """Import the session."""
        found: type[Session] = _imported(self.session)
        return found

    def network_type(self) -> type["Network"]:
        """Import the network."""
        found: type[Network] = _imported(self.network)
        return found


BY_GRADIENT: Final = "charrnn.training.network_session:NetworkSession"
BY_COUNTING: Final = "charrnn.training.counting:CountingSession"

FAMILIES: Final = {
    "recurrent": Family(
        RecurrentConfig, BY_GRADIENT, "charrnn.training.recurrent:RecurrentNetwork"
    ),
    "window": Family(
        WindowConfig, BY_GRADIENT, "charrnn.training.window:WindowNetwork"
    ),
    "ngram": Family(NgramConfig, BY_COUNTING),
}


def _imported(path: str) -> Any:
    module, name = path.split(":")
    return getattr(import_module(module), name)
