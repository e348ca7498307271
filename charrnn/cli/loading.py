"""Load the input of commands: models, and texts from files and stdin."""

import os
import signal
import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from charrnn.cli import console
from charrnn.errors import TextError, UsageError

if TYPE_CHECKING:
    from charrnn.inference.text_model import TextModel
    from charrnn.text.sources import Source

#: the hash of a corpus, and how its validation text was chosen (None: it is all of it)
Split = tuple[str | None, dict[str, Any] | None]


class HeldOutText(NamedTuple):
    """Documents to evaluate models on."""

    documents: tuple[str, ...]
    name: str
    split: Split


def load_model(given: str | None) -> "TextModel":
    """Return a model, named after its run folder if it has one."""
    from charrnn.storage.runs import find_model, run_of

    # before the slow import of NumPy, so that a mistyped path fails at once
    path = find_model(given)
    # One token is too little work for two threads: on two busy cores, a second thread
    # makes sampling with 512 units seven times slower (1.9 s instead of 0.27 s).
    # inference/threads.py divides batches of texts among threads.
    for variable in ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS"):
        os.environ.setdefault(variable, "1")
    from charrnn.inference import checkpoint

    run = run_of(path)
    model = checkpoint.load(path, name=str(run.path if run else path))
    # the imports are done, so Ctrl-C can raise again: `sample` then ends its line
    signal.signal(signal.SIGINT, signal.default_int_handler)
    return model


def split_of(model: "TextModel") -> Split:
    """Return the hash of a model's training corpus, and how that corpus was split.

    Unknown values are None and {}; a model file without a run has no split.
    """
    from charrnn.storage.runs import run_of

    corpus, run = model.summary.corpus, run_of(model.source)
    cut = dict(run.read_info().get("split", {})) if run else {}
    if not model.learned_end:
        cut.pop("seed", None)  # unused: the end of the text is held out
    if not corpus:
        return None, cut
    return corpus.sha256, {} if corpus.valid else cut


def read_held_out(files: list[str], first: "TextModel", mode: str = "") -> HeldOutText:
    """Return the documents of files.

    mode: where documents end; by default, the mode of the first model's corpus.
    Raises TextError if there is no text.
    """
    from charrnn.data.config import CorpusConfig
    from charrnn.data.corpus import Corpus
    from charrnn.text.documents import documents, whole_documents

    corpus = first.summary.corpus
    mode = mode or (corpus.documents_in if corpus else "file")
    raw, name = first.tokenizer.level == "byte", ", ".join(files)
    read = sources(files)
    found = tuple(whole_documents(documents(read, mode, raw=raw)))
    if not found:
        raise TextError(f"{name} contains no text")
    sha256 = Corpus(read, CorpusConfig(mode), raw).survey().sha256
    return HeldOutText(found, name, (sha256, None))


def warn_of_training(
    models: Sequence["TextModel"], split: Split, *, quiet: bool
) -> None:
    """Warn about models that may have been trained on the text they are to score."""
    for model in models:
        sha256, cut = split_of(model)
        if sha256 == split[0] and cut != split[1]:
            why = "may have been trained on some of this text"
            console.warn(f"{model.name} {why}; its score may be too good", quiet=quiet)


def read_text(path: str, *, raw: bool) -> str:
    """Return the text of a file, or of stdin for -, without a final newline.

    raw: allow any bytes.
    """
    parts = (part for source in sources([path]) for part in source.text(raw=raw))
    text = "".join(parts)
    return text[:-2] if text.endswith("\r\n") else text.removesuffix("\n")


def read_lines(paths: list[str], *, raw: bool) -> Iterator[tuple[str, str]]:
    """Yield each line of some files with its newline, in constant memory.

    "a\\nb" gives ("a", "\\n"), ("b", ""). Only a newline ends a line.
    """
    for source in sources(paths):
        held = ""
        for part in source.text(raw=raw):
            *whole, held = (held + part).split("\n")
            yield from ((line, "\n") for line in whole)
        if held:
            yield held, ""


def texts_and_files(
    texts: Sequence[str] | None, files: Sequence[str], example: str
) -> list[tuple[str, bool]]:
    """Return each argument (text, False) and file (path, True), by default stdin.

    example: the command that a message shows if stdin is a terminal.
    """
    given = [(text, text == "-") for text in texts or []]
    given += [(path, True) for path in files]
    if not given:
        needs_stdin(example)
    return given or [("-", True)]


def needs_stdin(example: str) -> None:
    """Raise UsageError if stdin is a terminal, where the program would seem to hang."""
    if sys.stdin is None or sys.stdin.isatty():
        raise UsageError("there is nothing to read", hint=f"for example: {example}")


def check_sources(paths: list[str]) -> None:
    """Raise the errors of `find_sources` before any slow import."""
    from charrnn.text.sources import find_sources

    find_sources([path for path in paths if path != "-"])
    _check_stdin(paths)


def sources(paths: list[str]) -> list["Source"]:
    """Return the texts at paths, where - is stdin."""
    from charrnn.text.sources import find_sources

    _check_stdin(paths)
    return find_sources(paths)


def check_out(out: str, paths: list[str]) -> None:
    """Raise UsageError if an output file is also an input.

    paths: files, folders with all their files, or - for stdin.
    """
    from charrnn.text.sources import find_sources

    if not out or not os.path.isfile(out):
        return
    folders = [path for path in paths if os.path.isdir(path)]
    inside = [source.name for source in find_sources(folders)]
    for path in (*paths, *inside):
        read: str | int = 0 if path == "-" else path
        if os.path.exists(read) and os.path.samefile(out, read):
            message = f"--out {out} is also an input and would be overwritten"
            raise UsageError(message, hint="name another file")


def _check_stdin(paths: list[str]) -> None:
    """Raise UsageError if stdin is named but closed."""
    if "-" in paths and sys.stdin is None:
        raise UsageError("stdin is closed", hint="name a file")
