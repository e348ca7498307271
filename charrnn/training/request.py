"""What a user asks training for, sorted by what it is about."""

import hashlib
import json
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from functools import cached_property
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

from charrnn.data.config import CorpusConfig
from charrnn.errors import UsageError
from charrnn.fields import flag, to_json
from charrnn.models.families import DEFAULT_FAMILY, FAMILIES, trained_families
from charrnn.storage.runs import Run, all_runs, find_model, find_run, runs_folder
from charrnn.tokenizers.config import TokenizerConfig
from charrnn.training.budget import BUDGETS
from charrnn.training.config import TrainConfig

if TYPE_CHECKING:
    from charrnn.data.store import Survey
    from charrnn.tokenizers.base import Tokenizer

#: one path or several
Paths = str | PathLike[str] | Iterable[str | PathLike[str]]
#: what may differ when the same is asked again, besides the budget
ADJUSTABLE: Final = ("patience", "save_every_s", "threads")
CONTROLS: Final = re.compile(r"[\x00-\x1f\x7f-\x9f]")
#: what is trained where nothing is said
USUAL: Final = DEFAULT_FAMILY


@dataclass(frozen=True)
class Request:
    """What a user asked for.

    family: of the model; "" is the usual one, or that of `init_from`. tokenizer, model,
    training: fields of TokenizerConfig, of the family's own config and of TrainConfig,
    only those that were given. plan: a run whose plan is to be followed; marks: those
    of its schedule, as JSON values.
    """

    paths: tuple[str, ...]
    valid: tuple[str, ...] = ()
    out: str = ""
    new: bool = False
    force: bool = False
    init_from: str = ""
    plan: str = ""
    family: str = ""
    marks: tuple[Mapping[str, Any], ...] = ()
    tokenizer: Mapping[str, Any] = field(default_factory=dict)
    tokenizer_file: str = ""
    corpus: CorpusConfig = field(default_factory=CorpusConfig)
    model: Mapping[str, Any] = field(default_factory=dict)
    training: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, paths: Paths, **options: Any) -> Self:
        """Sort options by what they are about.

        paths: one or several, as is `valid`. options: fields of the configs, and
        `valid`, `out`, `new`, `force`, `init_from`, `plan`, `model` (a family) and
        `tokenizer` (a file). Raises UsageError for a wrong value or an option of
        another family, ValueError for a name that is none.
        """
        plain = {"valid", "out", "new", "force", "init_from", "plan"}
        plain |= {"model", "tokenizer"}
        family = options.get("model") or ""
        _check_family(family or USUAL, set(options) - plain)
        own = FAMILIES[family or USUAL]
        kinds = (TokenizerConfig, CorpusConfig, own.config_type, TrainConfig)
        names = {kind: {f.name for f in fields(kind)} & set(options) for kind in kinds}
        # the tokenizer is asked for a size of the vocabulary, and the model has it
        names[own.config_type] -= {"vocab_size"}
        of = {kind: {name: options[name] for name in names[kind]} for kind in kinds}
        # a wrong value is said now, not when the corpus has been read
        TokenizerConfig(**of[TokenizerConfig])
        own.config_type(vocab_size=1, **of[own.config_type])
        TrainConfig(**{k: v for k, v in of[TrainConfig].items() if v != "auto"})
        out = os.fspath(options.get("out") or "")
        _check_place(Path(out) if out else runs_folder())
        return cls(
            paths=_names(paths),
            valid=_names(options.get("valid") or ()),
            out=out,
            new=options.get("new", False),
            force=options.get("force", False),
            init_from=os.fspath(options.get("init_from") or ""),
            plan=os.fspath(options.get("plan") or ""),
            family=family,
            tokenizer_file=os.fspath(options.get("tokenizer") or ""),
            tokenizer=of[TokenizerConfig],
            corpus=CorpusConfig(**of[CorpusConfig]),
            model=of[own.config_type],
            training=of[TrainConfig],
        )

    @property
    def stem(self) -> str:
        """The name that a run folder begins with: that of the first file."""
        if self.paths[0] == "-":
            return "stdin"
        stem = Path(self.paths[0]).resolve().name.split(".")[0]
        return CONTROLS.sub("_", stem) or "run"

    @property
    def starting_file(self) -> Path:
        """The model file meant by `init_from`. Raises NotFoundError."""
        return find_model(self.init_from)

    @cached_property
    def starting_sha256(self) -> str:
        """The hash of that file, "" without one."""
        if not self.init_from:
            return ""
        return hashlib.sha256(self.starting_file.read_bytes()).hexdigest()

    def identity(self, survey: "Survey", tokenizer: "Tokenizer | None") -> str:
        """Return a hash of what makes a run this one and no other.

        tokenizer: the one that was given in a file, or comes with `init_from`.
        """
        parts = [
            survey.sha256,
            to_json(TokenizerConfig(**self.tokenizer)),
            to_json(self.corpus),
            tokenizer.to_json() if tokenizer else None,
            self.starting_sha256,
            {"family": self.family} | dict(self.model),
            self._fixed(),
            [dict(mark) for mark in self.marks],
        ]
        return _hash(parts)

    def asked(self) -> str:
        """Return a hash of what was typed, and of the sizes and ages of the files.

        Where it is equal, so is the identity, and nothing has to be read to know it.
        It is "" where that cannot be known: of a text from stdin, of a folder.
        """
        files = [*self.paths, *self.valid, self.tokenizer_file]
        files += [str(self.starting_file)] if self.init_from else []
        files += [str(find_run(self.plan).info)] if self.plan else []
        files = [path for path in files if path]
        if not all(map(os.path.isfile, files)):
            return ""
        stats = [os.stat(path) for path in files]
        seen = [[one.st_ino, one.st_size, one.st_mtime_ns] for one in stats]
        model = {"family": self.family or USUAL} | dict(self.model)
        options = [dict(self.tokenizer), to_json(self.corpus), model, self.plan]
        return _hash([files, seen, options, self._fixed()])

    def check_free(self) -> None:
        """Raise BusyError if the run that is meant is in use, at once.

        No text is read for it, so a run without a name may be overlooked here.
        """
        runs = [Run(Path(self.out))] if self.out else []
        if not (self.out or self.new) and (asked := self.asked()):
            runs = [run for run in all_runs() if run.known_info().get("asked") == asked]
        for run in runs:
            run.check_free()

    def _fixed(self) -> dict[str, Any]:
        """Return what is given of TrainConfig and cannot change on the way."""
        free = (*BUDGETS, *ADJUSTABLE)
        given = {k: v for k, v in self.training.items() if k not in free}
        return {"seed": TrainConfig.seed} | given  # typed or not, the same run


