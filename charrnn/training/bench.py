"""What `charrnn bench` times that needs torch.

Steps of training, bare matrix products to hold them against, and a loop that samples
as tutorials do, to hold our sampling against.

Each function prepares something and returns what runs it. Nothing is timed here.

Shape letters: B batch, T time, I inputs, O outputs, V vocabulary, H hidden.
"""

from collections.abc import Callable, Mapping
from typing import Final

import torch
from torch import Tensor, nn

from charrnn.data.store import TokenStore
from charrnn.models.recurrent.config import RecurrentConfig
from charrnn.models.recurrent.network import RecurrentNetwork
from charrnn.training.config import TrainConfig
from charrnn.training.defaults import choose
from charrnn.training.loop.trainer import Trainer
from charrnn.training.machine.precision import choose_device, choose_precision

STEPS: Final = 10_000  #: of the plan, far more than are taken
TYPES: Final = {
    "fp32": torch.float32,
    "bf16": torch.bfloat16,
    "fp16": torch.float16,
}
TEMPERATURE: Final = 0.8


class _Product:
    """One weight matrix (O, I) in a training step, with random numbers.

    The rows of inputs (N, I) and of the outputs' gradients (N, O) come in `pieces`, one
    after the other: all N = T * B at once, or the B of each time step.
    """

    def __init__(
        self,
        shape: tuple[int, int],
        rows: int,
        pieces: int,
        device: str,
        precision: str,
    ) -> None:
        outputs, inputs = shape
        sizes = (rows, inputs), (outputs, inputs), (rows, outputs)
        generator = torch.Generator().manual_seed(1)
        self._inputs, self._weight, self._gradients = (
            torch.randn(size, generator=generator).to(device, TYPES[precision])
            for size in sizes
        )
        # written to again and again: new memory for each product would take time
        self._results = [torch.empty_like(x) for x in (self._inputs, self._weight)]
        self._outputs = torch.empty_like(self._gradients)
        self._pieces = pieces

    def forward(self) -> None:
        """Multiply the inputs."""
        self._multiply(self._inputs, self._weight.T, self._outputs)

    def backward(self) -> None:
        """Multiply the gradients: into those of the inputs, and of the weight."""
        of_inputs, of_weight = self._results
        self._multiply(self._gradients, self._weight, of_inputs)
        torch.mm(self._gradients.T, self._inputs, out=of_weight)

    def _multiply(self, rows: Tensor, matrix: Tensor, results: Tensor) -> None:
        pieces = (x.chunk(self._pieces) for x in (rows, results))
        for piece, result in zip(*pieces, strict=True):
            torch.mm(piece, matrix, out=result)


def usual_settings() -> tuple[str, str, str]:
    """Return the device and precision that training chooses here, and why."""
    device = choose_device("auto")
    return device, *choose_precision("auto", device)


def training_steps(
    store: TokenStore, network: RecurrentConfig
) -> tuple[Callable[[], int], TrainConfig]:
    """Return what takes a step and returns its tokens, and how it was set up.

    All that is not the network is chosen as `charrnn train` does, but for the windows:
    they are whole ones from the first step on.
    """
    shape = {name: getattr(network, name) for name in ("cell", "layers", "hidden")}
    # a low rate, for random text makes some cells diverge at the usual one
    training = {"steps": STEPS, "stages": 1, "lr": 1e-5}
    choice = choose(RecurrentNetwork, store, shape, training)
    generator = torch.Generator().manual_seed(choice.training.seed)
    network_to_train = RecurrentNetwork(choice.model, generator)
    trainer = Trainer(network_to_train, store, choice.training)
    steps = (event for event in trainer.run() if event.kind == "step")

    def step() -> int:
        torch.set_num_threads(choice.training.threads)
        tokens: int = next(steps).values["tokens"]
        return tokens

    return step, choice.training


def bare_step(
    matrices: Mapping[str, tuple[int, int]], training: TrainConfig
) -> Callable[[], None]:
    """Return what multiplies as a training step does, and does nothing else.

    matrices: (O, I) by name. A recurrent one has to go step by step through time,
    and all others take the whole window at once.
    """
    B, T = training.batch, training.bptt
    device, precision = training.device, training.precision
    products = [
        _Product(shape, T * B, T if _is_recurrent(name) else 1, device, precision)
        for name, shape in matrices.items()
    ]

    def step() -> None:
        torch.set_num_threads(training.threads)
        for product in products:
            product.forward()
        for product in reversed(products):
            product.backward()
        _wait()

    return step


def square_product(size: int, precision: str, threads: int) -> Callable[[], None]:
    """Return what multiplies two matrices (size, size)."""
    product = _Product((size, size), size, 1, choose_device("auto"), precision)

    def multiply() -> None:
        torch.set_num_threads(threads)
        product.forward()
        _wait()

    return multiply


def plain_loop(
    network: RecurrentConfig, module: str, streams: int, threads: int
) -> Callable[[int], int]:
    """Return what samples so many tokens a stream, and returns their number.

    The loop of tutorials: a module of torch.nn, one token of each stream at a time, on
    the CPU.
    """
    V, E, H = network.vocab_size, network.embed or network.hidden, network.hidden
    embedding, head = nn.Embedding(V, E), nn.Linear(H, V)
    recurrence = getattr(nn, module)(E, H, network.layers).eval()
    generator = torch.Generator().manual_seed(1)

    @torch.no_grad()
    def sample(length: int) -> int:
        torch.set_num_threads(threads)
        tokens, state = torch.zeros(1, streams, dtype=torch.long), None
        texts = []
        for _ in range(length):
            outputs, state = recurrence(embedding(tokens), state)
            probabilities = torch.softmax(head(outputs[-1]) / TEMPERATURE, dim=-1)
            tokens = torch.multinomial(probabilities, 1, generator=generator).T
            texts.append(tokens.tolist())
        return len(texts) * streams

    return sample


def _is_recurrent(name: str) -> bool:
    return name.endswith("weight_hh")


def _wait() -> None:
    """Let a GPU finish what it was given."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()
