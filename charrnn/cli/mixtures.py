"""Several models as one: what `mix` and `score --mix` share."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from charrnn.errors import UsageError

if TYPE_CHECKING:
    from charrnn.inference.text_model import TextModel


def mixture(models: Sequence["TextModel"], weights: Sequence[float]) -> "TextModel":
    """Return models as one, named after all; its corpus is that of the first.

    Raises UsageError for models with different tokenizers, and for wrong weights.
    """
    check_tokenizers(models)

    from charrnn.inference.text_model import TextModel
    from charrnn.models.mixture import MixtureModel

    first = models[0]
    try:
        mixed = MixtureModel([one.model for one in models], weights)
    except ValueError as error:
        raise UsageError(f"cannot mix these models: {error}") from error
    pairs = list(zip(models, weights, strict=True))
    summary = {
        "learned_end": first.learned_end,
        "corpus": first.summary.get("corpus", {}),
        "members": [{"model": one.name, "weight": weight} for one, weight in pairs],
    }
    name = " + ".join(f"{weight:.3g} {one.name}" for one, weight in pairs)
    return TextModel(mixed, first.tokenizer, summary=summary, name=name)


def check_tokenizers(models: Sequence["TextModel"]) -> None:
    """Raise UsageError unless all models cut text into the same tokens."""
    first, *others = models
    for other in others:
        if other.tokenizer.to_json() != first.tokenizer.to_json():
            raise UsageError(
                f"{first.name} and {other.name} have different tokenizers: "
                f"{_described(first)} and {_described(other)}",
                hint="train both with one: charrnn tokenize CORPUS -o tokenizer.json, "
                "then charrnn train --tokenizer tokenizer.json",
            )


def _described(model: "TextModel") -> str:
    tokenizer = model.tokenizer
    return f"{tokenizer.vocab_size:,} {tokenizer.level} tokens"


def parse_weights(text: str) -> list[float]:
    """Return a list of numbers with the sum 1. Raises UsageError for what is none."""
    try:
        weights = [float(weight) for weight in text.split(",")]
        if min(weights) >= 0 and abs(sum(weights) - 1) < 1e-6:
            return weights
    except ValueError:
        pass
    raise UsageError(
        f"--weights is {text!r}", hint="numbers with the sum 1, as 0.7,0.3"
    )


def parse_member(text: str) -> tuple[str, float]:
    """Return the model and the weight of MODEL=WEIGHT. Raises UsageError."""
    path, _, weight = text.rpartition("=")
    try:
        if path and 0 < float(weight) < 1:
            return path, float(weight)
    except ValueError:
        pass
    raise UsageError(
        f"--mix is {text!r}", hint="a model and a weight in (0, 1): MODEL=0.3"
    )
