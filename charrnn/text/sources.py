"""Texts from files: found, decompressed, decoded and cut into documents.

Everything goes in blocks, so that memory stays flat however long a file or a line is.
Only stdin and pipes, which cannot be read twice, are held whole.

A text is strict UTF-8 and otherwise untouched: line ends and the forms of accents
stay as they are. A byte order mark at the start of a file is dropped. Where *raw*
bytes are wanted (byte level), anything goes and nothing is dropped: a byte that is
not UTF-8 becomes a lone surrogate, which the byte tokenizer turns back.
"""

import bz2
import codecs
import gzip
import lzma
import os
import stat
import sys
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BufferedIOBase, BytesIO
from pathlib import Path
from typing import Final

from charrnn.errors import NotFoundError, ResourceError, TextError

# what fits a cache: a third faster than blocks of 4 MB (34 against 25 MB/s, lines)
BLOCK_BYTES: Final = 1 << 18

# UTF-32 first: its little-endian mark begins with that of UTF-16
FOREIGN_MARKS: Final = {
    codecs.BOM_UTF32_LE: "UTF-32",
    codecs.BOM_UTF32_BE: "UTF-32",
    codecs.BOM_UTF16_LE: "UTF-16",
    codecs.BOM_UTF16_BE: "UTF-16",
}


@dataclass(frozen=True)
class Source:
    """A text that can be read any number of times: a file, or bytes held here."""

    name: str
    held: bytes | None = field(default=None, repr=False)

    def blocks(self, block_bytes: int = BLOCK_BYTES) -> Iterator[bytes]:
        """Yield the bytes, decompressed. Raises the errors of `find_sources`."""
        with reading(self.name), self._open() as stream:
            while block := stream.read(block_bytes):
                yield block

    def text(
        self, *, raw: bool = False, block_bytes: int = BLOCK_BYTES
    ) -> Iterator[str]:
        """Yield the decoded text. Raises TextError naming the first wrong byte."""
        errors = "surrogateescape" if raw else "strict"
        decoder = codecs.getincrementaldecoder("utf-8")(errors)
        read = 0
        try:
            # four bytes show every byte order mark
            for block in self.blocks(max(4, block_bytes)):
                is_start, read = read == 0, read + len(block)
                marked = is_start and not raw
                yield decoder.decode(self._without_mark(block) if marked else block)
            yield decoder.decode(b"", True)
        except UnicodeDecodeError as error:
            # error.object ends where reading stands, but may begin in the last block
            offset = read - len(error.object) + error.start
            raise self._not_utf8(error.object[error.start], offset) from error

    def _open(self) -> BufferedIOBase:
        if self.held is not None:
            return BytesIO(self.held)
        suffix = Path(self.name).suffix.lower()
        if suffix == ".gz":
            return gzip.open(self.name)
        if suffix == ".bz2":
            return bz2.open(self.name)
        if suffix == ".xz":
            return lzma.open(self.name)
        return open(self.name, "rb")

    def _without_mark(self, block: bytes) -> bytes:
        for mark, encoding in FOREIGN_MARKS.items():
            if block.startswith(mark):
                hint = f"convert it: iconv -f {encoding.lower()} -t utf-8 {self.name}"
                raise TextError(f"{self.name} is {encoding}, not UTF-8", hint=hint)
        return block.removeprefix(codecs.BOM_UTF8)

    def _not_utf8(self, byte: int, offset: int) -> TextError:
        return TextError(
            f"{self.name} is not UTF-8: byte 0x{byte:02x} at offset {offset:,}",
            hint=f"convert it, perhaps: iconv -f latin1 -t utf-8 {self.name}\n"
            "or train with --level byte, which takes any bytes as they are",
        )


def find_sources(paths: Sequence[str]) -> list[Source]:
    """Return the texts meant: files, folders with all their files, or - for stdin.

    A folder's files are sorted by path; what is hidden (a leading dot) is left out.
    `.gz`, `.bz2` and `.xz` are decompressed when read. Raises NotFoundError,
    TextError for a folder without files, ResourceError if one may not be read.
    """
    return [source for path in paths for source in _find(path)]


def _find(path: str) -> list[Source]:
    if path == "-":
        return [Source("stdin", sys.stdin.buffer.read())]
    with reading(path):
        mode = os.stat(path).st_mode
        if stat.S_ISREG(mode):
            return [Source(path)]
        if not stat.S_ISDIR(mode):
            return [Source(path, Path(path).read_bytes())]
    found = sorted(_walk(Path(path)))
    if not found:
        raise TextError(f"{path} is a folder without files")
    return [Source(str(file)) for file in found]


def _walk(folder: Path) -> Iterator[Path]:
    with reading(str(folder)):
        inside = [path for path in folder.iterdir() if not path.name.startswith(".")]
    for path in inside:
        if path.is_file():
            yield path
        elif path.is_dir() and not path.is_symlink():
            yield from _walk(path)


@contextmanager
def reading(name: str) -> Iterator[None]:
    """Turn what can go wrong when a file is read into our errors."""
    try:
        yield
    except (FileNotFoundError, NotADirectoryError) as error:
        raise NotFoundError(f"{name} does not exist", hint=_looked_from()) from error
    except (EOFError, zlib.error, lzma.LZMAError) as error:
        raise _damaged(name, error) from error
    except OSError as error:
        # gzip and bz2 report wrong content as an OSError without a number
        if error.errno is None:
            raise _damaged(name, error) from error
        reason = error.strerror or error
        raise ResourceError(f"cannot read {name}: {reason}") from error


def _looked_from() -> str:
    try:
        return f"looked for it from {os.getcwd()}"
    except FileNotFoundError:
        return "the working folder was removed: go to another one"


def _damaged(name: str, error: Exception) -> TextError:
    return TextError(
        f"{name} cannot be decompressed: {error}",
        hint="the file is damaged or was cut short; copy it again",
    )
