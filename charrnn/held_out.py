"""Pieces of a part of a corpus: what chooses must not be what is reported."""

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from charrnn.scoring import text_size
from charrnn.store import MANY_DOCUMENTS, Part
from charrnn.tokenizers import Tokenizer
from charrnn.tokenizers.base import BOUNDARY


def part_of(texts: Iterable[str], tokenizer: Tokenizer, *, learns_end: bool) -> Part:
    """Return texts as a part in memory; learns_end: whether their ends are targets."""
    documents = [tokenizer.encode(text) for text in texts]
    closed = [np.append(ids, BOUNDARY) for ids in documents]
    lengths = np.array([len(ids) for ids in closed], np.int64)
    tokens = np.concatenate([[BOUNDARY], *closed])
    starts = np.cumsum(lengths) - lengths
    part = Part(tokens, starts, lengths - (not learns_end), 0, 0, 0, 0)
    return measured(part, tokenizer)


def split(part: Part, share: float) -> tuple[Part, Part]:
    """Return a part without a share of its targets, and that share, one at least.

    Of many documents it is every so many-th, so that a sorted file is no trap; of few
    the end, cut inside a document where that falls. The sizes of the texts are not
    known, 0.
    """
    part = replace(part, characters=0, bytes=0, words=0, unknown=0)
    count = len(part.lengths)
    if count >= MANY_DOCUMENTS:
        share = max(share, 1 / count)
        is_held = np.diff(np.floor(np.arange(count + 1) * share)) > 0
        return _of(part, ~is_held), _of(part, is_held)
    kept = part.targets - max(1, round(part.targets * share))
    before = np.cumsum(part.lengths) - part.lengths
    inside = np.clip(kept - before, 0, part.lengths)
    rest = replace(part, lengths=inside)
    held = replace(part, starts=part.starts + inside, lengths=part.lengths - inside)
    return _of(rest, rest.lengths > 0), _of(held, held.lengths > 0)


def measured(part: Part, tokenizer: Tokenizer) -> Part:
    """Return a part with the sizes of its texts."""
    targets = [
        part.tokens[start + 1 : start + 1 + length]
        for start, length in zip(part.starts, part.lengths, strict=True)
    ]
    ids = np.concatenate(targets)
    texts = [tokenizer.decode(one[one != BOUNDARY]) for one in targets]
    characters, bytes_, words = np.sum([text_size(text) for text in texts], 0).tolist()
    return replace(
        part,
        characters=characters,
        bytes=bytes_,
        words=words,
        unknown=tokenizer.count_unknown(ids),
    )


def _of(part: Part, chosen: npt.NDArray[np.bool_]) -> Part:
    """Return the chosen documents of a part."""
    return replace(part, starts=part.starts[chosen], lengths=part.lengths[chosen])
