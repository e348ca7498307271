"""Sequence to sequence: predicting a text from another one, token by token."""

from collections.abc import Iterable, Mapping
from typing import Any

from charrnn.data.labelled import ExampleCorpus
from charrnn.tasks.base import figure
from charrnn.tasks.labelled import LabelledTask, level_of
from charrnn.tokenizers import loading
from charrnn.tokenizers.base import Tokenizer
from charrnn.tokenizers.config import TokenizerConfig


class TranslateTask(LabelledTask):
    """Predicts a text, and where it ends."""

    name = "translate"
    learns_end = True

    @staticmethod
    def describe(values: Mapping[str, Any]) -> str:
        """Return how many outputs are right, how many tokens, and the loss."""
        rate = figure(values["nats_per_token"])
        return (
            f"{values['right']:.2%} exactly right, {values['right_tokens']:.2%} of"
            f" tokens, {rate} nats/token"
        )

    @staticmethod
    def brief(values: Mapping[str, Any]) -> str:
        """Return how many outputs are right."""
        return f"{values['right']:.1%} exact"

    def input_level(self, texts: Iterable[str]) -> str:
        """Return "symbol" for inputs that consist of symbols, otherwise "char"."""
        return level_of(texts)

    def output_tokenizer(
        self, data: ExampleCorpus, wanted: Mapping[str, Any]
    ) -> Tokenizer:
        """Return the tokenizer of the training outputs."""
        train = data.parts[0]
        level = wanted.get("output_level") or level_of(one.target for one in train)
        config = TokenizerConfig(**{**wanted, "level": level})
        return loading.fit((one.target for one in train), config)
