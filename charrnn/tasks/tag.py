"""Sequence labelling: predicting a tag for each word of a text."""

from collections.abc import Mapping
from typing import Any

from charrnn.data.labelled import ExampleCorpus
from charrnn.tasks.labelled import LabelledTask
from charrnn.tokenizers import loading
from charrnn.tokenizers.base import Tokenizer
from charrnn.tokenizers.config import TokenizerConfig


class TagTask(LabelledTask):
    """Predicts the tags of words."""

    name = "tag"

    def output_tokenizer(
        self, data: ExampleCorpus, wanted: Mapping[str, Any]
    ) -> Tokenizer:
        """Return the tags of both parts: a tag is never unknown."""
        tags = (one.target for part in data.parts for one in part)
        return loading.fit(tags, TokenizerConfig("symbol", min_count=1))
