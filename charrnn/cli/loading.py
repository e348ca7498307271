"""What commands read: models, and texts from files and stdin."""

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from charrnn.errors import UsageError

if TYPE_CHECKING:
    from charrnn.inference.text_model import TextModel
    from charrnn.text.sources import Source


def load_model(given: str | None) -> "TextModel":
    """Return the model meant, named by its run folder where it has one."""
    from charrnn.storage.runs import MODEL_FILE, find_model

    path = find_model(given)  # before NumPy: with no model it says so at once
    # One token at a time is too little work to share: on two busy cores a second
    # thread makes sampling from 512 units seven times as slow (1.9 s for 0.27 s).
    # Of many texts, each thread has some of its own: see charrnn/models/threads.py.
    for variable in ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS"):
        os.environ.setdefault(variable, "1")
    from charrnn.inference import checkpoint

    name = path.parent if path.name == MODEL_FILE else path
    model = checkpoint.load(path, name=str(name))
    # all is imported: Ctrl-C is an exception again, so that a sample ends its line
    signal.signal(signal.SIGINT, signal.default_int_handler)
    return model


def split_of(model: "TextModel") -> tuple[str | None, Any]:
    """Return what says which text validated a model: the corpus, and how it was cut.

    As far as the model file and its run know.
    """
    from charrnn.storage.runs import Run

    corpus = model.summary.get("corpus", {})
    info = Run(Path(model.name)).read_info() if os.path.isdir(model.name) else {}
    cut = dict(info.get("split", {}))
    if not model.learned_end:
        cut.pop("seed", None)  # of few documents the end validates
    return corpus.get("sha256"), {} if corpus.get("valid") else cut


def read_text(path: str, *, raw: bool) -> str:
    """Return the text of a file, or of stdin for -; raw takes any bytes."""
    return "".join(part for source in sources([path]) for part in source.text(raw=raw))


def read_lines(paths: list[str], *, raw: bool) -> Iterator[tuple[str, str]]:
    """Yield the lines of files and their newlines, in flat memory.

    Only a newline ends a line, and only the last line of a file may lack it. After
    the last newline there is no further line.
    """
    for source in sources(paths):
        held = ""
        for part in source.text(raw=raw):
            *whole, held = (held + part).split("\n")
            yield from ((line, "\n") for line in whole)
        if held:
            yield held, ""


def needs_stdin(example: str) -> None:
    """Raise UsageError if stdin is a terminal: nobody knows that it waits for them."""
    if sys.stdin is None or sys.stdin.isatty():
        raise UsageError("there is nothing to read", hint=f"for example: {example}")


def check_sources(paths: list[str]) -> None:
    """Raise what `find_sources` does, before anything slow is imported."""
    from charrnn.text.sources import find_sources

    find_sources([path for path in paths if path != "-"])
    _check_stdin(paths)


def sources(paths: list[str]) -> list["Source"]:
    """Return the texts meant by paths, or by - for stdin."""
    from charrnn.text.sources import find_sources

    _check_stdin(paths)
    return find_sources(paths)


def check_out(out: str | None, paths: list[str]) -> None:
    """Raise UsageError if writing a file would replace one that is read.

    paths: of files, of folders with all their files, - for stdin.
    """
    from charrnn.text.sources import find_sources

    if not out or not os.path.isfile(out):
        return
    folders = [path for path in paths if os.path.isdir(path)]
    inside = [source.name for source in find_sources(folders)]
    for path in (*paths, *inside):
        read: str | int = 0 if path == "-" else path
        if os.path.exists(read) and os.path.samefile(out, read):
            raise UsageError(
                f"--out {out} is read too, and would be replaced",
                hint="name another file",
            )


def _check_stdin(paths: list[str]) -> None:
    """Raise UsageError if stdin is to be read, but closed."""
    if "-" in paths and sys.stdin is None:
        raise UsageError("stdin is closed", hint="name a file")
