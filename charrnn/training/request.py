"""What a user asks training for, sorted by what it is about."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Final, Self

from charrnn.config import (
    CorpusConfig,
    RecurrentConfig,
    TokenizerConfig,
    TrainConfig,
    to_json,
)
from charrnn.runs import Run
from charrnn.store import Survey
from charrnn.tokenizers import Tokenizer
from charrnn.training.defaults import BUDGETS

#: what may differ when the same is asked again, besides the budget
ADJUSTABLE: Final = ("patience", "save_every_s", "threads")


@dataclass(frozen=True)
class Request:
    """What a user asked for.

    tokenizer, model, training: fields of TokenizerConfig, RecurrentConfig and
    TrainConfig, only those that were given. plan: a run whose plan is to be followed;
    marks: those of its schedule, as JSON values.
    """

    paths: tuple[str, ...]
    valid: tuple[str, ...] = ()
    out: str = ""
    new: bool = False
    init_from: str = ""
    plan: str = ""
    marks: tuple[Mapping[str, Any], ...] = ()
    tokenizer: Mapping[str, Any] = field(default_factory=dict)
    tokenizer_file: str = ""
    corpus: CorpusConfig = field(default_factory=CorpusConfig)
    model: Mapping[str, Any] = field(default_factory=dict)
    training: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, paths: Iterable[str], **options: Any) -> Self:
        """Sort options by what they are about.

        options: fields of the configs, and `valid`, `out`, `new`, `init_from`, `plan`
        and `tokenizer` (a file). Raises UsageError for a wrong value, ValueError for a
        name that is none.
        """
        plain = {"valid", "out", "new", "init_from", "plan", "tokenizer"}
        kinds = (TokenizerConfig, CorpusConfig, RecurrentConfig, TrainConfig)
        names = {kind: {f.name for f in fields(kind)} & set(options) for kind in kinds}
        # the tokenizer is asked for a size of the vocabulary, and the network has it
        names[RecurrentConfig] -= {"vocab_size"}
        if unknown := sorted(set(options) - plain - set().union(*names.values())):
            raise ValueError(f"training has no option {', '.join(unknown)}")
        of = {kind: {name: options[name] for name in names[kind]} for kind in kinds}
        # a wrong value is said now, not when the corpus has been read
        TokenizerConfig(**of[TokenizerConfig])
        RecurrentConfig(vocab_size=1, **of[RecurrentConfig])
        TrainConfig(**{k: v for k, v in of[TrainConfig].items() if v != "auto"})
        return cls(
            paths=tuple(paths),
            valid=tuple(options.get("valid") or ()),
            out=options.get("out") or "",
            new=options.get("new", False),
            init_from=options.get("init_from") or "",
            plan=options.get("plan") or "",
            tokenizer_file=options.get("tokenizer") or "",
            tokenizer=of[TokenizerConfig],
            corpus=CorpusConfig(**of[CorpusConfig]),
            model=of[RecurrentConfig],
            training=of[TrainConfig],
        )

    @property
    def stem(self) -> str:
        """The name that a run folder begins with: that of the first file."""
        if self.paths[0] == "-":
            return "stdin"
        return Path(self.paths[0]).resolve().name.split(".")[0] or "run"

    @property
    def starting_file(self) -> Path:
        """The model file meant by `init_from`, which may name a run folder."""
        path = Path(self.init_from)
        return Run(path).model if path.is_dir() else path

    def identity(self, survey: Survey, tokenizer: Tokenizer | None) -> str:
        """Return a hash of what makes a run this one and no other.

        tokenizer: the one that was given in a file, or comes with `init_from`.
        """
        free = (*BUDGETS, *ADJUSTABLE)
        given = {k: v for k, v in self.training.items() if k not in free}
        start = self.starting_file.read_bytes() if self.init_from else b""
        parts = [
            survey.sha256,
            to_json(TokenizerConfig(**self.tokenizer)),
            to_json(self.corpus),
            tokenizer.to_json() if tokenizer else None,
            hashlib.sha256(start).hexdigest(),
            dict(self.model),
            {"seed": TrainConfig.seed} | given,  # typed or not, the same run
            [dict(mark) for mark in self.marks],
        ]
        text = json.dumps(parts, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()
