"""The parts of `charrnn bench`, each measured in fresh processes of its own.

So that NumPy and torch start in each as they do for a command: with the threads, and
without the other library, that the command has.
"""

import json
import sys
from collections.abc import Iterator
from dataclasses import asdict
from importlib import import_module
from typing import Any, Final

from charrnn.bench.measurement import Reading
from charrnn.bench.plan import Plan
from charrnn.bench.processes import running
from charrnn.bench.starting import start
from charrnn.cli import console
from charrnn.cli import loading as inputs
from charrnn.errors import CharRNNError, ResourceError

#: part -> the tasks that take turns
TURNS: Final = {
    "train": ("train",),
    "sample": ("sample", "loop"),
    "score": ("score", "product"),
    "tokenize": ("tokenize",),
}
#: task -> module:function, called in a process of its own
TASKS: Final = {
    "machine": "charrnn.bench.torch_side:machine",
    "model": "charrnn.bench.texts:write_model",
    "train": "charrnn.bench.torch_side:train",
    "sample": "charrnn.bench.speaking:sample",
    "loop": "charrnn.bench.torch_side:loop",
    "score": "charrnn.bench.speaking:score",
    "product": "charrnn.bench.speaking:product",
    "tokenize": "charrnn.bench.tokenizing:tokenize",
}
MODEL_TASKS: Final = ("sample", "score")  #: they are given the model, too
MODEL_PARTS: Final = ("sample", "score", "start")
CHILD: Final = "from charrnn.cli.bench_parts import child; child()"


def machine(plan: Plan) -> dict[str, Any]:
    """Return how training uses this machine."""
    (facts,) = _records("machine", plan)
    return facts


def readings(part: str, plan: Plan) -> Iterator[Reading]:
    """Yield the readings of a part, a round after the other."""
    if part in MODEL_PARTS and not plan.model.exists():
        list(_records("model", plan))
    if part == "start":
        yield from start(plan)
        return
    tasks = TURNS[part]
    visits = plan.visits if len(tasks) > 1 else 1
    visit = plan.visit() if len(tasks) > 1 else plan
    for _ in range(visits):
        for task in tasks:
            for record in _records(task, visit):
                yield Reading(**record | {"against": tuple(record["against"])})


def child() -> None:
    """Do the task that the arguments name; write what it yields as lines of JSON."""
    task, values = sys.argv[1:]
    plan = Plan.from_json(json.loads(values))
    try:
        for found in _measure(task, plan):
            console.write_json(asdict(found))
    except console.ReaderGoneError:
        pass  # the command that asked was killed
    except MemoryError:
        error = ResourceError("there is not enough memory", hint="use smaller sizes")
        _write_error(error)
    except CharRNNError as failed:
        _write_error(failed)


def _measure(task: str, plan: Plan) -> Iterator[Any]:
    # first, as it decides how NumPy is imported
    loaded = [inputs.load_model(str(plan.model))] if task in MODEL_TASKS else []
    module, name = TASKS[task].split(":")
    return getattr(import_module(module), name)(plan, *loaded) or iter(())


def _records(task: str, plan: Plan) -> Iterator[dict[str, Any]]:
    """Yield what a task yields in a process of its own; raise what it raises."""
    values = json.dumps(asdict(plan))
    with running(("-c", CHILD, task, values)) as stdout:
        for line in stdout:
            record = json.loads(line)
            if "error" in record:
                raise _error(**record["error"])
            yield record


def _write_error(error: CharRNNError) -> None:
    values = {"name": error.name, "message": error.message, "hint": error.hint}
    console.write_json({"error": values})


def _error(name: str, message: str, hint: str) -> CharRNNError:
    kinds = {kind.name: kind for kind in CharRNNError.__subclasses__()}
    return kinds[name](message, hint=hint)
