"""From what a user asked for to a run folder that is ready to train.

The same request again finds its unfinished run and goes on exactly. A finished one is
left alone, unless the budget is larger now: then it trains on from its weights under
a new plan.
"""

import dataclasses
import hashlib
import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

import charrnn
from charrnn import checkpoint, files, tokenizers
from charrnn.config import CorpusConfig, TokenizerConfig, TrainConfig, to_json
from charrnn.corpus import Corpus
from charrnn.errors import UsageError
from charrnn.runs import Run, all_runs, new_run
from charrnn.sources import find_sources
from charrnn.store import Survey
from charrnn.text_model import TextModel
from charrnn.tokenizers import Tokenizer
from charrnn.training.defaults import BUDGETS, DEFAULT_TIME_S, check_budget, choose
from charrnn.training.precision import choose_device
from charrnn.training.session import Session

#: what may differ when the same command is given again, besides the budget
ADJUSTABLE = ("patience", "save_every_s", "threads")


@dataclass(frozen=True)
class Request:
    """What a user asked for.

    tokenizer, model, training: fields of TokenizerConfig, RecurrentConfig and
    TrainConfig, only those that were given.
    """

    paths: tuple[str, ...]
    valid: tuple[str, ...] = ()
    out: str = ""
    new: bool = False
    init_from: str = ""
    tokenizer: Mapping[str, Any] = field(default_factory=dict)
    tokenizer_file: str = ""
    corpus: CorpusConfig = field(default_factory=CorpusConfig)
    model: Mapping[str, Any] = field(default_factory=dict)
    training: Mapping[str, Any] = field(default_factory=dict)

    @property
    def stem(self) -> str:
        """The name that a run folder begins with: that of the first file."""
        if self.paths[0] == "-":
            return "stdin"
        return Path(self.paths[0]).resolve().name.split(".")[0] or "run"

    def identity(self, survey: Survey, tokenizer: Tokenizer | None) -> str:
        """Return a hash of what makes a run this one and no other.

        tokenizer: the one that was given in a file, or comes with --init-from.
        """
        free = (*BUDGETS, *ADJUSTABLE)
        given = {k: v for k, v in self.training.items() if k not in free}
        asked = {"seed": TrainConfig.seed} | given  # typed or not, the same run
        parts = [
            survey.sha256,
            to_json(TokenizerConfig(**self.tokenizer)),
            to_json(self.corpus),
            tokenizer.to_json() if tokenizer else None,
            _file_hash(_model_file(self)) if self.init_from else None,
            dict(self.model),
            asked,
        ]
        text = json.dumps(parts, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()


@contextmanager
def open_session(request: Request) -> Iterator[Session]:
    """Hold the run that a request means, new or found again, ready to train.

    Raises TextError for an unusable corpus, UsageError for options that make no
    sense, BusyError while another process trains that run.
    """
    check_budget(request.training)
    choose_device(request.training.get("device", "auto"))
    start = _starting_model(request)
    given = start.tokenizer if start else _given_tokenizer(request)
    asked = TokenizerConfig(**request.tokenizer)
    level = given.level if given else asked.level
    corpus = Corpus(
        find_sources(request.paths),
        request.corpus,
        raw=level == "byte",
        valid_sources=find_sources(request.valid),
    )
    survey = corpus.survey()
    identity = request.identity(survey, given)
    run, is_new = _find_run(request, identity)
    with run.lock(), _process_settings():
        files.remove_leftovers(run.path)
        if request.new or run.identity != identity:
            with _removed_on_failure(run.path) if is_new else nullcontext():
                tokenizer = given or tokenizers.fit(corpus.training_texts(), asked)
                _prepare(run, request, corpus, tokenizer, start, identity)
        session = Session(run)
        _follow_budget(session, request)
        yield session


@contextmanager
def _process_settings() -> Iterator[None]:
    """Set what torch has for the whole process; give the threads back afterwards."""
    threads = torch.get_num_threads()
    # gates that saturate make denormal numbers, which are very slow
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(False)
        torch.set_num_threads(threads)


def _find_run(request: Request, identity: str) -> tuple[Run, bool]:
    """Return the run in --out, the newest one of the same request, or a new one.

    Returns also whether its folder was made here.
    """
    if request.out:
        run = Run(Path(request.out))
        is_new = files.claim_folder(run.path)
        files.make_folder(run.path)  # a file of that name is an error
        if run.identity not in ("", identity) and not request.new:
            raise UsageError(
                f"{request.out} holds a run of another corpus or with other options",
                hint="name another folder, or start afresh in it with --new",
            )
        return run, is_new
    found = [run for run in all_runs() if run.identity == identity]
    if found and not request.new:
        newest = max(found, key=lambda run: (run.read_info()["created"], run.path))
        return newest, False
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
    identity: str,
) -> None:
    """Fill a run folder; run.json is written last and says that it is complete."""
    for path in (run.path / "run.json", run.resume, run.model):
        files.remove(path)
    store = corpus.write_store(tokenizer, run.tokens)
    model = dict(request.model)
    if start:
        model = start.model.config_json() | model
    choice = choose(store, tokenizer.vocab_size, model, dict(request.training))
    survey = dataclasses.asdict(store.survey)
    run.write_info(
        {
            "charrnn": charrnn.__version__,
            "created": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "identity": identity,
            "corpus": {
                "files": list(request.paths),
                **survey,
                "documents_in": request.corpus.documents,
                "leaked": store.leaked,
            },
            "tokenizer": tokenizer.to_json(),
            "model": to_json(choice.model),
            "training": to_json(choice.training),
            "reasons": list(choice.reasons),
            "init_from": str(_model_file(request)) if start else "",
        }
    )


