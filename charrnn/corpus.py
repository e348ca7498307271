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
from dataclasses import asdict, dataclass
from itertools import chain, compress, repeat
from pathlib import Path
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt

from charrnn import files
from charrnn.config import CorpusConfig
from charrnn.errors import ModelFileError, NotFoundError, TextError
from charrnn.sources import BLOCK_BYTES, Block, Source, documents
from charrnn.tokenizers.base import BOUNDARY, Tokenizer

#: From so many documents on, whole documents validate and ends are learned.
MANY_DOCUMENTS: Final = 20
LEAST_TARGETS: Final = {"train": 2, "valid": 1}
STORE_FILE: Final = "store.json"
FORMAT: Final = 1

Positions = npt.NDArray[np.int64]
IS_SPACE: Final = np.array([chr(code).isspace() for code in range(0x3002)])


@dataclass(frozen=True)
class Survey:
    """What a corpus holds, its validation texts included: counts of its documents.

    What stands between documents is not counted. words: separated by whitespace.
    sha256: of the documents and the mode, whatever files they came in.
    """

    bytes: int
    characters: int
    words: int
    documents: int
    sha256: str


@dataclass(frozen=True)
class Part:
    """The training or validation part of a corpus, as tokens.

    tokens: (N,), laid out as B d1 B d2 B ... dn [B] with B the boundary: one closes
    a document and opens the next. A document that is cut has no closing boundary.
    starts: (D,), where each document's opening boundary is. lengths: (D,), the
    targets of each: its tokens, and its end if that is one. The inputs of a document
    are tokens[start : start + length], its targets those one place later.
    """

    tokens: npt.NDArray[np.unsignedinteger[Any]]
    starts: Positions
    lengths: Positions
    characters: int
    bytes: int
    words: int
    unknown: int

    @property
    def targets(self) -> int:
        """How many tokens there are to predict."""
        return int(self.lengths.sum())


@dataclass(frozen=True)
class TokenStore:
    """A corpus as tokens on the disk.

    learns_end: whether ends of documents are targets in validation too. With few
    documents they are not, so that validation equals scoring the text. In training
    the true end of a whole document always is. leaked: how many validation documents
    stand in the training part, too.
    """

    train: Part
    valid: Part
    vocab_size: int
    learns_end: bool
    leaked: int
    survey: Survey

    @classmethod
    def open(cls, folder: Path) -> Self:
        """Map a store that `Corpus.write_store` wrote.

        Raises NotFoundError, or ModelFileError if it is damaged.
        """
        try:
            values = json.loads((folder / STORE_FILE).read_bytes())
            if values.pop("format") != FORMAT:
                raise ValueError(f"its format is not {FORMAT}")
            dtype = _token_type(values["vocab_size"])
            for name in ("train", "valid"):
                values[name] = _open_part(folder / name, dtype, **values[name])
            return cls(**values | {"survey": Survey(**values["survey"])})
        except FileNotFoundError as error:
            raise NotFoundError(f"{folder} has no {error.filename}") from error
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise ModelFileError(
                f"the token store {folder} is damaged: {error}",
                hint="train anew from the text: --new",
            ) from error


