"""Split a part in two, because mixture weights must not be fitted on scored text."""

from collections.abc import Iterable
from dataclasses import asdict, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from charrnn.data.store import MANY_DOCUMENTS, Part
from charrnn.text.size import TextSize, text_size
from charrnn.tokenizers.base import BOUNDARY, Ids, Tokenizer

# Some training text is held out to fit the weights of a mixture: HELD_SHARE of its
# tokens, but at least ENOUGH_HELD (or a tenth of a short text) and at most MAX_HELD.
# Of labelled data, at least ENOUGH_EXAMPLES are held out.
HELD_SHARE: Final = 0.02
ENOUGH_HELD: Final = 2_000
ENOUGH_EXAMPLES: Final = 500
MAX_HELD_SHARE: Final = 0.1
MAX_HELD: Final = 50_000
HELD_RUN: Final = 500  #: tokens held out in a row


def part_of(texts: Iterable[str], tokenizer: Tokenizer, *, learns_end: bool) -> Part:
    """Return an in-memory part; with learns_end, the end of each text is a target."""
    documents = [tokenizer.encode(text) for text in texts]
    closed = [np.append(ids, BOUNDARY) for ids in documents]
    lengths = np.array([len(ids) for ids in closed], np.int64)
    tokens = np.concatenate([[BOUNDARY], *closed])
    starts = np.cumsum(lengths) - lengths
    part = Part(tokens, starts, lengths - (not learns_end), 0, 0, 0, 0)
    return measured(part, tokenizer)


def split(part: Part, share: float, *, pieces: int = 1) -> tuple[Part, Part]:
    """Split a share of the targets off a part; return the rest and that share.

        40 documents, share 0.1           documents 10, 20, 30 and 40 are held out
        100 targets, share 0.1            targets 91-100 are held out
        the same, pieces=2                targets 46-50 and 96-100 are held out

    If there are many documents, whole ones are held out at regular intervals, so even a
    sorted file is sampled evenly. Otherwise documents are cut, and every piece opens
    with a boundary. At least one target is held out. Text sizes are unknown and set to
    0. Labelled examples stay whole, and those with equal inputs stay together.
    """
    # If equal inputs were separated, naive Bayes would seem worse than it is: it would
    # have counted some of the held-out inputs with another label.
    kinds = _kinds(part.source) if part.source else np.arange(len(part.lengths))
    count = int(kinds.max(initial=-1)) + 1
    if part.source or count >= MANY_DOCUMENTS:
        share = max(share, 1 / max(1, count))
        is_held = (np.diff(np.floor(np.arange(count + 1) * share)) > 0)[kinds]
        return _of(part, ~is_held), _of(part, is_held)
    size = max(1, round(part.targets * share))
    pieces = min(pieces, size)
    ends = np.linspace(0, part.targets, pieces + 1).round().astype(np.int64)[1:]
    begins = ends - np.diff(np.arange(pieces + 1) * size // pieces)
    documents = np.cumsum(part.lengths)
    borders = np.unique(np.concatenate([[0], documents, begins, ends]))
    first, last = borders[:-1], borders[1:]
    document = np.searchsorted(documents, first, "right")
    inner = first - (documents - part.lengths)[document]
    cut = replace(part, starts=part.starts[document] + inner, lengths=last - first)
    is_held = first >= begins[np.searchsorted(ends, first, "right")]
    return _opened(_of(cut, ~is_held)), _opened(_of(cut, is_held))


def hold_out(train: Part) -> tuple[Part, Part]:
    """Return a part to train on and one to fit the weights of a mixture on."""
    enough = ENOUGH_EXAMPLES if train.source else ENOUGH_HELD
    few = max(HELD_SHARE, enough / train.targets)
    share = min(MAX_HELD_SHARE, few, MAX_HELD / train.targets)
    # Do not hold out the end in one piece: it is most like the text that follows it.
    # Without the last 2% of tinyshakespeare, a 7-gram scores 1.586 nats, not 1.517.
    return split(train, share, pieces=max(1, round(share * train.targets / HELD_RUN)))


def measured(part: Part, tokenizer: Tokenizer) -> Part:
    """Return a copy of a part with the measured sizes of its texts."""
    targets = [
        part.tokens[start + 1 : start + 1 + length]
        for start, length in zip(part.starts, part.lengths, strict=True)
    ]
    ids = np.concatenate(targets)
    texts = [tokenizer.decode(one[one != BOUNDARY]) for one in targets]
    size = sum(map(text_size, texts), TextSize())
    unknown = tokenizer.count_unknown(ids)
    return replace(part, **asdict(size), unknown=unknown)


def _of(part: Part, chosen: npt.NDArray[np.bool_]) -> Part:
    """Return the chosen documents of a part, of unknown size."""
    return replace(
        part,
        starts=part.starts[chosen],
        lengths=part.lengths[chosen],
        characters=0,
        bytes=0,
        words=0,
        unknown=0,
        source=_of(part.source, chosen) if part.source else None,
    )


def _kinds(part: Part) -> Ids:
    """Return a number for each document (D,), which is the same for equal ones."""
    numbers: dict[bytes, int] = {}
    spans = zip(part.starts.tolist(), part.lengths.tolist(), strict=True)
    keys = (part.tokens[start + 1 : start + 1 + n].tobytes() for start, n in spans)
    return np.array([numbers.setdefault(key, len(numbers)) for key in keys], np.int64)


def _opened(part: Part) -> Part:
    """Return a copy in which every document opens with a boundary."""
    boundary = np.array([BOUNDARY], part.tokens.dtype)
    copied = [boundary[:0]]
    for start, length in zip(part.starts, part.lengths, strict=True):
        copied += [boundary, part.tokens[start + 1 : start + 1 + length]]
    starts = np.cumsum(part.lengths + 1) - (part.lengths + 1)
    return replace(part, tokens=np.concatenate(copied), starts=starts)
