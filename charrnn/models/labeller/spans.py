"""The legal transitions between labels that mark spans of words.

A label consists of a part and a type, such as B-LOC for the first word of a place. Two
notations are supported:

    IOB2     Anna B-PER  Maria I-PER  sees O  Rome B-LOC
    BIOES    Anna B-PER  Maria E-PER  sees O  Rome S-LOC     L and U stand for E and S

B begins a span, I is inside it, E ends it, S is a span of one word, and O is outside.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Legal = npt.NDArray[np.bool_]

OPENING, CLOSING, WHOLE = "B", "EL", "SU"
CONTINUING = "I" + CLOSING


def mark_spans(names: Sequence[str]) -> bool:
    """Return whether labels mark spans and every text has a legal sequence of them.

    names: all labels, without the boundary and the unknown label.
    """
    split = [name.partition("-") for name in names if name != "O"]
    parts = {part for part, _, _ in split}
    can_close = "O" in names or not parts & {*CLOSING} or bool(parts & {*WHOLE})
    is_known = OPENING in parts and parts <= {*OPENING, *CONTINUING, *WHOLE}
    return is_known and can_close and all(kind for _, _, kind in split)


def legal_transitions(spans: Sequence[str]) -> Legal:
    """Return whether label j can follow label i, (V, V), given the labels' names.

    The boundary precedes the first label and follows the last.
    """
    V = len(spans)
    split = [name.partition("-") for name in spans]
    parts = np.array([part for part, _, _ in split])
    kinds = np.array([kind for _, _, kind in split])
    continues = np.isin(parts, list(CONTINUING))
    is_open = np.isin(parts, [OPENING, "I"])
    # in a notation without E, a span can end at any of its words
    must_close = is_open & np.isin(parts, list(CLOSING)).any()
    same = (kinds[:, None] == kinds) & is_open[:, None]
    legal = np.where(continues, same, ~must_close[:, None])
    return np.broadcast_to(legal, (V, V)).copy()


def illegal_share(legal: Legal, labels: npt.NDArray[np.integer[Any]]) -> float:
    """Return the share of transitions in `labels` (N,) that are not legal.

    labels: sequences of labels, with a boundary before each.
    """
    return float(1 - legal[labels[:-1], labels[1:]].mean()) if len(labels) > 1 else 0.0
