"""Reads what `config` names: a TOML file of options or a finished run to repeat.

During a run, a time budget becomes a number of steps that depends on the machine's
speed. run.json keeps the marks of the resulting schedule. A run that follows them takes
the same steps at the same rates, however long they take. It ends with the same weights
if products are rounded alike (same torch, processor type, precision and threads).
"""

import os
import tomllib
from collections.abc import Mapping, Set
from dataclasses import dataclass, field, replace
from typing import Any, Self

from charrnn.errors import NotFoundError, TextError
from charrnn.fields import options_of
from charrnn.models.families import FAMILIES
from charrnn.storage.runs import find_run
from charrnn.tokenizers.config import TokenizerConfig
from charrnn.training.config import BUDGETS


@dataclass(frozen=True)
class ConfigFile:
    """The contents of a TOML file or of a finished run.

    table: options from a TOML file, by name. From a run: its options by field
    (recorded), the marks of its schedule, its tokenizer as JSON, and the hash of the
    model file that it started from (start_sha256), "" if there was none.
    """

    table: Mapping[str, Any] = field(default_factory=dict)
    recorded: Mapping[str, Any] = field(default_factory=dict)
    marks: tuple[Mapping[str, Any], ...] = ()
    tokenizer: Mapping[str, Any] | None = None
    start_sha256: str = ""

    def without(self, names: Set[str]) -> Self:
        """Drop what these options override in a recorded run; return the rest."""
        kept = self
        if names & set(BUDGETS):
            recorded = {k: v for k, v in self.recorded.items() if k not in BUDGETS}
            kept = replace(kept, recorded=recorded, marks=())
        if names & {"tokenizer", *(one.field for one in options_of(TokenizerConfig))}:
            kept = replace(kept, tokenizer=None)
        return kept


def read_config(path: str) -> ConfigFile:
    """Read the file or run at a path, nothing if it is "".

    Raises NotFoundError, TextError or ModelFileError.
    """
    if not path:
        return ConfigFile()
    if os.path.isfile(path) or path.endswith(".toml"):
        return ConfigFile(table=_read_toml(path))
    return _read_run(path)


def _read_toml(path: str) -> dict[str, Any]:
    """Return the options in a TOML file, whose names may contain dashes."""
    try:
        with open(path, "rb") as file:
            values = tomllib.load(file)
    except OSError as error:
        raise NotFoundError(f"`config` {path}: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise TextError(f"`config` {path} is not TOML: {error}") from error
    return {name.replace("-", "_"): value for name, value in values.items()}


def _read_run(path: str) -> ConfigFile:
    run = find_run(path)
    record = run.known_record()
    if not record or record.plan is None:
        raise NotFoundError(
            f"`config` {path} is not the folder of a finished run",
            hint="`charrnn runs` lists all runs",
        )
    marks = tuple(record.plan)  # () for an n-gram model
    training = {k: v for k, v in record.training.items() if k not in BUDGETS}
    steps = {"steps": marks[-1]["total"]} if marks else {}
    options = FAMILIES[record.family].options
    sizes = {k: v for k, v in record.model.items() if k in options}
    recorded = record.split | sizes | training | steps
    recorded |= {"family": record.family, "init_from": record.init_from}
    recorded["task"] = record.task
    recorded["valid"] = tuple(record.corpus.valid)
    kept = {k: v for k, v in recorded.items() if v not in (None, "", ())}
    tokenizer = record.source_tokenizer or record.tokenizer
    return ConfigFile({}, kept, marks, tokenizer, record.init_sha256)
