"""Sequence classification: predicting one label from a text."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from charrnn.data.example_batches import inputs_of, targets_of
from charrnn.data.formats.base import Example
from charrnn.data.labelled import ExampleCorpus
from charrnn.data.store import Part, TokenStore
from charrnn.inference.metrics.classify import ClassifyMetrics
from charrnn.inference.prediction.predicting import (
    Prediction,
    example_predictions,
    predict,
)
from charrnn.inference.scoring import Nats
from charrnn.inference.text_model import TextModel
from charrnn.models.bayes.config import BayesConfig
from charrnn.models.bayes.model import MAX_LABELS, BayesModel
from charrnn.models.labeller.words import known_words
from charrnn.tasks.base import Stop, loss
from charrnn.tasks.labelled import LabelledTask, Predicted, blank_of
from charrnn.tokenizers.base import Ids, Tokenizer, Tokenizers
from charrnn.tokenizers.config import TokenizerConfig
from charrnn.tokenizers.label import LabelTokenizer

MANY_WORDS: Final = 4  #: with this many blanks per input, the model reads words


class ClassifyTask(LabelledTask):
    """Predicts a label for a text."""

    name = "classify"
    loss_unit = "nats/label"
    shows_p = True

    @staticmethod
    def describe(values: Mapping[str, Any]) -> str:
        """Return accuracy, macro F1 and loss."""
        return (
            f"accuracy {values['accuracy']:.2%}, macro F1 {values['macro_f1']:.1%}"
            f"{loss(values, ClassifyTask.loss_unit)}"
        )

    @staticmethod
    def brief(values: Mapping[str, Any]) -> str:
        """Return the accuracy."""
        return f"{values['accuracy']:.1%}"

    def measure(
        self, nats: Nats, part: Part, best: Ids | None, output: Tokenizer
    ) -> Predicted:
        """Return accuracy and macro F1."""
        found = super().measure(nats, part, best, output)
        assert best is not None
        targets, _ = targets_of(part)
        hits, gold, predicted = (
            np.bincount(ids, minlength=output.vocab_size)
            for ids in (targets[targets == best], targets, best)
        )
        occurs = gold + predicted > 0
        f1 = (2 * hits[occurs] / (gold + predicted)[occurs]).mean()
        accuracy = found.right / found.examples
        more = {"accuracy": accuracy, "macro_f1": float(f1)}
        return replace(found, errors=1 - accuracy, more=more)

    def sizes(self, store: TokenStore, tokenizers: Tokenizers) -> dict[str, Any]:
        """Return the number of known words, if inputs consist of several words."""
        assert tokenizers.source
        source, sizes = inputs_of(store.train), super().sizes(store, tokenizers)
        blank = blank_of(tokenizers.source)
        if tokenizers.source.level != "char" or blank is None:
            return sizes
        blanks = np.count_nonzero(np.asarray(source.tokens) == blank)
        if blanks < MANY_WORDS * len(source.lengths):
            return sizes
        return sizes | {"blank": blank, "words": len(known_words(source, blank))}

    def sizes_like(self, model: Mapping[str, Any]) -> dict[str, Any]:
        """Return the sizes; the classifier must read tokens, like a language model."""
        return super().sizes_like(model) | {"words": 0}

    @staticmethod
    def unknown(output: str, tokenizer: Tokenizer) -> list[str]:
        """Return the label if it is unknown."""
        assert isinstance(tokenizer, LabelTokenizer)
        return [] if output in tokenizer else [output]

    def evaluate(
        self,
        model: TextModel,
        examples: Sequence[Example],
        predicted: Sequence[Prediction],
        nats: Nats,
        training: Sequence[str] | None = None,
    ) -> ClassifyMetrics:
        """Return accuracy, macro F1, confusions and calibration."""
        p = np.array([found.p for found in predicted])
        return ClassifyMetrics.of(
            [one.target for one in examples],
            [found.output for found in predicted],
            probabilities=None if np.isnan(p).any() else p,
            nats=np.where(np.isinf(nats), np.nan, nats),
        )

    def baseline(
        self, store: TokenStore, tokenizers: Tokenizers, stop: Stop
    ) -> dict[str, Any] | None:
        """Return the metrics of naive Bayes, or None for too many labels."""
        if store.vocab_size > MAX_LABELS:
            return None
        model = self.counted(store, tokenizers).model
        nats, best = example_predictions(model, store.valid)
        found = self.measure(nats, store.valid, best, tokenizers.output)
        return {"name": model.title} | found.to_json()

    def counted(self, store: TokenStore, tokenizers: Tokenizers) -> "CountedLabels":
        """Return a naive Bayes model over n-grams of characters and words."""
        config = BayesConfig(store.vocab_size, store.source_size)
        return CountedLabels(
            BayesModel.fit(config, store.train, tokenizers), tokenizers
        )

    def output_tokenizer(
        self, data: ExampleCorpus, wanted: Mapping[str, Any]
    ) -> Tokenizer:
        """Return a tokenizer with the labels of both parts, so none is unknown."""
        labels = (one.target for part in data.parts for one in part)
        return LabelTokenizer.fit(labels, TokenizerConfig())


@dataclass(frozen=True)
class CountedLabels:
    """Naive Bayes as a baseline."""

    model: BayesModel
    tokenizers: Tokenizers

    @property
    def title(self) -> str:
        """The title of the model."""
        return self.model.title

    def predict(self, sources: Sequence[str]) -> list[str]:
        """Return the most likely label for each input."""
        return [one[0].output for one in predict(self.model, self.tokenizers, sources)]
