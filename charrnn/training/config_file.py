"""What `config` names: a TOML file of options, or a finished run to repeat.

A time budget becomes a number of steps while a run trains, by the speed of the machine.
The marks of its schedule are kept in run.json. A run that follows them takes the same
steps at the same rates, however long they take, and ends with the same weights where
products are rounded alike (same torch, processor type, precision and threads).
"""

import os
import tomllib
from collections.abc import Mapping, Set
from dataclasses import dataclass, field, replace
from typing import Any, Self

from charrnn.errors import NotFoundError, TextError
from charrnn.fields import options_of
from charrnn.storage.runs import find_run
from charrnn.tokenizers.config import TokenizerConfig
from charrnn.training.config import BUDGETS


@dataclass(frozen=True)
class ConfigFile:
    """What was read.

    table: options of a TOML file, by name. recorded: what a run recorded, by field;
    marks: those of its schedule; tokenizer: its own, as JSON, None without a run;
    start_sha256: the hash of the model file it started from, "" without one.
    """

    table: Mapping[str, Any] = field(default_factory=dict)
    recorded: Mapping[str, Any] = field(default_factory=dict)
    marks: tuple[Mapping[str, Any], ...] = ()
    tokenizer: Mapping[str, Any] | None = None
    start_sha256: str = ""

    def without(self, names: Set[str]) -> Self:
        """Return what is left of a recorded run when these options are given too."""
        kept = self
        if names & set(BUDGETS):
            recorded = {k: v for k, v in self.recorded.items() if k not in BUDGETS}
            kept = replace(kept, recorded=recorded, marks=())
        if names & {"tokenizer", *(one.field for one in options_of(TokenizerConfig))}:
            kept = replace(kept, tokenizer=None)
        return kept


def read_config(path: str) -> ConfigFile:
    """Read what `config` names. Raises NotFoundError, TextError, ModelFileError."""
    if not path:
        return ConfigFile()
    if os.path.isfile(path) or path.endswith(".toml"):
        return ConfigFile(table=_read_toml(path))
    return _read_run(path)


def _read_toml(path: str) -> dict[str, Any]:
    """Return the options of a TOML file; names may be written with dashes."""
    try:
        with open(path, "rb") as file:
            values = tomllib.load(file)
    except OSError as error:
        raise NotFoundError(f"`config` {path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise TextError(f"`config` {path} is not TOML: {error}") from error
    return {name.replace("-", "_"): value for name, value in values.items()}


def _read_run(path: str) -> ConfigFile:
    run = find_run(path)
    record = run.known_record()
    if not record or record.plan is None:
        raise NotFoundError(
            f"`config` {path} is not the folder of a finished run",
            hint="charrnn runs lists them",
        )
    marks = tuple(record.plan)  # () for a model that counts
    training = {k: v for k, v in record.training.items() if k not in BUDGETS}
    steps = {"steps": marks[-1]["total"]} if marks else {}
    sizes = {k: v for k, v in record.model.items() if k != "vocab_size"}
    recorded = record.split | sizes | training | steps
    recorded |= {"family": record.family, "init_from": record.init_from}
    kept = {k: v for k, v in recorded.items() if v not in (None, "")}
    return ConfigFile({}, kept, marks, record.tokenizer, record.init_sha256)
