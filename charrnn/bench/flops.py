"""How many floating-point operations (FLOP) a network is worth.

Counted as multiplications and additions of matrix products: two for each weight and
token forwards, and four backwards, for the gradients of the weights and of the inputs.
To look up an embedding is no product.
"""

import math

from charrnn.models.recurrent.config import RecurrentConfig
from charrnn.models.recurrent.model import parameter_shapes


def matrices(network: RecurrentConfig) -> dict[str, tuple[int, int]]:
    """Return the shapes (outputs, inputs) of all matrices in products, by name."""
    return {
        name: (shape[0], shape[1])
        for name, shape in parameter_shapes(network).items()
        if len(shape) == 2 and (network.tie or name != "embedding.weight")
    }


def reading_flop(network: RecurrentConfig) -> int:
    """Return the FLOP a token of scoring, or of a forward pass."""
    return 2 * sum(map(math.prod, matrices(network).values()))


def training_flop(network: RecurrentConfig) -> int:
    """Return the FLOP a token of a training step."""
    return 3 * reading_flop(network)
