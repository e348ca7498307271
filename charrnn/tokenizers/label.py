"""Labels as tokens: a whole label is one token, even if it contains blanks."""

from collections.abc import Iterable, Sequence
from typing import Any, Self

import numpy as np

from charrnn.errors import TextError
from charrnn.tokenizers.base import Ids, Tokenizer, listed
from charrnn.tokenizers.config import TokenizerConfig


class LabelTokenizer(Tokenizer):
    """One token per text, which can contain blanks; there is no unknown token.

    The ids of the labels start at 1, in code point order. `"spam" in tokenizer` is true
    if the label can be encoded.
    """

    level = "label"

    def __init__(self, labels: Sequence[str]) -> None:
        if not labels or not all(labels) or list(labels) != sorted(set(labels)):
            raise ValueError("the labels are missing, empty, repeated or out of order")
        self.labels = tuple(labels)
        self._bytes = [b"", *(one.encode("utf-8", "surrogateescape") for one in labels)]
        self._ids = {label: token for token, label in enumerate(labels, 1)}

    @classmethod
    def fit(cls, texts: Iterable[str], config: TokenizerConfig) -> Self:
        """Learn all labels, even rare ones. Raises TextError if there are none."""
        labels = set(texts) - {""}
        if not labels:
            raise TextError("there are no labels", hint="add labelled examples")
        return cls(sorted(labels))

    def __contains__(self, label: str) -> bool:
        return label in self._ids

    def encode(self, text: str) -> Ids:
        """Return the id of a label, (1,), or no id if the text is empty.

        Raises TextError for a label that was not learned.
        """
        if not text:
            return np.empty(0, np.int64)
        if text not in self:
            few = ", ".join(self.labels[:5]) + ", ..." * (len(self.labels) > 5)
            raise TextError(
                f"there is no label {text!r}",
                hint=f"the training examples have the labels {few}",
            )
        return np.array([self._ids[text]])

    def encode_with_ends(self, text: str) -> tuple[Ids, Ids]:
        """Return the id and the offset where the text ends."""
        ids = self.encode(text)
        return ids, np.full(len(ids), len(text))

    def to_json(self) -> dict[str, Any]:
        """Return the labels as a list."""
        return {"level": self.level, "labels": list(self.labels)}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Self:
        """Rebuild from the list of labels."""
        return cls(listed(values, "labels", cls.level))
