"""A mixture of language models: the weighted mean of its members' probabilities.

    p(w | h) = sum over members m of weight_m p_m(w | h)       (Jelinek and Mercer 1980)

The members share a vocabulary. The state is the concatenation of their states. Tensors
are named "K.NAME", where K is the index of the member. Nested mixtures are flattened,
so a model file never contains a mixture of mixtures.

Letters: B batch, T time, V vocabulary, M members.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from charrnn.fields import from_json, to_json
from charrnn.models.base import Floats, LanguageModel, Reals, State, Tokens, build

Array = npt.NDArray[Any]

MAX_MEMBERS = 32  # even a small n-gram file makes the model allocate 8 MB
SUM_TOLERANCE = 1e-6  # allows weights typed by hand, such as 0.333333


@dataclass(frozen=True)
class MixtureConfig:
    """The weights and configs of the members. The configs are not validated yet."""

    weights: tuple[float, ...]
    members: tuple[dict[str, Any], ...]


class MixtureModel(LanguageModel):
    """A weighted mean of models. The weights are positive and sum to 1.

    Raises ValueError for other weights, or if the vocabulary sizes differ.
    """

    family = "mixture"

    def __init__(
        self, members: Sequence[LanguageModel], weights: Sequence[float]
    ) -> None:
        _check(members, weights)
        flat = list(_flat(members, weights))
        _check(*zip(*flat, strict=True))
        self.members = tuple(member for member, _ in flat)
        self.weights = tuple(float(weight) for _, weight in flat)
        sizes = {member.vocab_size for member in self.members}
        if len(sizes) > 1:
            raise ValueError(f"the vocabulary sizes differ: {sorted(sizes)} tokens")
        #: number of arrays in each member's state
        self._arrays = [len(member.initial_state(1)) for member in self.members]

    @property
    def vocab_size(self) -> int:
        """The vocabulary size of every member."""
        return self.members[0].vocab_size

    @property
    def title(self) -> str:
        """The number of members, or the title of the only member."""
        count = len(self.members)
        return f"mixture of {count}" if count > 1 else self.members[0].title

    @property
    def parameters(self) -> int:
        """Number of parameters of all members."""
        return sum(member.parameters for member in self.members)

    @property
    def step_work(self) -> int:
        """Multiplications per token of all members."""
        return sum(member.step_work for member in self.members)

    def initial_state(self, batch: int) -> State:
        """Return the concatenated states of the members."""
        states = (member.initial_state(batch) for member in self.members)
        return tuple(array for state in states for array in state)

    def forward(self, tokens: Tokens, state: State) -> tuple[Floats, State]:
        """Return the log-probabilities (B, T, V) and the new state."""
        mixed, after = self.probabilities(tokens, state)
        with np.errstate(divide="ignore"):  # -inf where every member gives 0
            return np.log(mixed, out=mixed).astype(np.float32), after

    def probabilities(self, tokens: Tokens, state: State) -> tuple[Reals, State]:
        """Return the weighted mean probabilities (B, T, V) and the new state."""
        mixed = np.zeros((*tokens.shape, self.vocab_size))
        after: State = ()
        for member, weight, arrays in zip(
            self.members, self.weights, self._arrays, strict=True
        ):
            before = state[len(after) : len(after) + arrays]
            part, own = member.probabilities(tokens, before)
            mixed += weight * part
            after += own
        return mixed, after

    def config_json(self) -> dict[str, Any]:
        """Return the weights and the configs of the members."""
        members = (m.config_json() | {"family": m.family} for m in self.members)
        return to_json(MixtureConfig(self.weights, tuple(members)))

    def tensors(self) -> dict[str, Array]:
        """Return the members' tensors; the first member's are named "0.NAME"."""
        return {
            f"{k}.{name}": array
            for k, member in enumerate(self.members)
            for name, array in member.tensors().items()
        }

    @classmethod
    def build(cls, config: Mapping[str, Any], tensors: Mapping[str, Array]) -> Self:
        """Rebuild a mixture and its members."""
        given = from_json(MixtureConfig, config)
        _check(given.members, given.weights)
        groups = _groups(tensors, len(given.members))
        pairs = zip(given.members, groups, strict=True)
        return cls([_member(*pair) for pair in pairs], given.weights)


def _check(members: Sequence[Any], weights: Sequence[float]) -> None:
    """Raise ValueError if there are too many members or the weights are invalid."""
    if not 0 < len(members) <= MAX_MEMBERS:
        raise ValueError(f"there are {len(members):,} members, not 1 to {MAX_MEMBERS}")
    if len(members) != len(weights):
        raise ValueError(f"{len(members)} members do not match {len(weights)} weights")
    # written so that NaN fails
    is_positive = all(weight > 0 for weight in weights)
    if not (is_positive and abs(sum(weights) - 1) <= SUM_TOLERANCE):
        listed = ", ".join(map(str, weights))
        raise ValueError(f"the weights {listed} are not positive numbers that sum to 1")


def _flat(
    members: Iterable[LanguageModel], weights: Iterable[float]
) -> Iterator[tuple[LanguageModel, float]]:
    """Yield members and weights, replacing each mixture by its own members."""
    for member, weight in zip(members, weights, strict=True):
        if isinstance(member, MixtureModel):
            for inner, share in zip(member.members, member.weights, strict=True):
                yield inner, weight * share
        else:
            yield member, weight


def _groups(tensors: Mapping[str, Array], count: int) -> list[dict[str, Array]]:
    """Return each member's tensors, without the index in their names."""
    groups: dict[str, dict[str, Array]] = {str(k): {} for k in range(count)}
    for name, array in tensors.items():
        number, _, own_name = name.partition(".")
        if number not in groups:
            raise ValueError(f"tensor {name} belongs to none of the {count} members")
        groups[number][own_name] = array
    return list(groups.values())


def _member(config: Mapping[str, Any], tensors: Mapping[str, Array]) -> LanguageModel:
    """Rebuild a member. Raises ValueError if tensors and config do not match."""
    rest = dict(config)
    family = rest.pop("family", None)
    if family == MixtureModel.family:  # a file could nest them without limit
        raise ValueError("a mixture contains another mixture")
    return build(family, rest, tensors)
