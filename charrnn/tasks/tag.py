"""Sequence labelling: predicting a tag for each word of a text."""

from collections.abc import Mapping
from typing import Any

from charrnn.data.example_batches import inputs_of
from charrnn.data.labelled import ExampleCorpus
from charrnn.data.store import TokenStore
from charrnn.models.labeller.spans import mark_spans
from charrnn.models.labeller.words import known_words
from charrnn.tasks.labelled import LabelledTask
from charrnn.tokenizers import loading
from charrnn.tokenizers.base import Tokenizer, Tokenizers
from charrnn.tokenizers.char import FIRST
from charrnn.tokenizers.config import TokenizerConfig


class TagTask(LabelledTask):
    """Predicts the tags of words."""

    name = "tag"

    def sizes(self, store: TokenStore, tokenizers: Tokenizers) -> dict[str, Any]:
        """Return the number of known words, and the tags if they mark spans."""
        assert tokenizers.source
        blank = int(tokenizers.source.encode(" ")[0])
        words = len(known_words(inputs_of(store.train), blank))
        output = tokenizers.output
        names = [output.piece(k) for k in range(output.vocab_size)]
        return super().sizes(store, tokenizers) | {
            "per_word": True,
            "blank": blank,
            "words": words,
            "spans": tuple(names) if mark_spans(names[FIRST:]) else (),
        }

    def output_tokenizer(
        self, data: ExampleCorpus, wanted: Mapping[str, Any]
    ) -> Tokenizer:
        """Return the tags of both parts: a tag is never unknown."""
        tags = (one.target for part in data.parts for one in part)
        return loading.fit(tags, TokenizerConfig("symbol", min_count=1))
