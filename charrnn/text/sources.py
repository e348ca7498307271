"""Finding, decompressing and decoding text files.

Files are read in blocks, so memory use does not depend on the length of a file or line.
Only stdin and pipes, which cannot be read twice, are kept in memory completely.

Text must be valid UTF-8. It is not changed, except that a byte order mark at the start
of a file is dropped. Raw mode (for the byte level) accepts any bytes and drops nothing:
a byte that is not UTF-8 becomes a lone surrogate, which the byte tokenizer converts
back to the byte.
"""

import bz2
import codecs
import gzip
import lzma
import os
import stat
import sys
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any, Final

from charrnn.errors import NotFoundError, ResourceError, TextError

# fits in the cache: for lines, 34 MB/s compared to 25 with blocks of 4 MB
BLOCK_BYTES: Final = 1 << 18

# UTF-32 comes first, because its little-endian mark starts with that of UTF-16
FOREIGN_MARKS: Final = {
    codecs.BOM_UTF32_LE: "UTF-32",
    codecs.BOM_UTF32_BE: "UTF-32",
    codecs.BOM_UTF16_LE: "UTF-16",
    codecs.BOM_UTF16_BE: "UTF-16",
}

OPENERS: Final[dict[str, Callable[[str], Any]]] = {
    ".gz": gzip.open,
    ".bz2": bz2.open,
    ".xz": lzma.open,
}


@dataclass(frozen=True)
class Source:
    """A text that can be read repeatedly: a file, or bytes in memory."""

    name: str
    held: bytes | None = field(default=None, repr=False)

    def blocks(self, block_bytes: int = BLOCK_BYTES) -> Iterator[bytes]:
        """Yield the decompressed bytes. Raises the same errors as `find_sources`."""
        with reading(self.name), self._open() as stream:
            while block := stream.read(block_bytes):
                yield block

    def text(
        self, *, raw: bool = False, block_bytes: int = BLOCK_BYTES
    ) -> Iterator[str]:
        """Yield the decoded text. Raises TextError at the first invalid byte."""
        errors = "surrogateescape" if raw else "strict"
        decoder = codecs.getincrementaldecoder("utf-8")(errors)
        read = 0
        try:
            # the longest byte order mark has four bytes
            for block in self.blocks(max(4, block_bytes)):
                is_start, read = read == 0, read + len(block)
                marked = is_start and not raw
                yield decoder.decode(self._without_mark(block) if marked else block)
            yield decoder.decode(b"", True)
        except UnicodeDecodeError as error:
            # error.object ends at the last byte read, but may start in an earlier block
            offset = read - len(error.object) + error.start
            byte = error.object[error.start]
            raise TextError(
                f"{self.name} is not UTF-8: byte 0x{byte:02x} at offset {offset:,}",
                hint=f"convert it, for example: iconv -f latin1 -t utf-8 {self.name}\n"
                "or train with `level` byte, which accepts any bytes",
            ) from error

    def _open(self) -> Any:
        if self.held is not None:
            return BytesIO(self.held)
        suffix = Path(self.name).suffix.lower()
        return (
            OPENERS[suffix](self.name) if suffix in OPENERS else open(self.name, "rb")
        )

    def _without_mark(self, block: bytes) -> bytes:
        for mark, encoding in FOREIGN_MARKS.items():
            if block.startswith(mark):
                hint = f"convert it: iconv -f {encoding.lower()} -t utf-8 {self.name}"
                raise TextError(f"{self.name} is {encoding}, not UTF-8", hint=hint)
        return block.removeprefix(codecs.BOM_UTF8)


def find_sources(paths: Sequence[str]) -> list[Source]:
    """Return the texts at paths: files, all files in folders, or stdin for "-".

    The files in a folder are sorted by path. Hidden files (with a leading dot) are
    skipped, and `.gz`, `.bz2` and `.xz` files are decompressed when read. Raises
    NotFoundError, TextError if a folder has no files, or ResourceError if a path cannot
    be read.
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
    """Convert an error from reading a file to a CharRNNError."""
    try:
        yield
    except (FileNotFoundError, NotADirectoryError) as error:
        raise NotFoundError(f"{name} does not exist", hint=_working_folder()) from error
    except (EOFError, zlib.error, lzma.LZMAError) as error:
        raise _damaged(name, error) from error
    except OSError as error:
        # gzip and bz2 report damaged data as an OSError without errno
        if error.errno is None:
            raise _damaged(name, error) from error
        reason = error.strerror or error
        raise ResourceError(f"cannot read {name}: {reason}") from error


def _working_folder() -> str:
    try:
        return f"the working folder is {os.getcwd()}"
    except FileNotFoundError:
        return "the working folder was deleted: change to another one"


def _damaged(name: str, error: Exception) -> TextError:
    return TextError(
        f"{name} cannot be decompressed: {error}",
        hint="the file is damaged or incomplete; copy it again",
    )
