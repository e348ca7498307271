"""A mixture of language models: the weighted mean of its members' probabilities.

    p(w | h) = sum over members m of weight_m p_m(w | h)       (Jelinek and Mercer 1980)

The members share a vocabulary. The state is the concatenation of their states. Tensors
are named "K.NAME", where K is the index of the member. Nested mixtures are flattened,
so a model file never contains a mixture of mixtures.

Letters: B batch, T time, V vocabulary, M members.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from charrnn.fields import from_json, to_json
from charrnn.models.base import (
    ConditionalModel,
    Floats,
    LanguageModel,
    Reals,
    State,
    Tokens,
    build,
)

Array = npt.NDArray[Any]

MAX_MEMBERS = 32  # a limit, because each n-gram model allocates at least 8 MB
SUM_TOLERANCE = 1e-6  # allows weights typed by hand, such as 0.333333


@dataclass(frozen=True)
class MixtureConfig:
    """The weights and configs of the members. The configs are not validated yet."""

    weights: tuple[float, ...]
    members: tuple[dict[str, Any], ...]


class CombinedModel(LanguageModel):
    """Models of the same tokens, each with a weight: the base of mixtures and products.

    Raises ValueError if the vocabulary sizes differ, those of outputs or of inputs,
    which are 0 for models that read none.
    """

    def __init__(
        self, members: Sequence[LanguageModel], weights: Sequence[float]
    ) -> None:
        self.members = tuple(members)
        self.weights = tuple(map(float, weights))
        sizes = {member.vocab_size for member in self.members}
        if len(sizes) > 1:
            raise ValueError(f"the models' vocabulary sizes differ: {sorted(sizes)}")
        sizes = {member.source_size for member in self.members}
        if len(sizes) > 1:
            raise ValueError(
                f"the vocabulary sizes of the models' inputs differ: {sorted(sizes)}"
            )
        #: number of arrays in each member's state
        self._arrays = [len(member.initial_state(1)) for member in self.members]

    @property
    def vocab_size(self) -> int:
        """The vocabulary size of every member."""
        return self.members[0].vocab_size

    @property
    def source_size(self) -> int:
        """The vocabulary size of the inputs of every member."""
        return self.members[0].source_size

    @property
    def title(self) -> str:
        """The number of members, or the title of the only member."""
        count = len(self.members)
        return f"{self.family} of {count}" if count > 1 else self.members[0].title

    @property
    def parameters(self) -> int:
        """Number of parameters of all members."""
        return sum(member.parameters for member in self.members)

    @property
    def step_work(self) -> int:
        """Multiplications per token in all members."""
        return sum(member.step_work for member in self.members)

    def initial_state(self, batch: int) -> State:
        """Return the concatenated states of the members."""
        states = (member.initial_state(batch) for member in self.members)
        return tuple(array for state in states for array in state)

    def read(self, source: Tokens, lengths: Tokens) -> State:
        """Return the concatenated states of the members after reading the input."""
        readers = (one for one in self.members if isinstance(one, ConditionalModel))
        states = (reader.read(source, lengths) for reader in readers)
        return tuple(array for state in states for array in state)

    def _weighted(self, state: State) -> Iterator[tuple[LanguageModel, float, State]]:
        """Yield each member with its weight and its state."""
        first = 0
        for member, weight, arrays in zip(
            self.members, self.weights, self._arrays, strict=True
        ):
            yield member, weight, state[first : first + arrays]
            first += arrays

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


class MixtureModel(CombinedModel):
    """A weighted mean of models. The weights are positive and sum to 1.

    Raises ValueError for other weights.
    """

    family = "mixture"

    def __init__(
        self, members: Sequence[LanguageModel], weights: Sequence[float]
    ) -> None:
        _check(members, weights)
        flat = list(_flat(members, weights))
        _check(*zip(*flat, strict=True))
        super().__init__(*zip(*flat, strict=True))

    def forward(self, tokens: Tokens, state: State) -> tuple[Floats, State]:
        """Return the log-probabilities (B, T, V) and the new state."""
        mixed, after = self.probabilities(tokens, state)
        with np.errstate(divide="ignore"):  # ln 0 is -inf
            return np.log(mixed, out=mixed).astype(np.float32), after

    def probabilities(self, tokens: Tokens, state: State) -> tuple[Reals, State]:
        """Return the weighted mean probabilities (B, T, V) and the new state."""
        mixed = np.zeros((*tokens.shape, self.vocab_size))
        after: State = ()
        for member, weight, before in self._weighted(state):
            part, own = member.probabilities(tokens, before)
            mixed += weight * part
            after += own
        return mixed, after

    @classmethod
    def build(
        cls, config: Mapping[str, Any], tensors: Mapping[str, Array]
    ) -> "MixtureModel":
        """Rebuild a mixture and its members."""
        given = from_json(MixtureConfig, config)
        _check(given.members, given.weights)
        return mixture(built(given, tensors, never=(cls.family,)), given.weights)


class ConditionalMixture(MixtureModel, ConditionalModel):
    """A weighted mean of models that read an input."""


def mixture(members: Sequence[LanguageModel], weights: Sequence[float]) -> MixtureModel:
    """Return a mixture; it reads an input if its members do.

    Raises the same errors as `MixtureModel`.
    """
    reads = any(isinstance(member, ConditionalModel) for member in members)
    return (ConditionalMixture if reads else MixtureModel)(members, weights)


def built(
    given: MixtureConfig, tensors: Mapping[str, Array], *, never: Sequence[str]
) -> list[LanguageModel]:
    """Rebuild the members of a mixture. never: families they may not belong to."""
    groups = _groups(tensors, len(given.members))
    pairs = zip(given.members, groups, strict=True)
    return [_member(*pair, never) for pair in pairs]


def _check(members: Sequence[Any], weights: Sequence[float]) -> None:
    """Raise ValueError if there are too many members or the weights are invalid."""
    if not 0 < len(members) <= MAX_MEMBERS:
        raise ValueError(f"there are {len(members):,} members, not 1 to {MAX_MEMBERS}")
    if len(members) != len(weights):
        raise ValueError(f"{len(members)} members do not match {len(weights)} weights")
    # a comparison that is false for NaN
    is_positive = all(weight > 0 for weight in weights)
    if not (is_positive and abs(sum(weights) - 1) <= SUM_TOLERANCE):
        listed = ", ".join(map(str, weights))
        raise ValueError(f"the weights {listed} are not positive numbers that sum to 1")


def _flat(
    members: Iterable[LanguageModel], weights: Iterable[float]
) -> Iterator[tuple[LanguageModel, float]]:
    """Yield members and weights; replace each mixture with its own members."""
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
            raise ValueError(f"tensor {name} does not belong to any of {count} members")
        groups[number][own_name] = array
    return list(groups.values())


def _member(
    config: Mapping[str, Any], tensors: Mapping[str, Array], never: Sequence[str]
) -> LanguageModel:
    """Rebuild a member. Raises ValueError if tensors and config do not match."""
    rest = dict(config)
    family = rest.pop("family", None)
    if family in never:  # otherwise, a file could nest them without limit
        raise ValueError(f"a member is itself a {family}")
    return build(family, rest, tensors)
