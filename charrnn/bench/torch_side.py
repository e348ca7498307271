"""Readings of training, and of sampling by torch, each in a process that has torch."""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from charrnn.bench.flops import matrices, training_flop
from charrnn.bench.measurement import Reading, rate
from charrnn.bench.plan import REFERENCE, SQUARE, USUAL, Plan
from charrnn.bench.speaking import STREAMS, loop_module, loop_name
from charrnn.bench.texts import random_store
from charrnn.data.store import TokenStore
from charrnn.inference.threads import available_cores
from charrnn.models.recurrent.config import RecurrentConfig
from charrnn.training import bench
from charrnn.training.machine.process import process_settings

STORE_CHARACTERS: Final = 300_000
WARM_UP_STEPS: Final = 3  #: the first ones allocate, and choose kernels


@dataclass(frozen=True)
class _Contender:
    """A network that trains, and the products of its steps alone.

    flop: of a token. step returns the tokens it read; bare multiplies for `tokens`.
    """

    name: str
    flop: int
    step: Callable[[], int]
    bare: Callable[[], None]
    tokens: int
    precision: str

    @classmethod
    def of(cls, network: RecurrentConfig, store: TokenStore) -> "_Contender":
        """Return a network that has taken its first steps."""
        step, training = bench.training_steps(store, network)
        bare = bench.bare_step(matrices(network), training)
        for _ in range(WARM_UP_STEPS):
            step()
            bare()
        return cls(
            network.title,
            training_flop(network),
            step,
            bare,
            training.batch * training.bptt,
            training.precision,
        )

    def readings(
        self, least_s: float, references: Collection[str]
    ) -> Iterator[Reading]:
        """Yield how fast it trains, as a share of products and of other networks."""
        products = f"{self.name}, products alone"
        multiply = _counted(self.bare, self.tokens * self.flop / 1e9)
        yield Reading(products, "GFLOP/s", rate(multiply, least_s))
        tokens_s = rate(self.step, least_s)
        others = tuple(name for name in references if name != self.name)
        yield Reading(self.name, "tokens/s", tokens_s, others)
        ceilings = square_name(self.precision), products
        yield Reading(self.name, "GFLOP/s", tokens_s * self.flop / 1e9, ceilings)


@dataclass(frozen=True)
class Machine:
    """How training uses this machine. why: the reason for the precision."""

    cores: int
    device: str
    precision: str
    why: str


def machine(plan: Plan) -> Iterator[Machine]:
    """Yield what training would choose here."""
    device, precision, why = bench.usual_settings()
    yield Machine(available_cores(), device, precision, why)


def train(plan: Plan) -> Iterator[Reading]:
    """Yield how fast networks train, and how fast matrices can be multiplied.

    FLOP: those of `flops.py`, of products only. What is multiplied alone is multiplied
    in the precision of training, all of it, though training keeps a small output
    matrix in float32.
    """
    store = random_store(Path(plan.folder), STORE_CHARACTERS)
    with process_settings():
        contenders = [_Contender.of(network, store) for network in plan.networks]
        squares = {
            precision: bench.square_product(SQUARE, precision, available_cores())
            for precision in dict.fromkeys(["fp32", "bf16", contenders[0].precision])
        }
        for product in squares.values():
            product()
        references = [
            network.title for network in plan.networks if _is_reference(network)
        ]
        for _ in range(plan.rounds):
            for precision, product in squares.items():
                speed = rate(_counted(product, 2 * SQUARE**3 / 1e9), plan.least_s)
                yield Reading(square_name(precision), "GFLOP/s", speed)
            for contender in contenders:
                yield from contender.readings(plan.least_s, references)


def square_name(precision: str) -> str:
    """Return the name of the product of two large matrices."""
    return f"product of {SQUARE}, {precision}"


def loop(plan: Plan) -> Iterator[Reading]:
    """Yield how fast a plain loop in torch samples, with the threads best for it."""
    module = loop_module(plan.network)
    thread_counts = {1, available_cores()}
    loops = {
        streams: [
            bench.plain_loop(plan.network, module, streams, threads)
            for threads in thread_counts
        ]
        for streams in STREAMS
    }
    with process_settings():
        for streams, length in STREAMS.items():
            for sample in loops[streams]:
                sample(length // 10)
        for _ in range(plan.rounds):
            for streams, length in STREAMS.items():
                speeds = [
                    rate(partial(sample, length), plan.least_s)
                    for sample in loops[streams]
                ]
                name = loop_name(plan.network, streams)
                yield Reading(name, "characters/s", max(speeds))


def _is_reference(network: RecurrentConfig) -> bool:
    shape = network.layers, network.hidden
    return network.cell == REFERENCE and shape == USUAL


def _counted(run: Callable[[], None], amount: float) -> Callable[[], float]:
    """Return what runs and returns the amount that it always does."""

    def counted() -> float:
        run()
        return amount

    return counted
