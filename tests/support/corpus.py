"""Texts in memory, their documents, and the stores of their tokens."""

from pathlib import Path

from charrnn.data.config import CorpusConfig
from charrnn.data.corpus import Corpus
from charrnn.data.store import Part
from charrnn.text.documents import documents, whole_documents
from charrnn.text.sources import Source
from charrnn.tokenizers import loading as tokenizers
from charrnn.tokenizers.base import Tokenizer
from charrnn.tokenizers.config import TokenizerConfig

MODES = ["file", "line", "blank", "--", "\n%\n"]
LINES = "".join(f"line {n} of é{n * n}\n" for n in range(60))


def source(text: str | bytes, name: str = "corpus.txt") -> Source:
    return Source(name, text.encode() if isinstance(text, str) else text)


def read(*texts: str | bytes, mode: str = "file", block_bytes: int = 1000) -> list[str]:
    """Return the documents of some files, each put together."""
    blocks = documents(map(source, texts), mode, block_bytes=block_bytes)
    return list(whole_documents(blocks))


def char_tokenizer(texts) -> Tokenizer:
    return tokenizers.fit(texts, TokenizerConfig(level="char", min_count=1))


def write(folder: Path, *texts, valid=(), level="char", block_bytes=1 << 18, **config):
    """Return the store of some texts with a tokenizer learned from them."""
    corpus = Corpus(
        [source(text) for text in texts],
        CorpusConfig(**config),
        raw=level == "byte",
        valid_sources=[source(text) for text in valid],
        block_bytes=block_bytes,
    )
    tokenizer = tokenizers.fit(
        corpus.training_texts(), TokenizerConfig(level=level, min_count=1)
    )
    return corpus.write_store(tokenizer, folder), tokenizer


def texts_of(part: Part, tokenizer: Tokenizer) -> list[str]:
    """Return what the targets of each document say; the end says nothing."""
    pairs = zip(part.starts.tolist(), part.lengths.tolist(), strict=True)
    targets = [part.tokens[start + 1 : start + 1 + length] for start, length in pairs]
    return [
        tokenizer.decode_bytes(ids).decode("utf-8", "surrogateescape")
        for ids in targets
    ]
