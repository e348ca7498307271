"""Turn a request into a session with a run folder that is ready for training.

    Request (options typed) -> Plan (all options resolved) -> Session (the open run)

    claimed(request)    locks the folder named by `out` before any slow work
    located(claim)      reads the corpus, then finds and locks the run
    .session()          fills the folder of a new run, and opens its session

Repeating a request finds its run. An unfinished run is resumed exactly. A finished run
stays unchanged unless the new budget is larger; then training continues from its
weights under a new plan.
"""

import hashlib
import json
import os
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from charrnn.data.config import CorpusConfig
from charrnn.data.parts import hold_out
from charrnn.data.store import TokenStore
from charrnn.errors import UsageError
from charrnn.fields import to_json
from charrnn.models.families import FAMILIES
from charrnn.models.recipe import CorpusStatistics
from charrnn.registry import named
from charrnn.storage import files
from charrnn.storage.records import CorpusRecord, RunRecord
from charrnn.storage.runs import Run, all_runs, described, new_run
from charrnn.tasks import TASKS
from charrnn.tasks.base import Task
from charrnn.text.sources import find_sources
from charrnn.tokenizers.base import Tokenizers
from charrnn.tokenizers.config import TokenizerConfig
from charrnn.training.claim import Claim, claimed
from charrnn.training.config import TrainConfig
from charrnn.training.machine.process import prepare_process
from charrnn.training.plan import Machine, Plan, complete
from charrnn.training.request import Request
from charrnn.training.session import Session
from charrnn.training.starting import (
    requested_family,
    requested_model,
    requested_tokenizers,
    starting_file,
    starting_sha256,
    starting_sizes,
)

BY_GRADIENT: Final = "charrnn.training.gradient_session:GradientSession"
BY_COUNTING: Final = "charrnn.training.counting_session:CountingSession"


@contextmanager
def open_session(request: Request) -> Iterator[Session]:
    """Lock the run that the request refers to, new or existing, and open its session.

    Raises TextError for an unusable corpus, UsageError for invalid options, BusyError
    if another process is training that run.
    """
    with (
        claimed(request) as claim,
        located(claim) as located_run,
        located_run.session() as session,
    ):
        yield session


def session_type(family: str) -> type[Session]:
    """Import and return the session class that trains a family."""
    prepare_process()
    found: type[Session] = named(
        BY_GRADIENT if FAMILIES[family].network else BY_COUNTING
    )
    return found


@contextmanager
def located(claim: Claim) -> Iterator["LocatedRun"]:
    """Read the corpus and lock the requested run, without importing torch.

    Raises the same errors as `open_session`.
    """
    found = LocatedRun(claim.request)
    if claim.run:
        _check_content(claim.run, found.request, found.identity)
        found.run, found.is_new = claim.run, claim.is_new
        yield found
        return
    found.run, found.is_new = _find_run(found.request, found.identity)
    with found.run.lock():
        yield found


class LocatedRun:
    """A locked run folder, and the request with everything it refers to."""

    run: Run
    is_new: bool

    def __init__(self, request: Request) -> None:
        self.start = requested_model(request)
        self.request = replace(request, family=requested_family(request, self.start))
        self._given = requested_tokenizers(request, self.start)
        self._wanted = request.config_of(TokenizerConfig)
        self._task: Task[Any] = TASKS[request.task]()
        given = self._given.get(self._task.reads)
        level = given.level if given else self._wanted.level
        self._data = self._task.data(
            find_sources(request.paths),
            request.config_of(CorpusConfig),
            raw=level == "byte",
            valid_sources=find_sources(request.valid),
        )

    @contextmanager
    def session(self) -> Iterator[Session]:
        """Fill the folder if the run is new; open its session."""
        request, run = self.request, self.run
        kind = session_type(request.family)
        with kind.process_settings():
            for folder in (run.path, run.tokens):
                files.remove_leftovers(folder)
            if request.new or _identity(run) != self.identity:
                is_new = self.is_new
                with _removed_on_failure(run.path) if is_new else nullcontext():
                    self._fill()
            with described(run.path):
                session = kind(run)
            training = request.given_of(TrainConfig)
            session.adjust(training, force=request.force)
            yield session

    @cached_property
    def identity(self) -> str:
        """A hash of the corpus and the options that identify the run."""
        request, reads = self.request, self._given.get(self._task.reads)
        parts = [
            self._data.survey().sha256,
            _set(self._wanted),
            _set(request.config_of(CorpusConfig)),
            reads.to_json() if reads else None,
            starting_sha256(request),
            {"family": request.family} | request.sizes,
            request.fixed,
            [dict(mark) for mark in request.file.marks],
        ]
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()

    def _fill(self) -> None:
        """Fill the folder; run.json is written last, to mark the folder as complete."""
        request, task, run = self.request, self._task, self.run
        wanted = request.given_of(TokenizerConfig)
        tokenizers = task.tokenizers(self._data, wanted, self._given)
        for path in run.files:
            files.remove(path)
        store = task.parts(self._data, tokenizers, run.tokens)
        if self.start:
            config = starting_sizes(request, self.start) | request.sizes
            request = replace(request, given={**request.given, **config})
        plan = _plan(request, store, task.sizes(store, tokenizers))
        corpus_config = request.config_of(CorpusConfig)
        record = RunRecord(
            charrnn=version("charrnn"),
            created=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            identity=self.identity,
            init_sha256=starting_sha256(request),
            stem=request.stem,
            corpus=CorpusRecord(
                files=list(request.paths),
                valid=list(request.valid),
                **to_json(store.survey),
                documents_in=corpus_config.documents,
                leaked=store.leaked,
                layout=self._data.layout,
            ),
            tokenizer=tokenizers.output.to_json(),
            source_tokenizer=_json_of(tokenizers),
            task=request.task,
            preview=self._data.preview(),
            family=request.family,
            model=to_json(plan.model),
            training=to_json(plan.training) if plan.training else {},
            reasons=list(plan.reasons),
            init_from=str(starting_file(request).absolute()) if self.start else "",
            split=to_json(corpus_config),
            follows=[dict(mark) for mark in request.file.marks],
        )
        run.write_record(record)


