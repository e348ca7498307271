"""The options that a user typed, sorted by config, without NumPy or torch."""

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from os import PathLike
from pathlib import Path
from typing import Any, Final, NoReturn, Self, TypeVar

from charrnn.data.config import CorpusConfig
from charrnn.data.examples import task_of
from charrnn.errors import UsageError
from charrnn.fields import CORPUS, MACHINE, MODEL, OUTPUT, Option, option, options_of
from charrnn.models.families import FAMILIES, counting_family, trained_families
from charrnn.storage.runs import runs_folder
from charrnn.tasks import DEFAULT_TASK, TASKS
from charrnn.tokenizers.config import TokenizerConfig, tokenizer_file
from charrnn.training.config import ADJUSTABLE, BUDGETS, TrainConfig
from charrnn.training.config_file import ConfigFile, read_config

T = TypeVar("T")

#: one path, or several paths
Paths = str | PathLike[str] | Iterable[str | PathLike[str]]
CONTROLS: Final = re.compile(r"[\x00-\x1f\x7f-\x9f]")


@dataclass(frozen=True)
class Request:
    """The options that a user asked for.

    given: the options that were set, by field. file: the contents of the file or run
    that `config` names.
    """

    paths: tuple[str, ...]
    task: str = option(
        "",
        choices=TASKS,
        shown="chosen from the format of the files, otherwise language",
        help="What the model learns: to continue text, label it, tag its words, or "
        "translate it.",
    )
    family: str = option(
        "",
        choices=trained_families,
        shown="recurrent for language, translator for translate, labeller for others",
        help="The kind of model: a recurrent network, a network that sees only the "
        "last few tokens, n-gram counts or, for classifiers, naive Bayes on n-grams.",
    )
    valid: tuple[str, ...] = option(
        (), metavar="FILE", group=CORPUS, help="Use this text for validation."
    )
    tokenizer: str = tokenizer_file()
    out: str = option(
        "",
        metavar="DIR",
        flags=("--out", "-o"),
        group=OUTPUT,
        shown="runs/<name>-NNN",
        help="Folder for the run.",
    )
    init_from: str = option(
        "",
        metavar="MODEL",
        group=MODEL,
        help="Start with the weights of a trained model.",
    )
    config: str = option(
        "",
        metavar="FILE.toml|RUN",
        group=OUTPUT,
        help="Read options from a TOML file, or repeat a finished run with the same "
        "options and the same schedule, step by step.",
    )
    new: bool = option(
        False, group=OUTPUT, help="Start a new run instead of resuming one."
    )
    force: bool = option(
        False, group=MACHINE, help="Train even if memory seems insufficient."
    )
    given: Mapping[str, Any] = field(default_factory=dict)
    file: ConfigFile = field(default_factory=ConfigFile)

    @classmethod
    def of(cls, paths: Paths, **typed: Any) -> Self:
        """Check options and sort them by config.

        paths: one or several paths. typed: options by name or field, with values from
        the command line or from Python; "auto" leaves a choice to the program. Raises
        UsageError for a wrong value or an option of another family, and ValueError for
        a name that is not an option.
        """
        config = typed.get("config") or ""
        if not isinstance(config, str | PathLike):
            raise UsageError(f"`config` is {config!r}, not a path")
        file = read_config(os.fspath(config))
        known = {one.field: one for one in options_of(cls, *_configs())}
        known |= {one.name: one for one in known.values()}
        names = {known[n].field for n in (*file.table, *typed) if n in known}
        file = file.without(names)
        # these can be set only in Python; the configs check them
        hyperparameters = {one.name for one in fields(TrainConfig)} - set(known)
        given = dict(file.recorded)
        for values in (file.table, typed):
            for name, value in values.items():
                if name in hyperparameters:
                    given[name] = value
                    continue
                if name not in known or (values is file.table and name == "config"):
                    _raise_unknown(
                        name, typed["config"] if values is file.table else ""
                    )
                is_empty = isinstance(value, list | tuple) and not value
                if value is not None and not is_empty:
                    one = known[name]
                    given[one.field] = one.parse(_as_text(one, value))
                    one.check(given[one.field])
        own = {one.field for one in options_of(cls)}
        rest = {k: v for k, v in given.items() if k not in own and v != "auto"}
        # a family other than the recorded one takes only the options that it has
        paths = _as_texts(paths)
        task = given.get("task") or task_of(paths, given.get("columns", ""))
        given["task"] = task or DEFAULT_TASK
        family = given.get("family") or trained_families(given["task"])[0]
        applicable = names | _options(family) | _common()
        rest = {k: v for k, v in rest.items() if k in applicable or not file.recorded}
        request = cls(
            paths,
            **{name: given[name] for name in own & set(given)},
            given=rest,
            file=file,
        )
        request._check()
        return request

    def _check(self) -> None:
        """Raise UsageError for options that cannot be combined.

        This happens early, before the corpus is read.
        """
        family = self.kind
        if self.task not in FAMILIES[family].tasks:
            raise UsageError(
                f"`family` {family} cannot learn the `task` {self.task}",
                hint=f"omit `family`, or choose {trained_families(self.task)[0]}",
            )
        _check_family(family, set(self.given))
        if len([name for name in BUDGETS if name in self.given]) > 1:
            raise UsageError(
                "more than one of `time`, `epochs` and `steps` is given",
                hint="a run has one budget: choose one of them",
            )
        for config in (TokenizerConfig, CorpusConfig, TrainConfig):
            self.config_of(config)
        _check_counting(self.task, self.given)
        FAMILIES[family].smallest(self.sizes)
        _check_place(Path(self.out) if self.out else runs_folder())

    @property
    def kind(self) -> str:
        """The family to train, unless the model of `init_from` has another family."""
        return self.family or trained_families(self.task)[0]

    @property
    def stem(self) -> str:
        """The start of the run folder's name, taken from the first file's name."""
        if self.paths[0] == "-":
            return "stdin"
        stem = Path(self.paths[0]).resolve().name.split(".")[0]
        return CONTROLS.sub("_", stem) or "run"

    @property
    def sizes(self) -> dict[str, Any]:
        """The given fields of the family's own config, except the vocabulary size."""
        return self.given_of(FAMILIES[self.kind].config_type)

    @property
    def fixed(self) -> dict[str, Any]:
        """The given fields of TrainConfig that cannot change when a run is resumed."""
        free = (*BUDGETS, *ADJUSTABLE)
        given = {k: v for k, v in self.given_of(TrainConfig).items() if k not in free}
        return {"seed": TrainConfig.seed} | given  # the default seed means the same run

    def given_of(self, config: type[Any]) -> dict[str, Any]:
        """Return the given fields of a config."""
        # a given vocabulary size is for the tokenizer; the model uses the actual size
        hidden = () if config is TokenizerConfig else ("vocab_size",)
        names = {one.name for one in fields(config)} - set(hidden)
        return {name: value for name, value in self.given.items() if name in names}

    def config_of(self, config: type[T]) -> T:
        """Return a config with the given fields and defaults for all others."""
        return config(**self.given_of(config))


