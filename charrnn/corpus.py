"""From texts to a token store: which documents train, which validate, as token ids.

A corpus is read three times, in blocks, so that memory stays flat: once to count it,
once to learn a tokenizer from its training part, once to encode it. The encoded
tokens lie in plain files that training maps into memory.
"""

import hashlib
import json
import math
import zlib
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict
from itertools import chain, compress, repeat
from pathlib import Path

import numpy as np
import numpy.typing as npt

from charrnn import files
from charrnn.config import CorpusConfig
from charrnn.errors import TextError
from charrnn.sources import BLOCK_BYTES, Block, Source, documents, whole_documents
from charrnn.store import (
    FORMAT,
    MANY_DOCUMENTS,
    STORE_FILE,
    Fingerprint,
    PartWriter,
    Survey,
    TokenStore,
)
from charrnn.tokenizers.base import Tokenizer

#: characters that validate of a large corpus: a minute on two cores says its bits a
#: character to 0.003 or so, and what validates does not train
MOST_VALID = 500_000


class Corpus:
    """Texts, cut into documents and split into a training and a validation part.

    With many documents, a share of them validates, chosen by a hash of the seed and
    the text: the order is no trap, and equal documents land together. With few, the
    end of the text validates: its last share by characters, cutting inside a document
    where that falls. `valid_sources` validate instead, if given.

    raw: take any bytes, for the byte level.
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
        self._hashes = _SplitHashes(config.seed)
        self._survey: Survey | None = None
        self._learns_end = False

    def survey(self) -> Survey:
        """Count and hash the documents, at the first call."""
        self._survey = self._survey or self._read_all()
        return self._survey

    def training_texts(self) -> Iterator[str]:
        """Return the documents to train on, in turn; long ones come in pieces."""
        blocks = (texts for is_valid, texts, _ in self._split() if not is_valid)
        return chain.from_iterable(blocks)

    def validation_texts(self) -> Iterator[str]:
        """Return the documents that validate, in turn and whole."""
        blocks = ((texts, is_open) for valid, texts, is_open in self._split() if valid)
        return whole_documents(blocks)

    def write_store(self, tokenizer: Tokenizer, folder: Path) -> TokenStore:
        """Encode both parts into files of a folder, and open them.

        Raises TextError if the text is too short to train on.
        """
        survey = self.survey()
        leaks = _Leaks(is_valid_first=bool(self._valid_sources))
        files.make_folder(folder)
        with ExitStack() as stack:
            train = PartWriter(folder / "train", tokenizer, stack)
            valid = PartWriter(
                folder / "valid", tokenizer, stack, learns_end=self._learns_end
            )
            for is_valid, texts, is_open in self._split():
                (valid if is_valid else train).add(texts, is_open)
                if not self._hashes.can_split:
                    leaks.add(is_valid, texts, is_open)
            if train.characters + valid.characters != survey.characters:
                raise _changed()
            parts = {"train": train.finish(), "valid": valid.finish()}
        store = {
            "format": FORMAT,
            "vocab_size": tokenizer.vocab_size,
            "learns_end": self._learns_end,
            "leaked": leaks.count(),
            "survey": asdict(survey),
        }
        files.write(folder / STORE_FILE, json.dumps(store | parts, indent=1).encode())
        # two bytes a document are not for keeping while a model trains; whoever
        # asks again reads the texts again
        self._survey, self._hashes = None, _SplitHashes(self._config.seed)
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
        _check_size(tally.characters, self._share(tally.characters) if is_cut else 0.0)
        sha256 = hashlib.sha256(json.dumps(hashes).encode()).hexdigest()
        return Survey(
            tally.bytes, tally.characters, tally.words, tally.documents, sha256
        )

    def _documents(self, sources: Iterable[Source]) -> Iterator[Block]:
        return documents(
            sources,
            self._config.documents,
            raw=self._raw,
            block_bytes=self._block_bytes,
        )

    def _share(self, characters: int) -> float:
        """Return the share of so many characters that validates."""
        return self._config.valid_frac or min(0.1, MOST_VALID / max(1, characters))

    def _split(self) -> Iterator[tuple[bool, list[str], bool]]:
        """Yield blocks of both parts: (is_valid, texts, is_open).

        Each part is in order by itself. An open document that never goes on is cut.
        """
        characters = self.survey().characters
        if self._valid_sources:
            # validation first: only what stands in it has to be remembered
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
        number = 0  # of the first document in the block
        for texts, is_open in self._documents(self._sources):
            validates = self._hashes.are_within(limit, number, len(texts))
            number += len(texts) - is_open
            for is_valid in (False, True):
                chosen = list(compress(texts, (validates == is_valid).tolist()))
                if chosen:
                    yield is_valid, chosen, is_open and bool(validates[-1]) == is_valid

    def _split_at(self, left: int) -> Iterator[tuple[bool, list[str], bool]]:
        """Let the first `left` characters train."""
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


class _SplitHashes:
    """A hash of 16 bits for each document, by which it trains or validates.

    Two bytes a document: a corpus of 5 GB may have 100 million lines.
    """

    def __init__(self, seed: int) -> None:
        self._seed = self._open = zlib.crc32(str(seed).encode())
        self._hashes = array("H")
        self._histogram = np.zeros(1 << 16, np.int64)

    def add(self, texts: list[str], is_open: bool) -> None:
        data = [text.encode("utf-8", "surrogateescape") for text in texts]
        seeds = chain([self._open], repeat(self._seed))
        crcs = list(map(zlib.crc32, data, seeds))
        self._open = crcs.pop() if is_open else self._seed
        # multiplied, for the CRCs of one text under two seeds differ by a constant
        mixed = (np.array(crcs, np.uint32) * np.uint32(0x9E3779B1)) >> np.uint32(16)
        self._hashes.frombytes(mixed.astype(np.uint16).tobytes())
        self._histogram += np.bincount(mixed, minlength=1 << 16)

    @property
    def can_split(self) -> bool:
        """Whether there are enough documents, copies not counted."""
        return int(np.count_nonzero(self._histogram)) >= MANY_DOCUMENTS

    def limit(self, share: float) -> int:
        """Return the highest hash that validates, for a share of the documents.

        Neither part is ever empty.
        """
        values = np.flatnonzero(self._histogram)[:-1]
        counts = np.cumsum(self._histogram[values])
        wanted = share * len(self._hashes)
        return int(values[np.argmin(np.abs(counts - wanted))])

    def are_within(self, limit: int, first: int, count: int) -> npt.NDArray[np.bool_]:
        hashes = np.frombuffer(self._hashes, np.uint16)[first : first + count]
        if len(hashes) < count:
            raise _changed()
        return hashes <= limit


class _Leaks:
    """Counts the validation documents whose text stands in the training part."""

    def __init__(self, *, is_valid_first: bool) -> None:
        self._is_valid_first = is_valid_first
        self._valid: Counter[bytes] = Counter()
        self._train: set[bytes] = set()
        self._open = {True: hashlib.blake2b(), False: hashlib.blake2b()}

    def add(self, is_valid: bool, texts: list[str], is_open: bool) -> None:
        digests = []
        digest = self._open[is_valid]
        for number, text in enumerate(texts, 1):
            digest.update(text.encode("utf-8", "surrogateescape"))
            if number < len(texts) or not is_open:
                digests.append(digest.digest()[:16])
                digest = hashlib.blake2b()
        self._open[is_valid] = digest
        if is_valid:
            self._valid.update(digests)
        elif self._is_valid_first:
            self._train |= self._valid.keys() & digests
        else:
            self._train.update(digests)

    def count(self) -> int:
        return sum(self._valid[digest] for digest in self._train)


def _check_size(characters: int, valid_frac: float) -> None:
    if characters < 3:
        raise TextError(
            f"the corpus has {characters} of at least 3 characters",
            hint="a useful model needs 10,000 characters, better a million",
        )
    if characters < math.ceil(2 / (1 - valid_frac)):
        raise TextError(
            f"--valid-frac {valid_frac} of {characters:,} characters leaves too few "
            "to train on",
            hint="choose a smaller --valid-frac; 0.1 is usual",
        )


def _changed() -> TextError:
    return TextError(
        "the corpus changed while it was read", hint="start again when it is complete"
    )