def _set(config: Any) -> dict[str, Any]:
    """Return a config as JSON values, without unset options, which are ""."""
    return {name: value for name, value in to_json(config).items() if value != ""}


def _json_of(tokenizers: Tokenizers) -> dict[str, Any] | None:
    return tokenizers.source.to_json() if tokenizers.source else None


def _plan(request: Request, store: TokenStore, sizes: Mapping[str, Any]) -> Plan:
    """Choose the options that the request left open.

    sizes: fields of the family's config that follow from the data. Raises UsageError
    or ResourceError.
    """
    training = request.given_of(TrainConfig)
    data = CorpusStatistics.of(store)
    sizes = {**sizes, **request.sizes}
    if not FAMILIES[request.family].network:
        return complete(request.family, data, sizes, {})
    machine = _this_machine(training, force=request.force)
    plan = complete(request.family, data, sizes, training, machine)
    if not (plan.training and plan.training.with_ngram):
        return plan
    _, held = hold_out(store.train)
    unit = "examples" if held.source else "tokens"
    reason = f"{held.targets:,} {unit} held out to fit the weights of the mixture"
    return replace(plan, reasons=(*plan.reasons, reason))


def _this_machine(training: Mapping[str, Any], *, force: bool) -> Machine:
    """Return the probed machine; this imports torch."""
    kind = named("charrnn.training.machine.this_machine:ThisMachine")
    found: Machine = kind(training, force=force)
    return found


def _identity(run: Run) -> str:
    """Return the identity of a run, or "" if it is unknown."""
    record = run.known_record()
    return record.identity if record else ""


def _check_content(run: Run, request: Request, identity: str) -> None:
    """Raise UsageError if the folder named by `out` contains something else."""
    is_taken = any(map(os.path.lexists, run.files))
    if is_taken and _identity(run) != identity and not request.new:
        other = "a run with a different corpus or different options"
        what = other if _identity(run) else "files named like those of a run"
        raise UsageError(
            f"{request.out} contains {what}",
            hint="choose another folder, start over in it with `new`, or train its"
            " model on this corpus with `init_from`",
        )


def _find_run(request: Request, identity: str) -> tuple[Run, bool]:
    """Return the newest run of a request, or a new one, and whether it is new."""
    records = [] if request.new else [(run.known_record(), run) for run in all_runs()]
    same = [
        (record.created, run.path)
        for record, run in records
        if record and record.identity == identity and record.stem == request.stem
    ]
    if same:
        return Run(max(same)[1]), False
    return new_run(request.stem), True


@contextmanager
def _removed_on_failure(folder: Path) -> Iterator[None]:
    """Remove a folder if preparing it fails or is interrupted."""
    try:
        yield
    except BaseException:
        files.remove_folder(folder)
        raise


def train(paths: Iterable[str | os.PathLike[str]], **options: Any) -> Path:
    """Train until the budget is used up; return the run folder.

    options: the same as for `Request.of`.
    """
    with open_session(Request.of(paths, **options)) as session:
        if not session.finished:
            for _ in session.train(lambda: False):
                pass
        return session.run.path