def refuse_beside(source: str, what: str, names: Iterable[str]) -> None:
    """Raise UsageError for an option that conflicts with what `source` contains."""
    for name in names:
        raise UsageError(
            f"{source} comes with {what}, but `{name}` is also given",
            hint=f"omit `{name}`",
        )


def _configs() -> list[type[Any]]:
    """Return the configs of all families, and those that families share."""
    own = [FAMILIES[name].config_type for name in trained_families()]
    return [*own, TrainConfig, TokenizerConfig, CorpusConfig]


def _as_text(one: Option, value: Any) -> Any:
    """Return a value with any paths in it converted to text."""
    if one.is_repeatable and not isinstance(value, list | tuple):
        value = (value,)
    if isinstance(value, list | tuple):
        return tuple(os.fspath(x) if isinstance(x, PathLike) else x for x in value)
    return os.fspath(value) if isinstance(value, PathLike) else value


def _as_texts(paths: Paths) -> tuple[str, ...]:
    several = (paths,) if isinstance(paths, str | PathLike) else paths
    return tuple(os.fspath(path) for path in several)


def _check_place(folder: Path) -> None:
    """Raise UsageError if a folder or one of its parents is something else."""
    for place in (folder, *folder.parents):
        # in this order, because another process could create the folder in between
        if os.path.lexists(place):
            if os.path.isdir(place):
                return
            broken = "a broken link, " * os.path.islink(place)
            raise UsageError(
                f"{place} is {broken}not a folder",
                hint="choose another place for the run: -o DIR",
            )


def _raise_unknown(name: str, path: str) -> NoReturn:
    """Raise an error for a name, in a file or a Python call, that is not an option."""
    if path:
        raise UsageError(
            f"`config` {path}: no option {name!r} exists",
            hint="use the names in charrnn train --help, without the leading dashes",
        )
    raise ValueError(f"training has no option {name}")


def _check_family(family: str, given: set[str]) -> None:
    """Raise UsageError for options that a family does not have."""
    for name in sorted(given - _common() - _options(family)):
        others = [other for other in trained_families() if name in _options(other)]
        raise UsageError(
            f"`{name.removesuffix('_s')}` does not apply to `family` {family}",
            hint=f"it applies to `family` {' and '.join(others)}",
        )


def _check_counting(task: str, given: Mapping[str, Any]) -> None:
    """Raise UsageError for a counting model that the task does not have."""
    family = counting_family(task)
    if given.get("with_ngram") and not family:
        tasks = [name for name in TASKS if counting_family(name)]
        raise UsageError(
            f"`with_ngram` does not apply to the `task` {task}",
            hint=f"it applies to the `task` {' and '.join(tasks)}",
        )
    if given.get("ngram_order") and "order" not in FAMILIES[family].options:
        raise UsageError(
            f"`ngram_order` does not apply to the `task` {task}",
            hint="omit it: naive Bayes counts n-grams of several lengths",
        )


def _common() -> set[str]:
    """Return the fields that a user can set for every family."""
    shared = (TokenizerConfig, CorpusConfig)
    return {one.name for config in shared for one in fields(config)}


def _options(family: str) -> set[str]:
    """Return the fields that a user can set for a family."""
    training = {one.name for one in fields(TrainConfig)}
    return FAMILIES[family].options | (training if FAMILIES[family].network else set())
