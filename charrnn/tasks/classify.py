"""Sequence classification: predicting one label from a text."""

from collections.abc import Mapping
from typing import Any

from charrnn.data.labelled import ExampleCorpus
from charrnn.tasks.labelled import LabelledTask
from charrnn.tokenizers.base import Tokenizer
from charrnn.tokenizers.config import TokenizerConfig
from charrnn.tokenizers.label import LabelTokenizer


class ClassifyTask(LabelledTask):
    """Predicts a label."""

    name = "classify"

    def output_tokenizer(
        self, data: ExampleCorpus, wanted: Mapping[str, Any]
    ) -> Tokenizer:
        """Return the labels, of both parts: a label is never unknown."""
        labels = (one.target for part in data.parts for one in part)
        return LabelTokenizer.fit(labels, TokenizerConfig())
