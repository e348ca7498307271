"""Run folders: what they contain, how they are named, and how they are found.

    runs/shakespeare-001/
        model.safetensors    the best model so far: the file to keep and share
        resume.safetensors   everything needed to resume exactly
        resume-previous.safetensors   the save before, used if the last is damaged
        metrics.jsonl        one line per event
        run.json             the settings and, once finished, the plan and result
        tokens/              the encoded corpus

A run has the name of its text and a number. By default, commands use the newest model.
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
        """The file of the best model so far."""
        return self.path / MODEL_FILE

    @property
    def resume(self) -> Path:
        """The file that training resumes from."""
        return self.path / "resume.safetensors"

    @property
    def previous(self) -> Path:
        """The file of the save before `resume`."""
        return self.path / "resume-previous.safetensors"

    @property
    def info(self) -> Path:
        """The file that contains the run's settings and result."""
        return self.path / "run.json"

    @property
    def metrics(self) -> Path:
        """The file of training events, in JSON Lines format."""
        return self.path / "metrics.jsonl"

    @property
    def files(self) -> tuple[Path, ...]:
        """Every file that the folder can contain, except the tokens and the lock."""
        return self.info, self.resume, self.previous, self.model, self.metrics

    @property
    def tokens(self) -> Path:
        """The folder that contains the encoded corpus."""
        return self.path / "tokens"

    def lock(self) -> AbstractContextManager[None]:
        """Lock the run for training. Raises BusyError if it is already locked."""
        since = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
        return files.lock(self.path / "lock", f"process {os.getpid()} since {since}")

    def check_held(self) -> None:
        """Raise BusyError if the folder was removed and another process recreated it.

        In that case, this process has locked a deleted file.
        """
        try:
            note = (self.path / "lock").read_text("utf-8", "replace")
        except OSError:
            return  # the next save will fail, too, and report the error
        if not note.startswith(f"process {os.getpid()} since"):
            raise BusyError(f"{self.path} was removed and is now in use by {note}")

    def read_info(self) -> dict[str, Any]:
        """Return the contents of run.json, or {} if it does not exist."""
        try:
            info = json.loads(self.info.read_bytes())
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, RecursionError) as error:
            raise ModelFileError(f"{self.info} cannot be read: {error}") from error
        if not isinstance(info, dict):
            raise ModelFileError(f"{self.info} does not describe a run")
        return info

    def read_record(self) -> RunRecord:
        """Return the record in run.json. Raises NotFoundError or ModelFileError."""
        info = self.read_info()
        if not info:
            raise NotFoundError(f"{self.info} does not exist")
        with described(self.path):
            return RunRecord.from_json(info)

    def known_record(self) -> RunRecord | None:
        """Return the record in run.json, or None if it cannot be read."""
        try:
            return self.read_record()
        except (NotFoundError, ModelFileError):
            return None

    def write_record(self, record: RunRecord) -> None:
        """Replace run.json with a record."""
        self.write_info(record.to_json())

    def write_info(self, info: Mapping[str, Any]) -> None:
        """Replace run.json with JSON values."""
        # ASCII escapes also preserve file names that are not UTF-8
        files.write(self.info, json.dumps(info, indent=1).encode())


@contextmanager
def described(path: Path) -> Iterator[None]:
    """Convert errors about the contents of run.json to ModelFileError."""
    try:
        yield
    except (AttributeError, KeyError, IndexError, TypeError, ValueError) as error:
        why = f"{error} is missing" if isinstance(error, KeyError) else error
        raise ModelFileError(
            f"{path} has a damaged run.json: {why}", hint="start over with `new`"
        ) from error


def runs_folder() -> Path:
    """Return the folder that contains the runs: $CHARRNN_RUNS, or ./runs."""
    return Path(os.environ.get("CHARRNN_RUNS") or "runs")


def all_runs(folder: Path | None = None) -> list[Run]:
    """Return the runs in a folder (default: `runs_folder()`), sorted by name."""
    folder = folder or runs_folder()
    if not folder.is_dir():
        return []
    # not is_file, which raises for a folder without read permission
    paths = sorted(folder.iterdir())
    return [Run(path) for path in paths if os.path.isfile(Run(path).info)]


def new_run(stem: str, folder: Path | None = None) -> Run:
    """Create the next folder `stem`-NNN. No two processes get the same folder."""
    folder = folder or runs_folder()
    # not glob: a stem may contain its special characters
    names = [path.name for path in folder.iterdir()] if folder.is_dir() else []
    taken = [n.removeprefix(f"{stem}-") for n in names if n.startswith(f"{stem}-")]
    number = max((int(n) for n in taken if n.isdecimal()), default=0) + 1
    while not files.claim_folder(path := folder / f"{stem}-{number:03d}"):
        number += 1
    return Run(path)


def find_run(name: str) -> Run:
    """Return the run with this path or name. Raises NotFoundError."""
    for run in (Run(Path(name)), Run(runs_folder() / name)):
        if name and any(os.path.isfile(path) for path in (run.info, run.model)):
            return run
    raise NotFoundError(
        f"there is no run {name} here or in {runs_folder()}",
        hint="`charrnn runs` lists all runs",
    )


def find_model(given: str | None = None) -> Path:
    """Return a model file: the given one, $CHARRNN_MODEL, or the newest in any run.

    Raises NotFoundError, naming the place that was searched.
    """
    if given is not None:
        return _named_model(given, "the model")
    if named := os.environ.get("CHARRNN_MODEL"):
        return _named_model(named, "$CHARRNN_MODEL")
    found = [run.model for run in all_runs() if os.path.isfile(run.model)]
    if found:
        return max(found, key=lambda path: (path.stat().st_mtime_ns, path))
    raise NotFoundError(
        f"there is no model yet in {runs_folder()}{os.sep}",
        hint="train one: charrnn train corpus.txt",
    )


def _named_model(name: str, what: str) -> Path:
    if not name:  # for example, from an unset shell variable
        raise NotFoundError(f"{what} has an empty name")
    path = Path(name)
    for place in (path, runs_folder() / path):  # the name of a run is also accepted
        model = place / MODEL_FILE if os.path.isdir(place) else place
        if os.path.isfile(model):
            return model
    why = "is a folder without a model" if os.path.isdir(path) else "does not exist"
    raise NotFoundError(f"{what} {path} {why}", hint="`charrnn runs` lists the models")


def run_of(model: Path | None) -> Run | None:
    """Return the run that a model file belongs to, or None for any other file."""
    return Run(model.parent) if model and model.name == MODEL_FILE else None
