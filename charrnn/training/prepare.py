"""From what a user asked for to a run folder that is ready to train.

The same request again finds its unfinished run and goes on exactly. A finished one is
left alone, unless the budget is larger now: then it trains on from its weights under
a new plan.
"""

import os
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from charrnn.data.corpus import Corpus
from charrnn.errors import UsageError
from charrnn.fields import flag, to_json
from charrnn.inference.text_model import TextModel
from charrnn.models.families import FAMILIES
from charrnn.registry import named
from charrnn.storage import files
from charrnn.storage.runs import Run, all_runs, described, new_run
from charrnn.text.sources import find_sources
from charrnn.tokenizers import loading as tokenizers
from charrnn.tokenizers.base import Tokenizer
from charrnn.tokenizers.config import TokenizerConfig
from charrnn.training.machine.process import prepare_process
from charrnn.training.plan import follow_plan, plan_tokenizer
from charrnn.training.request import USUAL, Request, refuse_beside
from charrnn.training.session import Session, starting_model

BY_GRADIENT: Final = "charrnn.training.gradient_session:GradientSession"
BY_COUNTING: Final = "charrnn.training.counting_session:CountingSession"


def session_type(family: str) -> type[Session]:
    """Import what trains a family: a network by gradient, anything else by counting."""
    prepare_process()
    by_gradient = bool(FAMILIES[family].network)
    path = BY_GRADIENT if by_gradient else BY_COUNTING
    found: type[Session] = named(path)
    return found


@contextmanager
def open_session(request: Request) -> Iterator[Session]:
    """Hold the run that a request means, new or found again, ready to train.

    Raises TextError for an unusable corpus, UsageError for options that make no
    sense, BusyError while another process trains that run.
    """
    asked = request.asked()
    request = follow_plan(request)
    start = _starting_model(request)
    request = replace(request, family=_family(request, start))
    kind = session_type(request.family)
    kind.check(request)
    given = start.tokenizer if start else _given_tokenizer(request)
    wanted = TokenizerConfig(**request.tokenizer)
    level = given.level if given else wanted.level
    corpus = Corpus(
        find_sources(request.paths),
        request.corpus,
        raw=level == "byte",
        valid_sources=find_sources(request.valid),
    )
    survey = corpus.survey()
    identity = request.identity(survey, given)
    run, is_new = _find_run(request, identity)
    with run.lock(), kind.process_settings():
        for folder in (run.path, run.tokens):
            files.remove_leftovers(folder)
        if request.new or run.identity != identity:
            with _removed_on_failure(run.path) if is_new else nullcontext():
                tokenizer = given or tokenizers.fit(corpus.training_texts(), wanted)
                hashes = {
                    "identity": identity,
                    "asked": asked,
                    "init_sha256": request.starting_sha256,
                }
                _prepare(run, request, corpus, tokenizer, start, hashes)
        with described(run.path):
            session = kind(run)
        session.follow(request)
        yield session


def _find_run(request: Request, identity: str) -> tuple[Run, bool]:
    """Return the run in --out, the newest one of the same request, or a new one.

    Returns also whether its folder was made here.
    """
    if request.out:
        run = Run(Path(request.out))
        is_new = files.claim_folder(run.path)
        files.make_folder(run.path)  # a file of that name is an error
        is_taken = any(map(os.path.lexists, run.files))
        if is_taken and run.identity != identity and not request.new:
            other = "a run of another corpus or with other options"
            what = other if run.identity else "files that are named as those of a run"
            raise UsageError(
                f"{request.out} holds {what}",
                hint="name another folder, or start afresh in it with --new",
            )
        return run, is_new
    infos = [] if request.new else [(run.known_info(), run) for run in all_runs()]
    same = [
        (info["created"], run.path)
        for info, run in infos
        if info.get("identity") == identity and info.get("stem") == request.stem
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


def _prepare(
    run: Run,
    request: Request,
    corpus: Corpus,
    tokenizer: Tokenizer,
    start: TextModel | None,
    hashes: Mapping[str, str],
) -> None:
    """Fill a run folder; run.json is written last and says that it is complete.

    hashes: of what the run is of, what was typed, and the file it begins from.
    """
    for path in run.files:
        files.remove(path)
    store = corpus.write_store(tokenizer, run.tokens)
    if start:
        model = start.model.config_json() | dict(request.model)
        request = replace(request, model=model)
    kind = session_type(request.family)
    choice = kind.choose(store, request)
    survey = to_json(store.survey)
    run.write_info(
        {
            "charrnn": version("charrnn"),
            "created": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            **hashes,
            "stem": request.stem,
            "corpus": {
                "files": list(request.paths),
                "valid": list(request.valid),
                **survey,
                "documents_in": request.corpus.documents,
                "leaked": store.leaked,
            },
            "tokenizer": tokenizer.to_json(),
            "family": request.family,
            "model": to_json(choice.model),
            "training": to_json(choice.training) if choice.training else {},
            "reasons": list(choice.reasons),
            "init_from": str(request.starting_file.absolute()) if start else "",
            "split": to_json(request.corpus),
            "follows": [dict(mark) for mark in request.marks],
        }
    )


def _starting_model(request: Request) -> TextModel | None:
    if not request.init_from:
        return None
    given = [*request.tokenizer, *["tokenizer"] * bool(request.tokenizer_file)]
    refuse_beside("--init-from", "a tokenizer", given)
    start = starting_model(request.starting_file)
    sizes = start.model.config_json()
    for name, value in request.model.items():
        if value != sizes.get(name):
            raise UsageError(
                f"{flag(name)} is {value}, but --init-from {request.init_from} has"
                f" {sizes.get(name)}",
                hint=f"leave {flag(name)} out: weights bring their sizes along",
            )
    return start


def _family(request: Request, start: TextModel | None) -> str:
    """Return the family to train: as asked, of the starting model, or the usual one."""
    if not start:
        return request.family or USUAL
    family, source = start.model.family, f"--init-from {request.init_from}"
    if family not in FAMILIES or not FAMILIES[family].network:
        raise UsageError(
            f"{source} is of the family {family}: no one network to start from",
            hint="name a model that was trained in steps, or has one such member",
        )
    if request.family not in ("", family):
        raise UsageError(
            f"--model is {request.family}, but {source} is of the family {family}",
            hint="leave --model out",
        )
    return family


def _given_tokenizer(request: Request) -> Tokenizer | None:
    if request.plan:
        return plan_tokenizer(request)
    if not request.tokenizer_file:
        return None
    refuse_beside("--tokenizer", "a tokenizer", request.tokenizer)
    return tokenizers.load(Path(request.tokenizer_file))


def train(paths: Iterable[str | os.PathLike[str]], **options: Any) -> Path:
    """Train to the end of the budget; return the run folder.

    options: as in `Request.of`.
    """
    with open_session(Request.of(paths, **options)) as session:
        if not session.finished:
            for _ in session.train(lambda: False):
                pass
        return session.run.path
