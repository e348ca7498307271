"""The characters of a word and its features as tokens, for inflection tasks.

Before the first TAB, every character is a token; after it, every feature is a token. A
text decodes to the same text with a TAB before each feature:

    text        "kuzu\tN;LOC;SG"
    tokens      k, u, z, u, \tN, \tLOC, \tSG
    decoded     "kuzu\tN\tLOC\tSG"
"""

import re
from collections.abc import Iterator
from itertools import chain
from typing import Final

import numpy as np

from charrnn.tokenizers.base import Ids
from charrnn.tokenizers.word import PieceTokenizer

_FEATURE: Final = re.compile(r"[^\t;,| ]+")


class FeatureTokenizer(PieceTokenizer):
    """One token per character of a word, and then one token per feature.

    Features are separated by semicolons, commas, bars, blanks or TABs.
    """

    level = "features"
    knows_tabs = True

    @staticmethod
    def find(text: str) -> Iterator[list[str]]:
        """Yield the characters before the first TAB, and the features after it."""
        word, _, features = text.partition("\t")
        yield list(word)
        yield [f"\t{feature}" for feature in _FEATURE.findall(features)]

    def encode_with_ends(self, text: str) -> tuple[Ids, Ids]:
        """Return the ids and where each token ends; the last token ends the text."""
        word = len(text.partition("\t")[0])
        features = (match.end() for match in _FEATURE.finditer(text, word))
        ends = np.array([*range(1, word + 1), *features], np.int64)
        ends[-1:] = len(text)
        return self.encode(text), ends

    def normalise(self, text: str) -> str:
        """Return the text with a single TAB before each feature."""
        return "".join(chain.from_iterable(self.find(text)))
