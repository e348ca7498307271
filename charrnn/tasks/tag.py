"""Sequence labelling: predicting a tag for each word of a text."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np

from charrnn.data.example_batches import inputs_of, targets_of
from charrnn.data.formats.base import Example, split_words, words
from charrnn.data.labelled import ExampleCorpus
from charrnn.data.store import Part, TokenStore
from charrnn.errors import UsageError
from charrnn.inference.counting.frequent_tags import FrequentTags
from charrnn.inference.metrics.spans import spans
from charrnn.inference.metrics.tag import TagMetrics
from charrnn.inference.prediction.predicting import Prediction
from charrnn.inference.scoring import Nats
from charrnn.inference.text_model import TextModel
from charrnn.models.labeller.config import MAX_CHAINED
from charrnn.models.labeller.spans import (
    illegal_share,
    legal_transitions,
    mark_spans,
)
from charrnn.models.labeller.words import joined, known_words
from charrnn.tasks.base import loss
from charrnn.tasks.labelled import LabelledTask, Predicted, blank_of
from charrnn.tokenizers import loading
from charrnn.tokenizers.base import Ids, Tokenizer, Tokenizers
from charrnn.tokenizers.char import FIRST
from charrnn.tokenizers.config import TokenizerConfig

#: With a larger share of illegal transitions, the tags are in another notation, such as
#: one in which every span begins with I. With a smaller share, they contain mistakes.
MOST_ILLEGAL: Final = 0.005


class TagTask(LabelledTask):
    """Predicts a tag for each word."""

    name = "tag"
    loss_unit = "nats/tag"
    format = "conll"
    counts = FrequentTags

    @staticmethod
    def describe(values: Mapping[str, Any]) -> str:
        """Describe the F1 of entities, if any, the tag accuracy and the loss."""
        entities = values.get("entity_f1")
        f1 = "" if entities is None else f"entity F1 {entities:.2%}, "
        accuracy = f"tag accuracy {values['tag_accuracy']:.2%}"
        return f"{f1}{accuracy}{loss(values, TagTask.loss_unit)}"

    @staticmethod
    def brief(values: Mapping[str, Any]) -> str:
        """Describe the entity F1, or else the tag accuracy."""
        return f"{values.get('entity_f1', values['tag_accuracy']):.1%}"

    @staticmethod
    def prepared(text: str) -> str:
        """Return the words of a text, separated by single blanks."""
        return " ".join(words(text.replace("\t", " ")))

    @staticmethod
    def unknown(output: str, tokenizer: Tokenizer) -> list[str]:
        """Return the unknown tags."""
        ids = zip(words(output), tokenizer.encode(output).tolist(), strict=True)
        return [tag for tag, token in ids if token == tokenizer.unknown]

    @staticmethod
    def shown(source: str, output: str) -> str:
        """Return words with their tags, such as the/DET cat/NOUN."""
        pairs = zip(words(source), words(output), strict=True)
        return " ".join(f"{word}/{tag}" for word, tag in pairs)

    @classmethod
    def paired(cls, source: str, output: str) -> str:
        """Return the words with their tags."""
        return cls.shown(source, output)

    @staticmethod
    def listed(output: str) -> list[str]:
        """Return the tags."""
        return split_words(output)

    def measure(
        self, nats: Nats, part: Part, best: Ids | None, output: Tokenizer
    ) -> Predicted:
        """Return the tag accuracy, and the F1 of entities if tags mark spans."""
        found = super().measure(nats, part, best, output)
        assert best is not None
        more = {"tag_accuracy": found.right_tokens / found.tokens}
        names = np.array([output.piece(k) for k in range(output.vocab_size)])
        if not mark_spans(names[FIRST:].tolist()):
            return replace(found, errors=1 - more["tag_accuracy"], more=more)
        targets, examples = targets_of(part)
        order = np.argsort(examples, kind="stable")
        ends = np.flatnonzero(np.diff(examples[order])) + 1
        gold, predicted = (
            [tags.tolist() for tags in np.split(names[ids[order]], ends)]
            for ids in (targets, best)
        )
        pairs = [
            (set(spans(right)), set(spans(tags)))
            for right, tags in zip(gold, predicted, strict=True)
        ]
        hits = sum(len(right & tags) for right, tags in pairs)
        both = sum(len(right) + len(tags) for right, tags in pairs)
        more["entity_f1"] = 2 * hits / max(1, both)
        return replace(found, errors=1 - more["entity_f1"], more=more)

    def evaluate(
        self,
        model: TextModel,
        examples: Sequence[Example],
        predicted: Sequence[Prediction],
        nats: Nats,
        training: Sequence[str] | None = None,
    ) -> TagMetrics:
        """Return the tag accuracy, overall and on unseen words, and the entity F1."""
        unseen = None
        if training is not None:
            seen = {word for text in training for word in words(text)}
            read = model.as_read(one.source for one in examples)
            unseen = [[word not in seen for word in words(text)] for text in read]
        return TagMetrics.of(
            [words(one.target) for one in examples],
            [words(found.output) for found in predicted],
            unseen=unseen,
        )

    def sizes(self, store: TokenStore, tokenizers: Tokenizers) -> dict[str, Any]:
        """Return the number of known words, and the tags if they mark spans.

        Raises UsageError for a tokenizer that does not tell words apart.
        """
        assert tokenizers.source
        blank = blank_of(tokenizers.source)
        train, source = store.train, inputs_of(store.train)
        blanks = np.count_nonzero(np.asarray(source.tokens) == blank)
        if blank is None or blanks != train.targets - len(train.lengths):
            raise UsageError(
                "a tagger reads letters, but a blank is not a token of its own"
                f" (`level` {tokenizers.source.level})",
                hint="omit `level` and `tokenizer`",
            )
        known = known_words(source, blank)
        output = tokenizers.output
        names = [output.piece(k) for k in range(output.vocab_size)]
        return super().sizes(store, tokenizers) | {
            "per_word": True,
            "blank": blank,
            "words": len(known),
            "spans": tuple(names) if _are_spans(names, store.train) else (),
        }

    def fit_source(
        self, level: str, inputs: Sequence[str], config: TokenizerConfig
    ) -> Tokenizer:
        """Return a tokenizer to which a blank is known, even if it is rare."""
        texts = [" ".join([*inputs, ""])]  # with a blank, even for one word
        found = super().fit_source(level, texts, config)
        if blank_of(found) is not None:
            return found
        every = replace(config, min_count=1, vocab_size=0)
        return super().fit_source(level, texts, every)

    def sizes_like(self, model: Mapping[str, Any]) -> dict[str, Any]:
        """Return the sizes; the weights are those for the encoder of letters."""
        names = ("cell", "embed", "norm")
        return {n: model[n] for n in names} | {"letter_hidden": model["hidden"]}

    def output_tokenizer(
        self, data: ExampleCorpus, wanted: Mapping[str, Any]
    ) -> Tokenizer:
        """Return a tokenizer with the tags of both parts, so none is unknown."""
        tags = (one.target for part in data.parts for one in part)
        return loading.fit(tags, TokenizerConfig("symbol", min_count=1))


def _are_spans(names: list[str], part: Part) -> bool:
    """Return whether tags mark spans in a notation whose rules the data follows."""
    if len(names) > MAX_CHAINED or not mark_spans(names[FIRST:]):
        return False
    return illegal_share(legal_transitions(names), joined(part)) < MOST_ILLEGAL
