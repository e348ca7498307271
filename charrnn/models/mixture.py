"""The mixture of language models: the weighted mean of what its members say.

    p(w | h) = sum over members m of weight_m p_m(w | h)

The mean is of probabilities (Jelinek and Mercer 1980), so that a member that is wrong
where others are right costs at most the logarithm of their weight. The members share
a tokenizer. The state is the states of the members, one after the other; the tensors
are theirs, those of member k with "k." before the name.

A mixture of mixtures is a mixture of all their members, so that is what it becomes,
and no file has one in another.

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

# a small file of very many members could ask for very much memory: a table of 8 MB
# for each n-gram model
MAX_MEMBERS = 32
SUM_TOLERANCE = 1e-6  # weights that a person wrote, as 0.333333


@dataclass(frozen=True)
class MixtureConfig:
    """What a mixture is made of: the weight of each member, and its config and family.

    Whether they fit each other is checked where the members are.
    """

    weights: tuple[float, ...]
    members: tuple[dict[str, Any], ...]


class MixtureModel(LanguageModel):
    """Members with their weights."""

    family = "mixture"

    def __init__(
        self, members: Sequence[LanguageModel], weights: Sequence[float]
    ) -> None:
        """Mix members, each with a weight above 0; the weights sum to 1.

        Raises ValueError for other weights, and for members of several vocabularies.
        """
        _check(members, weights)
        flat = list(_flat(members, weights))
        _check(*zip(*flat, strict=True))
        self.members = tuple(member for member, _ in flat)
        self.weights = tuple(float(weight) for _, weight in flat)
        sizes = {member.vocab_size for member in self.members}
        if len(sizes) > 1:
            raise ValueError(f"members of several vocabularies: {sorted(sizes)} tokens")
        #: arrays in the state of each member
        self._arrays = [len(member.initial_state(1)) for member in self.members]

    @property
    def vocab_size(self) -> int:
        """Number of tokens, V."""
        return self.members[0].vocab_size

    @property
    def title(self) -> str:
        """How many members it has; of one, how that is called."""
        first, *others = self.members
        return f"mixture of {len(self.members)}" if others else first.title

    @property
    def parameters(self) -> int:
        """How many numbers the members have learned."""
        return sum(member.parameters for member in self.members)

    @property
    def step_work(self) -> int:
        """Multiplications of a step of one row: those of all members."""
        return sum(member.step_work for member in self.members)

    def initial_state(self, batch: int) -> State:
        """Return the states of the members, one after the other, arrays (B, ...)."""
        states = (member.initial_state(batch) for member in self.members)
        return tuple(array for state in states for array in state)

    def forward(self, tokens: Tokens, state: State) -> tuple[Floats, State]:
        """Return the log-probabilities (B, T, V) after each token, and the state."""
        mixed, after = self.probabilities(tokens, state)
        with np.errstate(divide="ignore"):  # no member gives the token any: -inf
            return np.log(mixed, out=mixed).astype(np.float32), after

    def probabilities(self, tokens: Tokens, state: State) -> tuple[Reals, State]:
        """Return the mean (B, T, V) of what the members say, and the state."""
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
        """Return the weights, and the configurations of the members."""
        members = (
            member.config_json() | {"family": member.family} for member in self.members
        )
        return to_json(MixtureConfig(self.weights, tuple(members)))

    def tensors(self) -> dict[str, Array]:
        """Return the tensors of the members, "0.NAME" those of the first."""
        return {
            f"{k}.{name}": array
            for k, member in enumerate(self.members)
            for name, array in member.tensors().items()
        }

    @classmethod
    def build(cls, config: Mapping[str, Any], tensors: Mapping[str, Array]) -> Self:
        """Rebuild a model. Raises ValueError where tensors and config disagree."""
        given = from_json(MixtureConfig, config)
        _check(given.members, given.weights)
        groups = _groups(tensors, len(given.members))
        pairs = zip(given.members, groups, strict=True)
        return cls([_member(*pair) for pair in pairs], given.weights)


def _check(members: Sequence[Any], weights: Sequence[float]) -> None:
    """Raise ValueError unless there may be so many members, with these weights."""
    if not 0 < len(members) <= MAX_MEMBERS:
        raise ValueError(f"{len(members):,} members, not 1 to {MAX_MEMBERS}")
    if len(members) != len(weights):
        raise ValueError(f"{len(members)} members, but {len(weights)} weights")
    # NaN is neither above 0 nor near 1
    is_positive = all(weight > 0 for weight in weights)
    if not (is_positive and abs(sum(weights) - 1) <= SUM_TOLERANCE):
        listed = ", ".join(map(str, weights))
        raise ValueError(f"weights {listed}: not numbers above 0 with the sum 1")


def _flat(
    members: Iterable[LanguageModel], weights: Iterable[float]
) -> Iterator[tuple[LanguageModel, float]]:
    """Yield each member that is no mixture, and those of the mixtures."""
    for member, weight in zip(members, weights, strict=True):
        if isinstance(member, MixtureModel):
            for inner, share in zip(member.members, member.weights, strict=True):
                yield inner, weight * share
        else:
            yield member, weight


def _groups(tensors: Mapping[str, Array], count: int) -> list[dict[str, Array]]:
    """Return the tensors of each of so many members, by their own names."""
    groups: dict[str, dict[str, Array]] = {str(k): {} for k in range(count)}
    for name, array in tensors.items():
        number, _, own_name = name.partition(".")
        if number not in groups:
            raise ValueError(f"{name} is a tensor of none of {count} members")
        groups[number][own_name] = array
    return list(groups.values())


def _member(config: Mapping[str, Any], tensors: Mapping[str, Array]) -> LanguageModel:
    """Rebuild a member. Raises ValueError where tensors and config disagree."""
    rest = dict(config)
    family = rest.pop("family", None)
    if family == MixtureModel.family:  # else a file could nest them without end
        raise ValueError("a mixture in a mixture, not its members")
    return build(family, rest, tensors)
