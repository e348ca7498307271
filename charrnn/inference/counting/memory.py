"""Remembering translations, a baseline for translators."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Self


class Memory:
    """Returns the most frequent target of a known source; copies any other source.

    If a source has several columns, joined with tabs, only the first one is copied.
    translations: the most frequent target of each source, or the first of several.
    """

    title = "memorize and copy"

    def __init__(self, translations: Mapping[str, str]) -> None:
        self._translations = translations

    @classmethod
    def fit(cls, sources: Sequence[str], targets: Sequence[str]) -> Self:
        """Count the targets of each source."""
        counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
        for source, target in zip(sources, targets, strict=True):
            counts[source][target] += 1
        return cls({source: of.most_common(1)[0][0] for source, of in counts.items()})

    def predict(self, sources: Sequence[str]) -> list[str]:
        """Return the translation of each source, or a copy."""
        return [self._translations.get(one, one.split("\t")[0]) for one in sources]
