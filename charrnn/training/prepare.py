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
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

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
from charrnn.training.defaults import DEFAULT_TIME_S, choose
from charrnn.training.session import Session

BUDGETS = ("time_s", "epochs", "steps")
#: what may differ when the same command is given again
NOT_IDENTITY = (*BUDGETS, "patience", "save_every_s", "threads")


@dataclass(frozen=True)
class Request:
    """What a user asked for; `model` and `training` hold only what was given."""

    paths: tuple[str, ...]
    valid: tuple[str, ...] = ()
    out: str = ""
    new: bool = False
    init_from: str = ""
    tokenizer: TokenizerConfig = field(default_factory=TokenizerConfig)
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

    def identity(self, survey: Survey) -> str:
        """Return a hash of what makes a run this one and no other."""
        asked = {k: v for k, v in self.training.items() if k not in NOT_IDENTITY}
        parts = [
            survey.sha256,
            to_json(self.tokenizer),
            to_json(self.corpus),
            [self.tokenizer_file, self.init_from],
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
    start = _starting_model(request)
    tokenizer = start.tokenizer if start else _given_tokenizer(request)
    level = tokenizer.level if tokenizer else request.tokenizer.level
    corpus = Corpus(
        find_sources(request.paths),
        request.corpus,
        raw=level == "byte",
        valid_sources=find_sources(request.valid),
    )
    survey = corpus.survey()
    identity = request.identity(survey)
    run = _find_run(request, identity)
    with run.lock():
        files.remove_leftovers(run.path)
        if request.new or run.read_info().get("identity") != identity:
            tokenizer = tokenizer or tokenizers.fit(
                corpus.training_texts(), request.tokenizer
            )
            _prepare(run, request, corpus, tokenizer, start, identity)
        session = Session(run)
        _follow_budget(session, request)
        yield session


def _find_run(request: Request, identity: str) -> Run:
    """Return the run in --out, the newest one of the same request, or a new one."""
    if request.out:
        run = Run(Path(request.out))
        other = run.read_info().get("identity", identity) != identity
        if other and not request.new:
            raise UsageError(
                f"{request.out} holds a run of another corpus or with other options",
                hint="name another folder, or start afresh in it with --new",
            )
        files.make_folder(run.path)
        return run
    found = [run for run in all_runs() if run.read_info().get("identity") == identity]
    if found and not request.new:
        return found[-1]
    return new_run(request.stem)


def _prepare(
    run: Run,
    request: Request,
    corpus: Corpus,
    tokenizer: Tokenizer,
    start: TextModel | None,
    identity: str,
) -> None:
    """Fill a run folder; run.json is written last and says that it is complete."""
    store = corpus.write_store(tokenizer, run.tokens)
    model = dict(request.model)
    if start:
        model = start.model.config_json() | model
    choice = choose(store, tokenizer.vocab_size, model, dict(request.training))
    files.remove(run.resume)
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
            "init_from": request.init_from,
        }
    )


def _follow_budget(session: Session, request: Request) -> None:
    """Give a run that was found again the budget that is asked for now."""
    if not session.continues:
        return
    asked = {name: request.training.get(name, 0) for name in BUDGETS}
    if not any(asked.values()):
        asked["time_s"] = DEFAULT_TIME_S
    old = session.trainer.config
    config = dataclasses.replace(old, **asked)
    if config != old and not (session.finished and _is_spent(session, config)):
        session.rebudget(config)


def _is_spent(session: Session, config: TrainConfig) -> bool:
    """Say whether a finished run has had all of a budget already."""
    old, counters = session.trainer.config, session.trainer.counters
    if config.time_s:
        return config.time_s <= max(old.time_s, counters.elapsed_s)
    return session.trainer.steps_of(config) <= counters.step


def _starting_model(request: Request) -> TextModel | None:
    if not request.init_from:
        return None
    if request.tokenizer_file:
        raise UsageError(
            "--init-from brings its own tokenizer, but --tokenizer is given too",
            hint="leave --tokenizer out",
        )
    return checkpoint.load(Path(request.init_from))


def _given_tokenizer(request: Request) -> Tokenizer | None:
    if not request.tokenizer_file:
        return None
    return tokenizers.load(Path(request.tokenizer_file))
