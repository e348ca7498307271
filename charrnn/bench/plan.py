"""What is measured, and how closely: read by every process that measures."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

from charrnn.fields import from_json
from charrnn.models import CELLS
from charrnn.models.recurrent.config import RecurrentConfig

VOCABULARY: Final = 65  #: tokens: 63 characters, the boundary and unknown
USUAL: Final = (1, 512)  #: layers and units of the network that all cells are tried in
REFERENCE: Final = "gru"  #: the cell that the others' speed is compared with
OTHER_SIZES: Final = ((1, 128), (1, 256), (2, 512))
SQUARE: Final = 2048  #: so large that nothing but the product itself takes time
QUICK: Final[dict[str, Any]] = {"least_s": 0.1, "rounds": 2, "visits": 1}


@dataclass(frozen=True)
class Plan:
    """The networks to measure, of which the first samples and scores, and the effort.

    folder: where it keeps its files. Each reading takes `least_s` seconds or more, and
    there are `rounds` of each. Processes that are compared take turns, `visits` times.
    """

    folder: str
    networks: tuple[RecurrentConfig, ...]
    least_s: float = 0.6
    rounds: int = 6
    visits: int = 3

    @property
    def network(self) -> RecurrentConfig:
        """The network that samples and scores."""
        return self.networks[0]

    @property
    def model(self) -> Path:
        """The model file of that network."""
        return Path(self.folder) / "model.safetensors"

    @classmethod
    def of(
        cls, folder: str, shape: Mapping[str, Any], *, is_quick: bool = False
    ) -> Self:
        """Return the plan for all networks, or for one alone: of the shape if given.

        shape: cell, layers and hidden, as far as they differ from the usual network's.
        """
        layers, hidden = USUAL
        usual = RecurrentConfig(VOCABULARY, layers=layers, hidden=hidden)
        first = dataclasses.replace(usual, **shape)
        is_alone = is_quick or shape
        others = [] if is_alone else _other_sizes(usual) + _other_cells(usual)
        return cls(folder, (first, *others), **QUICK if is_quick else {})

    def visit(self) -> Self:
        """Return the plan of one visit to a process that takes turns."""
        return dataclasses.replace(self, rounds=self.rounds // self.visits)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """Rebuild a plan from the JSON of its fields. Raises ValueError."""
        networks = [from_json(RecurrentConfig, one) for one in values["networks"]]
        return cls(**{**values, "networks": tuple(networks)})


def _other_sizes(usual: RecurrentConfig) -> list[RecurrentConfig]:
    return [
        dataclasses.replace(usual, layers=layers, hidden=hidden)
        for layers, hidden in OTHER_SIZES
    ]


def _other_cells(usual: RecurrentConfig) -> list[RecurrentConfig]:
    others = [cell for cell in CELLS if cell != usual.cell]
    return [dataclasses.replace(usual, cell=cell) for cell in others]
