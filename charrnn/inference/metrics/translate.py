"""Metrics of a translator: exact match, symbol error rate, BLEU and chrF."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np

from charrnn.inference.metrics import bleu as bleus
from charrnn.inference.metrics import chrf as chrfs
from charrnn.inference.metrics.edit_distance import Symbols, edit_distances
from charrnn.inference.metrics.figure import Figure, check_examples, ratio
from charrnn.inference.metrics.tables import (
    FRACTION,
    PERCENT,
    PLAIN,
    TaskMetrics,
    Unit,
)


@dataclass(frozen=True)
class TranslateMetrics(TaskMetrics):
    """How well texts were predicted, compared to one or more references for each.

    exact: the fraction that equals a reference. symbol_error_rate: in percent, the sum
    of edit distances to the nearest references, divided by the sum of their lengths.
    bleu, chrf: from 0 to 100. references: the number of references per example, or 0
    if it varies.
    """

    examples: int
    exact: Figure
    symbol_error_rate: Figure
    bleu: Figure
    chrf: Figure
    references: int = 1

    @classmethod
    def of(
        cls,
        gold: Sequence[str | Sequence[str]],
        predicted: Sequence[str],
        *,
        split: Callable[[str], Symbols] = list,
    ) -> "TranslateMetrics":
        """Measure predicted texts. Each has one reference or a list of references.

        split: splits a text into the symbols that the symbol error rate counts (by
        default, its characters).
        """
        check_examples(gold, predicted)
        references = [[text] if isinstance(text, str) else text for text in gold]
        if not all(references):
            raise ValueError("an example has no reference")
        pairs = list(zip(predicted, references, strict=True))
        exact = [[text in of_text, 1] for text, of_text in pairs]
        counts = {len(of_text) for _, of_text in pairs}
        return cls(
            len(pairs),
            Figure.of(ratio, exact),
            Figure.of(_percent, _nearest(references, predicted, split)),
            Figure.of(bleus.bleu, [bleus.bleu_statistics(*pair) for pair in pairs]),
            Figure.of(chrfs.chrf, [chrfs.chrf_statistics(*pair) for pair in pairs]),
            min(counts) if len(counts) == 1 else 0,
        )

    @property
    def figures(self) -> Mapping[str, tuple[Figure | None, Unit]]:
        """The figures by name."""
        return {
            "exact match": (self.exact, FRACTION),
            "symbol error rate": (self.symbol_error_rate, PERCENT),
            "BLEU": (self.bleu, PLAIN),
            "chrF": (self.chrf, PLAIN),
        }

    @property
    def signatures(self) -> dict[str, str]:
        """How BLEU and chrF are computed, in the notation of sacrebleu."""
        count = f"nrefs:{self.references or 'var'}"
        return {
            "bleu_signature": f"{count}|{bleus.SIGNATURE}",
            "chrf_signature": f"{count}|{chrfs.SIGNATURE}",
        }

    @property
    def note(self) -> str:  # type: ignore[override]
        """The signatures."""
        bleu, chrf = self.signatures.values()
        return f"BLEU {bleu}\nchrF {chrf}"

    def to_json(self) -> dict[str, Any]:
        """Return the metrics under the names that `score` prints."""
        values: dict[str, Any] = {"examples": self.examples}
        for name in ("exact", "symbol_error_rate", "bleu", "chrf"):
            values |= getattr(self, name).to_json(name)
        return values | self.signatures


def _percent(sums: Any) -> Any:
    return 100 * ratio(sums)


def _nearest(
    references: Sequence[Sequence[str]],
    predicted: Sequence[str],
    split: Callable[[str], Symbols],
) -> list[tuple[int, int]]:
    """Return the distance to the nearest reference and its length, per example."""
    known = [split(text) for text in chain(*references)]
    guessed = [split(text) for text in predicted]
    repeats = [len(texts) for texts in references]
    rows = np.repeat(np.arange(len(guessed)), repeats)
    distances = edit_distances([guessed[row] for row in rows], known).tolist()
    lengths = [len(symbols) for symbols in known]
    ends = np.cumsum(repeats).tolist()
    pairs = list(zip(distances, lengths, strict=True))
    # if two references are equally near, use the longer one
    return [
        min(pairs[end - count : end], key=lambda pair: (pair[0], -pair[1]))
        for count, end in zip(repeats, ends, strict=True)
    ]
