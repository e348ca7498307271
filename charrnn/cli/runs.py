"""`charrnn runs`: list, show and verify runs."""

import json
import math
import stat
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from charrnn.cli import arguments, console
from charrnn.errors import CharRNNError, ModelFileError, NotFoundError
from charrnn.storage.runs import MODEL_FILE, Run, all_runs, find_run, runs_folder

HEADING: Final = ("run", "step", "bits/char", "state", "size", "age")

app = typer.Typer(rich_markup_mode=None)

OneRun = Annotated[
    str | None,
    typer.Argument(
        metavar="RUN", help="Run folder, or its name under ./runs. [newest run]"
    ),
]


@app.callback(invoke_without_command=True)
def list_runs(
    context: typer.Context,
    as_json: arguments.Json = False,
    quiet: arguments.Quiet = False,
) -> None:
    """List runs, show one, or verify model files.

    \b
        charrnn runs
        charrnn runs show shakespeare-001
        charrnn runs verify

    Runs are looked up in $CHARRNN_RUNS or, by default, in ./runs.
    """
    if context.invoked_subcommand is not None:
        return
    found = [_summary(run) for run in all_runs()]
    if as_json:
        for one in found:
            console.write_json(one)
        return
    if not found:
        console.log(f"no runs in {runs_folder()}", quiet=quiet)
        console.log("train one: charrnn train corpus.txt", quiet=quiet)
        return
    table = console.table([HEADING, *map(_row, found)], "<>><>>")
    heading, _, rows = table.partition("\n")
    console.log(heading, quiet=quiet)
    console.write_line(rows)
    if usable := [one for one in found if one["model_bytes"]]:
        newest = min(usable, key=lambda one: one["age_s"])
        console.suggest(f"charrnn sample -m {newest['run']}", quiet=quiet)


@app.command("show")
def show(run: OneRun = None, as_json: arguments.Json = False) -> None:
    """Show the settings and results of a run.

    \b
        charrnn runs show shakespeare-001
    """
    found = _some_runs() if run is None else [find_run(run)]
    chosen = min(found, key=lambda one: float(_summary(one)["age_s"]))
    values = _summary(chosen) | {"info": chosen.read_info()}
    if as_json:
        console.write_json(values)
        return
    for line in _flat(values):
        console.write_line(line)


@app.command("verify")
def verify(
    runs: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="RUN...", help="Run folders, run names or model files. [all runs]"
        ),
    ] = None,
    as_json: arguments.Json = False,
    quiet: arguments.Quiet = False,
) -> None:
    """Check each model file against the SHA-256 that it contains.

    \b
        charrnn runs verify

    The command prints one line per file, and exits with 5 if any file is damaged.
    """
    failed = None
    for path in _model_files(runs or []):
        error = _problem(path)
        failed = failed or error
        result = "damaged" if error else "ok"
        message = error.message if error else ""
        if as_json:
            record = {"path": str(path), "result": result, "message": message}
            console.write_json(record)
            continue
        console.write_line(f"{result:<8} {path}")
        if error:
            console.log(message, quiet=quiet)
    if failed:
        raise typer.Exit(failed.exit_code)


def _summary(run: Run) -> dict[str, Any]:
    """Summarize a run for one row of the list; any of its files may be missing."""
    try:
        # training writes the best score only when it has completed its plan
        status = "finished" if "best" in run.read_info() else "unfinished"
    except ModelFileError:
        status = "damaged"
    step, best = _progress(run)
    stats = []
    for path in run.path.rglob("*"):
        with suppress(FileNotFoundError):  # a save has just renamed or removed it
            stats.append(path.stat())
    stats = [one for one in stats if stat.S_ISREG(one.st_mode)]
    now = time.time()
    newest = max((one.st_mtime for one in stats), default=now)
    model = run.model.stat().st_size if run.model.is_file() else 0
    return {
        "run": str(run.path),
        "step": step,
        "bits_per_char": best,
        "status": status,
        "model_bytes": model,
        "folder_bytes": sum(one.st_size for one in stats),
        "age_s": max(0.0, now - newest),
    }


def _progress(run: Run) -> tuple[int | None, float | None]:
    """Return the last step and the best validation score in metrics.jsonl."""
    step, best = None, None
    try:
        lines = run.metrics.read_bytes().splitlines()
    except OSError:
        return None, None
    for line in lines:
        try:
            event = json.loads(line)
            step = max(step or 0, int(event["step"]))
            if event["event"] == "validation":
                bits = event["bits_per_char"]
                value = math.inf if bits is None else float(bits)
                best = value if best is None else min(best, value)
        except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
            continue  # the line is damaged or still being written
    return step, best


def _row(one: dict[str, Any]) -> tuple[str, ...]:
    step, best = one["step"], one["bits_per_char"]
    return (
        one["run"],
        "-" if step is None else f"{step:,}",
        "-" if best is None else console.number(best),
        one["status"],
        console.size(one["model_bytes"]),
        console.duration(one["age_s"]),
    )


def _flat(values: dict[str, Any], prefix: str = "") -> Iterator[str]:
    """Yield a line per value: {"model": {"hidden": 512}} gives "model.hidden 512"."""
    for name, value in values.items():
        if isinstance(value, dict) and value:
            yield from _flat(value, f"{prefix}{name}.")
            continue
        text = value if isinstance(value, str) else json.dumps(value)
        shown = f"{text[:200]} ..." if len(text) > 200 else text
        yield f"{prefix + name:<28} {shown}"


def _some_runs() -> list[Run]:
    """Return all runs. Raises NotFoundError if there are none."""
    if runs := all_runs():
        return runs
    raise NotFoundError(
        f"no runs in {runs_folder()}", hint="train one: charrnn train corpus.txt"
    )


def _model_files(names: list[str]) -> list[Path]:
    """Return the model files at these paths or of these runs; by default, of all."""
    if not names:
        return [path for run in _some_runs() for path in _files_of(run)]
    found = []
    for name in names:
        files = [Path(name)] if Path(name).is_file() else _files_of(find_run(name))
        if not files:
            raise NotFoundError(f"the run {name} has no {MODEL_FILE} yet")
        found += files
    return found


def _files_of(run: Run) -> list[Path]:
    """Return the files of a run that contain a SHA-256."""
    return [path for path in (run.model, run.resume, run.previous) if path.is_file()]


def _problem(path: Path) -> CharRNNError | None:
    """Return the error that reading a file raises, if any."""
    from charrnn.inference import checkpoint
    from charrnn.storage import tensors

    run = Run(path.parent)
    try:
        if path in (run.resume, run.previous):
            tensors.read_tensors(path, kind=tensors.RESUME_FORMAT)
        else:
            checkpoint.load(path)
    except CharRNNError as error:
        return error
    return None
