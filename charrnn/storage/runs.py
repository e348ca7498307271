"""Run folders: what one holds, how they are named, and finding the newest.

    runs/shakespeare-001/
        model.safetensors    the best model so far: the file to keep and share
        resume.safetensors   everything needed to resume exactly
        resume-previous.safetensors   the save before it, in case that is damaged
        metrics.jsonl        one line per event
        run.json             what was chosen and, when finished, plan and result
        tokens/              the encoded corpus

A run is named after its text and numbered; commands use the newest model.
"""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from charrnn.errors import BusyError, ModelFileError, NotFoundError
from charrnn.storage import files
from charrnn.storage.records import RunRecord

MODEL_FILE = "model.safetensors"


@dataclass(frozen=True)
class Run:
    """A run folder, which may not exist yet."""

    path: Path

    @property
    def model(self) -> Path:
        """The best model so far."""
        return self.path / MODEL_FILE

    @property
    def resume(self) -> Path:
        """What training resumes from."""
        return self.path / "resume.safetensors"

    @property
    def previous(self) -> Path:
        """The save before `resume`."""
        return self.path / "resume-previous.safetensors"

    @property
    def info(self) -> Path:
        """What was chosen, and the result."""
        return self.path / "run.json"

    @property
    def metrics(self) -> Path:
        """The events of training, JSON Lines."""
        return self.path / "metrics.jsonl"

    @property
    def files(self) -> tuple[Path, ...]:
        """All that it can hold, except its tokens."""
        return self.info, self.resume, self.previous, self.model, self.metrics

    @property
    def tokens(self) -> Path:
        """The folder of the encoded corpus."""
        return self.path / "tokens"

    def lock(self) -> AbstractContextManager[None]:
        """Hold the run while training. Raises BusyError if another process does."""
        since = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
        return files.lock(self.path / "lock", f"{_this_process()} since {since}")

    def check_held(self) -> None:
        """Raise BusyError if the folder was removed, and made again by another process.

        The lock that this process holds is then on a deleted file.
        """
        try:
            note = (self.path / "lock").read_text("utf-8", "replace")
        except OSError:
            return  # what is to be saved will fail, too
        if not note.startswith(f"{_this_process()} since"):
            raise BusyError(f"{self.path} was removed, and is now of {note}")

    def read_info(self) -> dict[str, Any]:
        """Return the content of run.json; {} if it does not exist."""
        path = self.info
        try:
            info = json.loads(path.read_bytes())
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, RecursionError) as error:
            raise ModelFileError(f"{path} cannot be read: {error}") from error
        if not isinstance(info, dict):
            raise ModelFileError(f"{path} does not describe a run")
        return info

    def read_record(self) -> RunRecord:
        """Return what run.json records. Raises NotFoundError, ModelFileError."""
        info = self.read_info()
        if not info:
            raise NotFoundError(f"{self.info} does not exist")
        with described(self.path):
            return RunRecord.from_json(info)

    def known_record(self) -> RunRecord | None:
        """Return what run.json records; None if it cannot be read."""
        try:
            return self.read_record()
        except (NotFoundError, ModelFileError):
            return None

    def write_record(self, record: RunRecord) -> None:
        """Replace run.json."""
        self.write_info(record.to_json())

    def write_info(self, info: Mapping[str, Any]) -> None:
        """Replace run.json by JSON values."""
        # in ASCII, which keeps file names that are not UTF-8
        files.write(self.info, json.dumps(info, indent=1).encode())


def _this_process() -> str:
    return f"process {os.getpid()}"


@contextmanager
def described(path: Path) -> Iterator[None]:
    """Turn errors about the content of run.json into ModelFileError."""
    try:
        yield
    except (AttributeError, KeyError, IndexError, TypeError, ValueError) as error:
        why = f"{error} is missing" if isinstance(error, KeyError) else error
        raise ModelFileError(
            f"{path} has a damaged run.json: {why}",
            hint="start over with `new`",
        ) from error


def runs_folder() -> Path:
    """Return where runs are kept: $CHARRNN_RUNS, or ./runs."""
    return Path(os.environ.get("CHARRNN_RUNS") or "runs")


def all_runs(folder: Path | None = None) -> list[Run]:
    """Return the run folders of a folder, by name."""
    folder = folder or runs_folder()
    if not folder.is_dir():
        return []
    # isfile: is_file would raise for a folder without read permission
    paths = sorted(folder.iterdir())
    return [Run(path) for path in paths if os.path.isfile(Run(path).info)]


def new_run(stem: str, folder: Path | None = None) -> Run:
    """Make the next free folder `stem`-NNN; no two processes get the same one."""
    for path in _numbered(folder or runs_folder(), stem):
        if files.claim_folder(path):
            return Run(path)
    raise AssertionError("numbers do not end")


def find_run(name: str) -> Run:
    """Return a run by its folder or its name. Raises NotFoundError."""
    for run in (Run(Path(name)), Run(runs_folder() / name)):
        if name and any(os.path.isfile(path) for path in (run.info, run.model)):
            return run
    raise NotFoundError(
        f"no run {name}, neither here nor in {runs_folder()}",
        hint="charrnn runs lists all runs",
    )


def find_model(given: str | None = None) -> Path:
    """Return a model file: the given one, $CHARRNN_MODEL, or that of the newest run.

    Raises NotFoundError, naming the places searched.
    """
    if given is not None:
        return _named_model(given, "the model")
    if named := os.environ.get("CHARRNN_MODEL"):
        return _named_model(named, "$CHARRNN_MODEL")
    found = [run.model for run in all_runs() if os.path.isfile(run.model)]
    if found:
        return max(found, key=lambda path: (path.stat().st_mtime_ns, path))
    raise NotFoundError(
        f"no model yet: searched {runs_folder()}{os.sep}",
        hint="train one: charrnn train corpus.txt",
    )


def _named_model(name: str, what: str) -> Path:
    if not name:  # as from a shell variable that is not set
        raise NotFoundError(f"{what} has an empty name")
    path = Path(name)
    for place in (path, runs_folder() / path):  # a run's name is enough
        model = place / MODEL_FILE if os.path.isdir(place) else place
        if os.path.isfile(model):
            return model
    why = "is a folder with no model" if os.path.isdir(path) else "does not exist"
    raise NotFoundError(f"{what} {path} {why}", hint="charrnn runs lists the models")


def run_of(model: Path | None) -> Run | None:
    """Return the run that a model file belongs to, None for any other file."""
    return Run(model.parent) if model and model.name == MODEL_FILE else None


def _numbered(folder: Path, stem: str) -> Iterator[Path]:
    # no glob: a stem may hold its special characters
    names = [path.name for path in folder.iterdir()] if folder.is_dir() else []
    taken = [n.removeprefix(f"{stem}-") for n in names if n.startswith(f"{stem}-")]
    number = max((int(n) for n in taken if n.isdecimal()), default=0)
    while True:
        number += 1
        yield folder / f"{stem}-{number:03d}"