class Corpus:
    """Texts, cut into documents and split into a training and a validation part.

    With many documents, a share of them validates, chosen by a hash of the seed and
    the text: the order is no trap, and equal documents land together. With few, the
    end of the text validates: its last `valid_frac` by characters, cutting inside a
    document where that falls. `valid_sources` validate instead, if given.

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
        """Yield the documents to train on; long ones come in pieces."""
        for is_valid, texts, _ in self._split():
            if not is_valid:
                yield from texts

    def write_store(self, tokenizer: Tokenizer, folder: Path) -> TokenStore:
        """Encode both parts into files of a folder, and open them.

        Raises TextError if the text is too short to train on.
        """
        survey = self.survey()
        leaks = _Leaks(is_valid_first=bool(self._valid_sources))
        files.make_folder(folder)
        with ExitStack() as stack:
            train = _PartWriter(folder / "train", tokenizer, stack)
            valid = _PartWriter(
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
        return TokenStore.open(folder)

    def _read_all(self) -> Survey:
        tally = _Tally()
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
        _check_size(tally.characters, self._config.valid_frac if is_cut else 0.0)
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
            train_characters = int((1 - self._config.valid_frac) * characters)
            yield from self._split_at(min(train_characters, characters - 1))

    def _split_by_hash(self) -> Iterator[tuple[bool, list[str], bool]]:
        limit = self._hashes.limit(self._config.valid_frac)
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


class _Tally:
    """Counts and hashes documents that come in blocks."""

    def __init__(self) -> None:
        self.bytes = self.characters = self.words = self.documents = 0
        self._in_word = False
        self._open_characters = 0
        self._hash = hashlib.sha256()
        self._lengths_hash = hashlib.sha256()

    def add(self, texts: list[str], is_open: bool) -> None:
        closed = len(texts) - is_open
        # a line end closes a document; the lengths say which line ends those are
        joined = "\n".join(texts) + ("" if is_open else "\n")
        data = joined.encode("utf-8", "surrogateescape")
        self.bytes += len(data) - closed
        self.characters += len(joined) - closed
        self.documents += closed
        self._count_words(joined, data)
        self._hash.update(data)
        lengths = np.fromiter(map(len, texts), np.int64, len(texts))
        lengths[0] += self._open_characters
        self._open_characters = int(lengths[-1]) if is_open else 0
        self._lengths_hash.update(lengths[:closed].tobytes())

    def sha256(self) -> str:
        return self._hash.hexdigest() + self._lengths_hash.hexdigest()

    def _count_words(self, joined: str, data: bytes) -> None:
        # by table: four times as fast as len(joined.split()), 450 against 110 MB/s
        if joined.isascii():
            is_space = IS_SPACE[np.frombuffer(data, np.uint8)]
        else:
            codes = np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), "<u4")
            is_space = IS_SPACE[np.minimum(codes, len(IS_SPACE) - 1)]
        self.words += int(np.count_nonzero(is_space[:-1] > is_space[1:]))
        self.words += not (self._in_word or is_space[0])
        self._in_word = not is_space[-1]


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


class _PartWriter:
    """Writes the files of one part as its documents come in blocks."""

    def __init__(
        self,
        path: Path,
        tokenizer: Tokenizer,
        stack: ExitStack,
        *,
        learns_end: bool = True,
    ) -> None:
        self._name = path.name
        self._tokenizer = tokenizer
        self._learns_end = learns_end
        self._dtype = _token_type(tokenizer.vocab_size)
        self._tokens, self._starts, self._lengths = (
            stack.enter_context(files.writing(path.with_suffix(suffix)))
            for suffix in (".tokens", ".starts", ".lengths")
        )
        self._tally = _Tally()
        self._size = 0  # tokens written, boundaries included
        self._start = 0  # the boundary that opens the unfinished document
        self._documents = self._targets = self._unknown = 0

    @property
    def characters(self) -> int:
        return self._tally.characters

    def add(self, texts: list[str], is_open: bool) -> None:
        self._tally.add(texts, is_open)
        ids, counts = self._tokenizer.encode_all(texts)
        if self._tokenizer.unknown is not None:
            self._unknown += int(np.count_nonzero(ids == self._tokenizer.unknown))
        if not self._size:
            self._write_tokens(np.array([BOUNDARY]))
        is_closed = np.ones(len(texts), bool)
        is_closed[-1] = not is_open
        ends = self._size + np.cumsum(counts + is_closed)
        boundaries = ends[is_closed] - 1
        laid_out = np.full(int(ends[-1]) - self._size, BOUNDARY, self._dtype)
        is_token = np.ones(len(laid_out), bool)
        is_token[boundaries - self._size] = False
        laid_out[is_token] = ids
        self._write_tokens(laid_out)
        self._close_documents(boundaries, is_end_target=self._learns_end)

    def finish(self) -> dict[str, int]:
        """Close a document that was cut; return the counts of the part.

        Raises TextError if there is too little to predict.
        """
        last = self._size - 1
        if last > self._start:
            # the last token is a target, and no boundary follows it
            self._close_documents(np.array([last]), is_end_target=True)
        least = LEAST_TARGETS[self._name]
        if self._targets < least:
            name = {"train": "training", "valid": "validation"}[self._name]
            raise TextError(
                f"too little text: the {name} part has {self.characters:,} characters,"
                f" {self._targets} tokens to predict; it needs {least}",
                hint="use a longer text, or another --valid-frac",
            )
        return {
            "tokens": self._size,
            "documents": self._documents,
            "characters": self._tally.characters,
            "bytes": self._tally.bytes,
            "words": self._tally.words,
            "unknown": self._unknown,
        }

    def _close_documents(self, ends: Positions, *, is_end_target: bool) -> None:
        """Note documents whose end is written at `ends`."""
        borders = np.concatenate([[self._start], ends])
        lengths = np.diff(borders) - (not is_end_target)
        self._starts.write(borders[:-1].astype("<i8").tobytes())
        self._lengths.write(lengths.astype("<i8").tobytes())
        self._start = int(borders[-1])
        self._documents += len(lengths)
        self._targets += int(lengths.sum())

    def _write_tokens(self, tokens: npt.NDArray[Any]) -> None:
        self._tokens.write(tokens.astype(self._dtype, copy=False).tobytes())
        self._size += len(tokens)


def _token_type(vocab_size: int) -> np.dtype[Any]:
    """Return the smallest unsigned integer that holds every id."""
    return np.min_scalar_type(vocab_size - 1).newbyteorder("<")


def _open_part(
    path: Path, dtype: np.dtype[Any], *, tokens: int, documents: int, **counts: int
) -> Part:
    return Part(
        _map(path.with_suffix(".tokens"), dtype, tokens),
        _map(path.with_suffix(".starts"), np.dtype("<i8"), documents),
        _map(path.with_suffix(".lengths"), np.dtype("<i8"), documents),
        **counts,
    )


def _map(path: Path, dtype: np.dtype[Any], count: int) -> npt.NDArray[Any]:
    if path.stat().st_size != count * dtype.itemsize:
        raise ValueError(f"{path.name} has {path.stat().st_size:,} bytes")
    if not count:
        return np.empty(0, dtype)  # an empty file cannot be mapped
    return np.asarray(np.memmap(path, dtype, "r", shape=(count,)))


def _check_size(characters: int, valid_frac: float) -> None:
    least = max(3, math.ceil(2 / (1 - valid_frac)))
    if characters < least:
        raise TextError(
            f"the corpus has {characters:,} characters; the least is {least}",
            hint="a useful model needs 10,000 characters, better a million",
        )


def _changed() -> TextError:
    return TextError(
        "the corpus changed while it was read", hint="start again when it is complete"
    )
