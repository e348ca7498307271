"""The attention of a translator to its input, at each step of an output."""

from dataclasses import dataclass

import numpy as np

from charrnn.errors import UsageError
from charrnn.inference.text_model import TextModel
from charrnn.models.base import Floats, padded
from charrnn.models.translator.model import TranslatorModel
from charrnn.tokenizers.base import BOUNDARY


@dataclass(frozen=True)
class Attended:
    """The weights (T, S) of the S tokens of an input, for each token of an output.

    The last token of an output is its end.
    """

    inputs: list[str]
    outputs: list[str]
    weights: Floats


def check_attention(model: TextModel) -> None:
    """Raise UsageError unless a model has attention."""
    translator = model.model
    if not isinstance(translator, TranslatorModel):
        raise UsageError(
            f"{model.name} is a {translator.title}, which has no attention",
            hint="use a translator: only translators have attention",
        )
    if translator.config.attention == "none":
        raise UsageError(
            f"{model.name} was trained with `attention` none",
            hint="train a translator with attention, such as `attention` dot",
        )


def attended(model: TextModel, source: str, output: str) -> Attended:
    """Return the attention of a translator to an input, for one output."""
    check_attention(model)
    assert isinstance(model.model, TranslatorModel)
    assert model.source_tokenizer
    reads, writes = model.source_tokenizer, model.tokenizer
    source_ids = reads.encode(source)
    ids = np.append(writes.encode(output), BOUNDARY)
    before = np.insert(ids[:-1], 0, BOUNDARY)
    state = model.model.read(*padded([source_ids]))
    weights = model.model.attention(before[None], state)[0]
    return Attended(
        [reads.piece(token) for token in source_ids.tolist()],
        [writes.piece(token) for token in ids.tolist()],
        weights[:, : len(source_ids)],
    )
