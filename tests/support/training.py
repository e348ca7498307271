"""Small runs that several tests train, stop and continue."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from charrnn.tasks import language
from charrnn.training.gradient_session import GradientSession
from charrnn.training.prepare import open_session
from charrnn.training.request import Request

TEXTS = {
    "file": "it was a dark and stormy night; the rain fell in torrents. " * 14,
    "line": "".join(f"{k} green bottle{'s' * (k != 1)}\n" for k in range(60)),
}
#: labelled data by task; the tags mark spans, and most letters are copied
LABELLED = {
    "classify": "".join(
        f"{n * n} {'even' if n % 2 else 'not odd'}s\t{'no' if n % 3 else 'yes, ok'}\n"
        for n in range(60)
    ),
    "tag": "".join(
        f"in O\nNew B-LOC\nYork{n} I-LOC\n{'met O' * (n % 2)}\nAnn B-PER\n\n"
        for n in range(40)
    ),
    "translate": "".join(f"{n}th of May\tMay {n:02}\n" for n in range(60)),
}
FILES = {"classify": "notes.tsv", "tag": "places.conll", "translate": "dates.tsv"}
STEPS = 20
SIZES = {"hidden": 8, "embed": 4}
TRAINING = {"batch": 4, "bptt": 8, "threads": 1, "dropout": 0.3, "precision": "fp32"}


def write_corpora() -> None:
    """Write a text for streams, one of short documents, and data of each task."""
    for documents, text in TEXTS.items():
        Path(f"{documents}.txt").write_text(text)
    for task, name in FILES.items():
        Path(name).write_text(LABELLED[task])


def shorten_samples(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let validations write little: at 120 tokens it takes a third of the time."""
    monkeypatch.setattr(language, "SAMPLE_TOKENS", 9)


def request(documents: str = "file", **given: Any) -> Request:
    """Return a request for a small run; 0 leaves out an option."""
    family = given.get("family", "recurrent")
    sizes = SIZES if family == "recurrent" else {}
    training = TRAINING | {"steps": STEPS} if family != "ngram" else {}
    options = {"documents": documents} | sizes | training | given
    paths = options.pop("paths", (f"{documents}.txt",))
    kept = {name: value for name, value in options.items() if value not in (0, "")}
    return Request.of(paths, **kept)


def labelled_request(task: str, **given: Any) -> Request:
    """Return a request for a small run on labelled data."""
    family = given.get("family", "")
    sizes = SIZES | TRAINING | {"steps": STEPS} if not family else {}
    options = {"task": task} | sizes | given
    return Request.of(given.get("paths", FILES[task]), **options)


def train(asked: Request, *, until: int = 10**9, saves: bool = True) -> GradientSession:
    """Train to the end or until a step; without saving, as if killed there."""
    with open_session(asked) as session:

        def is_there() -> bool:
            return session.trainer.state.counters.step >= until

        if not session.finished:
            for _ in session.train(lambda: saves and is_there()):
                if not saves and is_there():
                    break
    return session


def metrics(session: GradientSession) -> list[dict[str, Any]]:
    """Return the lines of metrics.jsonl, but for what differs from run to run."""
    lines = session.run.metrics.read_text().splitlines()
    return [drop(json.loads(line), "elapsed_s", "run") for line in lines]


def drop(values: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name not in names}


def same(first: GradientSession, second: GradientSession) -> bool:
    left, right = (s.trainer.state.network.tensors() for s in (first, second))
    return all(np.array_equal(left[name], right[name]) for name in left)


def files_of(session: GradientSession) -> dict[str, tuple[bytes, int]]:
    paths = [path for path in session.run.path.rglob("*") if path.is_file()]
    return {
        str(path): (path.read_bytes(), path.stat().st_mtime_ns)
        for path in paths
        if path.name != "lock"
    }


def validations(session: GradientSession) -> list[float]:
    lines = [line for line in metrics(session) if line["event"] == "validation"]
    return [line["nats_per_token"] for line in lines]
