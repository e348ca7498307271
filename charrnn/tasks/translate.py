"""Sequence-to-sequence tasks: predicting a text from another one, token by token."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import numpy as np

from charrnn.data.example_batches import ids_of, inputs_of
from charrnn.data.formats.base import Example
from charrnn.data.labelled import ExampleCorpus
from charrnn.data.store import Part, TokenStore
from charrnn.inference.counting.memory import Memory
from charrnn.inference.metrics.translate import TranslateMetrics
from charrnn.inference.prediction.predicting import Prediction
from charrnn.inference.scoring import Nats
from charrnn.inference.text_model import TextModel
from charrnn.tasks.base import loss
from charrnn.tasks.labelled import LabelledTask, level_of
from charrnn.tokenizers import TOKENIZERS
from charrnn.tokenizers.base import Ids, Tokenizer, Tokenizers
from charrnn.tokenizers.char import FIRST

COPIED_SHARE: Final = 0.5  #: with this share of copied tokens, copying is learned
SAMPLED: Final = 1000  #: number of examples used to measure this share


class TranslateTask(LabelledTask):
    """Predicts a text and where the text ends."""

    name = "translate"
    learns_end = True
    counts = Memory

    @staticmethod
    def describe(values: Mapping[str, Any]) -> str:
        """Describe how many outputs and tokens are right, and the loss."""
        return (
            f"{values['right']:.2%} exactly right, {values['right_tokens']:.2%} of"
            f" tokens{loss(values, TranslateTask.loss_unit)}"
        )

    @staticmethod
    def brief(values: Mapping[str, Any]) -> str:
        """Describe how many outputs are right."""
        return f"{values['right']:.1%} exact"

    def sizes(self, store: TokenStore, tokenizers: Tokenizers) -> dict[str, Any]:
        """Return the output token that each input token can be copied as.

        Copying is suggested if most output tokens occur in their inputs.
        """
        assert tokenizers.source
        output, source = tokenizers.output, tokenizers.source
        ids = {output.token_bytes(k): k for k in range(FIRST, output.vocab_size)}
        copies = [
            ids.get(source.token_bytes(k), 0) if k >= FIRST else 0
            for k in range(source.vocab_size)
        ]
        share = _copied_share(store.train, np.array(copies))
        suggested = {"copy": True} if share >= COPIED_SHARE else {}
        return super().sizes(store, tokenizers) | suggested | {"copies": tuple(copies)}

    def input_level(self, texts: Iterable[str]) -> str:
        """Return "features" for joined columns, "symbol" for few symbols, or "char"."""
        listed = list(texts)
        if any("\t" in text for text in listed):
            return "features"
        return level_of(listed, usual=super().input_level(listed))

    def evaluate(
        self,
        model: TextModel,
        examples: Sequence[Example],
        predicted: Sequence[Prediction],
        nats: Nats,
        training: Sequence[str] | None = None,
    ) -> TranslateMetrics:
        """Return exact match, symbol error rate, BLEU and chrF.

        Examples with the same input count as one example with several references.
        """
        references: dict[str, list[str]] = {}
        outputs = {}
        for one, found in zip(examples, predicted, strict=True):
            target = model.tokenizer.normalise(one.target)
            references.setdefault(one.source, []).append(target)
            outputs[one.source] = found.output
        is_listed = model.tokenizer.level == "symbol"
        return TranslateMetrics.of(
            list(references.values()),
            list(outputs.values()),
            split=str.split if is_listed else list,
        )

    def output_tokenizer(
        self, data: ExampleCorpus, wanted: Mapping[str, Any]
    ) -> Tokenizer:
        """Return the tokenizer of the training outputs."""
        texts = [one.target for one in data.parts[0]]
        level = wanted.get("output_level") or level_of(texts)
        kind: type[Tokenizer] = TOKENIZERS[level]
        return kind.fit(texts, self.config_of(level, wanted))


def _copied_share(part: Part, copies: Ids) -> float:
    """Return the share of output tokens that occur in their inputs."""
    copied = total = 0
    chosen = range(min(SAMPLED, len(part.lengths)))
    inputs, outputs = ids_of(inputs_of(part), chosen), ids_of(part, chosen)
    for source, target in zip(inputs, outputs, strict=True):
        copied += int(np.isin(target, copies[source]).sum())
        total += len(target)
    return copied / max(1, total)
