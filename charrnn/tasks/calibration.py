"""Choose a model's temperature so that its probabilities fit held-out examples."""

import math
from collections.abc import Callable
from typing import Final

from charrnn.data.example_batches import ids_of, inputs_of
from charrnn.data.store import Part
from charrnn.inference.prediction.predicting import output_nats
from charrnn.inference.text_model import TextModel
from charrnn.models.labeller.model import LabellerModel

MOST_EXAMPLES: Final = 1000  #: examples used to choose the temperature
LOGARITHMS: Final = (math.log(0.5), math.log(4))  #: the range for its logarithm
SECTIONS: Final = 10  #: enough to narrow this range to a hundredth


def calibrated(model: TextModel, part: Part) -> TextModel:
    """Return a labeller with the temperature that predicts a part best.

    The temperature divides all logits, so predictions stay the same (Guo et al. 2017).
    Other kinds of models are returned unchanged.
    """
    base = model.model
    if not isinstance(base, LabellerModel):
        return model
    chosen = range(0, len(part.lengths), max(1, len(part.lengths) // MOST_EXAMPLES))
    inputs, outputs = ids_of(inputs_of(part), chosen), ids_of(part, chosen)

    def nats(logarithm: float) -> float:
        tempered = base.tempered(math.exp(logarithm))
        found = output_nats(tempered, inputs, outputs, end=False)
        return sum(float(one.sum()) for one in found)

    best = golden_section(nats, *LOGARITHMS)
    return model.with_model(base.tempered(round(math.exp(best), 3)))


def golden_section(
    function: Callable[[float], float], low: float, high: float
) -> float:
    """Return approximately where a function with a single minimum is lowest."""
    ratio = (math.sqrt(5) - 1) / 2
    first, second = high - ratio * (high - low), low + ratio * (high - low)
    at_first, at_second = function(first), function(second)
    for _ in range(SECTIONS):
        if at_first <= at_second:
            high, second, at_second = second, first, at_first
            first = high - ratio * (high - low)
            at_first = function(first)
        else:
            low, first, at_first = first, second, at_second
            second = low + ratio * (high - low)
            at_second = function(second)
    return (low + high) / 2
