"""Split a corpus into training and validation documents, and encode both.

A corpus is read three times, in blocks, so that memory use stays constant: once to
count it, once to learn a tokenizer from its training part, and once to encode it. The
encoded tokens are stored in plain files that training maps into memory.
"""

import hashlib
import json
import math
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict
from itertools import chain, compress
from pathlib import Path

import numpy as np

from charrnn.data.config import CorpusConfig
from charrnn.data.split import Leaks, SplitHashes, corpus_changed_error
from charrnn.data.store import FORMAT, MANY_DOCUMENTS, STORE_FILE, Survey, TokenStore
from charrnn.data.writer import Fingerprint, PartWriter
from charrnn.errors import TextError
from charrnn.storage import files
from charrnn.text.documents import Block, documents, whole_documents
from charrnn.text.sources import BLOCK_BYTES, Source
from charrnn.tokenizers.base import Tokenizer

#: The most validation characters of a large corpus. They take a minute on two cores and
#: give bits per character to within about 0.003. Using more would waste training text.
MOST_VALID = 500_000


class Corpus:
    """Texts, cut into documents and split into a training and a validation part.

    With many documents, a fraction is held out for validation, chosen by a hash of seed
    and text: order does not matter, and duplicates end up in the same part. With few
    documents, the end of the text is used, even if that splits a document.
    `valid_sources`, if given, are used for validation instead.

    raw: accept any bytes, for the byte level.
    """

    def __init__(
        self,
        sources: Sequence[Source],
        config: CorpusConfig,
        raw: bool = False,
        *,
        valid_sources: Sequence[Source] = (),
        block_bytes: int = BLOCK_BYTES,
    ) -> None:
        self._sources = sources
        self._valid_sources = valid_sources
        self._config = config
        self._raw = raw
        self._block_bytes = block_bytes
        self._hashes = SplitHashes(config.seed)
        self._survey: Survey | None = None
        self._learns_end = False

    def survey(self) -> Survey:
        """Count and hash the documents, on the first call only."""
        self._survey = self._survey or self._read_all()
        return self._survey

    @property
    def layout(self) -> None:
        """Text has no columns."""

    def preview(self) -> list[str]:
        """Return no lines: how text is understood needs no explanation."""
        return []

    def training_texts(self) -> Iterator[str]:
        """Return the training documents in order; long ones are returned in pieces."""
        blocks = (texts for is_valid, texts, _ in self._split() if not is_valid)
        return chain.from_iterable(blocks)

    def validation_texts(self) -> Iterator[str]:
        """Return the validation documents in order, without cutting any into pieces."""
        blocks = ((texts, is_open) for valid, texts, is_open in self._split() if valid)
        return whole_documents(blocks)

    def write_store(self, tokenizer: Tokenizer, folder: Path) -> TokenStore:
        """Encode both parts into files in a folder, and open them.

        Raises TextError if the text is too short to train on.
        """
        survey = self.survey()
        leaks = Leaks(is_valid_first=bool(self._valid_sources))
        files.make_folder(folder)
        with ExitStack() as stack:
            train = PartWriter(folder / "train", tokenizer, stack, least_targets=2)
            valid = PartWriter(
                folder / "valid", tokenizer, stack, learns_end=self._learns_end
            )
            for is_valid, texts, is_open in self._split():
                (valid if is_valid else train).add(texts, is_open)
                if not self._hashes.can_split:
                    leaks.add(is_valid, texts, is_open)
            if train.characters + valid.characters != survey.characters:
                raise corpus_changed_error()
            parts = {"train": train.finish(), "valid": valid.finish()}
        store = {
            "format": FORMAT,
            "vocab_size": tokenizer.vocab_size,
            "learns_end": self._learns_end,
            "leaked": leaks.count(),
            "survey": asdict(survey),
        }
        files.write(folder / STORE_FILE, json.dumps(store | parts, indent=1).encode())
        # frees two bytes per document during training; another call rereads the texts
        self._survey, self._hashes = None, SplitHashes(self._config.seed)
        return TokenStore.open(folder)

    def _read_all(self) -> Survey:
        tally = Fingerprint()
        hashes = [self._config.documents]
        for block in self._documents(self._sources):
            tally.add(*block)
            if not self._valid_sources:
                self._hashes.add(*block)
        self._learns_end = tally.documents >= MANY_DOCUMENTS
        hashes.append(tally.sha256())
        for block in self._documents(self._valid_sources):
            tally.add(*block)
        hashes.append(tally.sha256())
        is_cut = not (self._valid_sources or self._hashes.can_split)
        characters = tally.size.characters
        _check_size(characters, self._share(characters) if is_cut else 0.0)
        sha256 = hashlib.sha256(json.dumps(hashes).encode()).hexdigest()
        return Survey(**asdict(tally.size), documents=tally.documents, sha256=sha256)

    def _documents(self, sources: Iterable[Source]) -> Iterator[Block]:
        return documents(
            sources,
            self._config.documents,
            raw=self._raw,
            block_bytes=self._block_bytes,
        )

    def _share(self, characters: int) -> float:
        """Return the share of a corpus of this size that is used for validation."""
        return self._config.valid_frac or min(0.1, MOST_VALID / max(1, characters))

    def _split(self) -> Iterator[tuple[bool, list[str], bool]]:
        """Yield blocks of both parts as (is_valid, texts, is_open).

        Each part is in order. An open document that is never continued is truncated.
        """
        characters = self.survey().characters
        if self._valid_sources:
            # validation first: only its hashes have to be stored
            for texts, is_open in self._documents(self._valid_sources):
                yield True, texts, is_open
            for texts, is_open in self._documents(self._sources):
                yield False, texts, is_open
        elif self._hashes.can_split:
            yield from self._split_by_hash()
        else:
            train_characters = int((1 - self._share(characters)) * characters)
            yield from self._split_at(min(train_characters, characters - 1))

    def _split_by_hash(self) -> Iterator[tuple[bool, list[str], bool]]:
        limit = self._hashes.limit(self._share(self.survey().characters))
        number = 0  # index of the block's first document
        for texts, is_open in self._documents(self._sources):
            validates = self._hashes.are_within(limit, number, len(texts))
            number += len(texts) - is_open
            for is_valid in (False, True):
                chosen = list(compress(texts, (validates == is_valid).tolist()))
                if chosen:
                    yield is_valid, chosen, is_open and bool(validates[-1]) == is_valid

    def _split_at(self, left: int) -> Iterator[tuple[bool, list[str], bool]]:
        """Yield both parts; the first `left` characters are used for training."""
        for texts, is_open in self._documents(self._sources):
            ends = np.cumsum(np.fromiter(map(len, texts), np.int64, len(texts)))
            whole = int(np.searchsorted(ends, left, "right"))
            inside = left - int(ends[whole - 1]) if whole else left
            left = max(0, left - int(ends[-1]))
            if whole == len(texts):
                yield False, texts, is_open
                continue
            head, tail = texts[:whole], texts[whole:]
            if inside:
                head, tail[0] = [*head, tail[0][:inside]], tail[0][inside:]
            if head:
                yield False, head, bool(inside)
            yield True, tail, is_open


def _check_size(characters: int, valid_frac: float) -> None:
    if characters < 3:
        raise TextError(
            f"the corpus has {characters} characters, but needs at least 3",
            hint="a useful model needs at least 10,000 characters, ideally a million",
        )
    if characters < math.ceil(2 / (1 - valid_frac)):
        raise TextError(
            f"with `valid_frac` {valid_frac}, too few of the {characters:,} characters "
            "are left to train on",
            hint="choose a smaller `valid_frac`; 0.1 is usual",
        )