def _follow_budget(session: Session, request: Request) -> None:
    """Give a run that was found again the budget that is asked for now."""
    given = request.training
    asked = {name: given.get(name, 0) for name in BUDGETS}
    if not any(asked.values()):
        asked["time_s"] = DEFAULT_TIME_S
    asked |= {name: given[name] for name in ADJUSTABLE if name in given}
    old = session.trainer.config
    config = dataclasses.replace(old, **asked)
    if config != old and not (session.finished and _is_spent(session, config)):
        session.rebudget(config)


def _is_spent(session: Session, config: TrainConfig) -> bool:
    """Say whether a finished run has had all of a budget already."""
    trainer, old = session.trainer, session.trainer.config
    if config.time_s:
        return config.time_s <= max(old.time_s, trainer.counters.elapsed_s)
    # a run that lost its patience had fewer steps than its budget
    planned = 0 if old.time_s else trainer.steps_of(old)
    return trainer.steps_of(config) <= max(planned, trainer.counters.step)


def _starting_model(request: Request) -> TextModel | None:
    if not request.init_from:
        return None
    if request.tokenizer_file:
        raise UsageError(
            "--init-from brings its own tokenizer, but --tokenizer is given too",
            hint="leave --tokenizer out",
        )
    _refuse_tokenizer_options(request, "--init-from")
    start = checkpoint.load(_model_file(request))
    sizes = start.model.config_json()
    for name, value in request.model.items():
        if value != sizes.get(name):
            flag = f"--{name.replace('_', '-')}"
            raise UsageError(
                f"{flag} is {value}, but --init-from {request.init_from} has"
                f" {sizes.get(name)}",
                hint=f"leave {flag} out: weights bring their sizes along",
            )
    return start


def _model_file(request: Request) -> Path:
    """Return the file meant by --init-from, which may name a run folder."""
    path = Path(request.init_from)
    return Run(path).model if path.is_dir() else path


def _given_tokenizer(request: Request) -> Tokenizer | None:
    if not request.tokenizer_file:
        return None
    _refuse_tokenizer_options(request, "--tokenizer")
    return tokenizers.load(Path(request.tokenizer_file))


def _refuse_tokenizer_options(request: Request, source: str) -> None:
    """Raise UsageError if a tokenizer is given and options to make one are, too."""
    for name in request.tokenizer:
        flag = f"--{name.replace('_', '-')}"
        raise UsageError(
            f"{source} brings a tokenizer, but {flag} is given too",
            hint=f"leave {flag} out",
        )


def _file_hash(path: Path) -> str:
    """Return the SHA-256 of a file that was just read."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