def refuse_beside(source: str, what: str, names: Iterable[str]) -> None:
    """Raise UsageError for an option that says again what `source` brings."""
    for name in names:
        raise UsageError(
            f"{source} brings {what}, but {flag(name)} is given too",
            hint=f"leave {flag(name)} out",
        )


def _names(paths: Paths) -> tuple[str, ...]:
    """Return one path or several as texts."""
    several = (paths,) if isinstance(paths, str | PathLike) else paths
    return tuple(os.fspath(path) for path in several)


def _check_place(folder: Path) -> None:
    """Raise UsageError if what is there, or above, is no folder."""
    for place in (folder, *folder.parents):
        if os.path.isdir(place):
            return
        if os.path.lexists(place):
            what = "a link to no" if os.path.islink(place) else "not a"
            raise UsageError(
                f"{place} is {what} folder",
                hint="name another place for the run: -o DIR",
            )


def _hash(parts: list[Any]) -> str:
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _options(family: str) -> set[str]:
    """Return the fields that a user may give for a family."""
    training = {one.name for one in fields(TrainConfig)}
    return FAMILIES[family].options | (training if FAMILIES[family].network else set())


def _check_family(family: str, given: set[str]) -> None:
    """Raise for a family that there is not, or options it has no use for."""
    if family not in trained_families():
        raise UsageError(
            f"--model is {family!r}", hint=f"one of {', '.join(trained_families())}"
        )
    common = {f.name for kind in (TokenizerConfig, CorpusConfig) for f in fields(kind)}
    for name in sorted(given - common - _options(family)):
        others = [other for other in trained_families() if name in _options(other)]
        if not others:
            raise ValueError(f"training has no option {name}")
        raise UsageError(
            f"{flag(name)} makes no sense with --model {family}",
            hint=f"it is for --model {' and '.join(others)}",
        )
