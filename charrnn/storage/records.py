"""Types for the contents of run.json and for the summary in a model file.

Unknown keys are ignored, and most missing keys have defaults, so that files from other
versions can be loaded.
"""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

Json = dict[str, Any]


class Record:
    """A dataclass that can be converted to and from JSON values."""

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """Build a record. Raises TypeError if a required key is missing."""
        names = {one.name for one in dataclasses.fields(cls)}  # type: ignore[arg-type]
        return cls(**{name: values[name] for name in names & set(values)})

    def to_json(self) -> Json:
        """Return the fields as JSON values, without optional fields that are unset."""
        values: Json = {}
        for one in dataclasses.fields(self):  # type: ignore[arg-type]
            value = getattr(self, one.name)
            if "unset" in one.metadata and value == one.metadata["unset"]:
                continue
            values[one.name] = value.to_json() if isinstance(value, Record) else value
        return values


def _optional(default: Any) -> Any:
    """Return a field that is written only if it differs from its default."""
    return field(default_factory=lambda: default, metadata={"unset": default})


@dataclass(frozen=True)
class CorpusRecord(Record):
    """A corpus: its files, its size, and how it is split into documents.

    leaked: the number of validation documents that also appear in the training part.
    layout: format, columns and header of labelled data.
    """

    files: list[str]
    valid: list[str] = field(default_factory=list)
    bytes: int = 0
    characters: int = 0
    words: int = 0
    documents: int = 0
    sha256: str = ""
    documents_in: str = "file"
    leaked: int = 0
    layout: Json | None = _optional(None)


@dataclass(frozen=True)
class RunRecord(Record):
    """A run: its settings and, once it is finished, its plan and result.

    identity: a hash of everything that distinguishes this run from others. tokenizer,
    source_tokenizer, model, training, split: configs as JSON. follows: the schedule
    that the run repeats. best: the validation of the best model. plan: the marks of the
    schedule. ngram: the best n-gram model of the same text, or None if the text was too
    large to count.
    """

    identity: str
    stem: str
    corpus: CorpusRecord
    tokenizer: Json
    family: str
    model: Json
    training: Json
    reasons: list[str]
    init_from: str
    split: Json
    charrnn: str = ""
    created: str = ""
    init_sha256: str = ""
    follows: list[Json] = field(default_factory=list)
    task: str = _optional("language")
    source_tokenizer: Json | None = _optional(None)
    preview: list[str] = _optional([])
    best: Json | None = _optional(None)
    plan: list[Json] | None = _optional(None)
    ngram: Json | None = _optional({})

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """Build a record from run.json. Raises TypeError or KeyError."""
        corpus = CorpusRecord.from_json(values["corpus"])
        return super().from_json({**values, "corpus": corpus})

    @property
    def is_finished(self) -> bool:
        """Whether the run has completed its plan."""
        return self.best is not None


@dataclass(frozen=True)
class ModelSummary(Record):
    """How a model was trained.

    validation: the metrics of the model at `step`. learned_end: whether the ends of
    documents were targets. members: the models of a mixture, with their weights.
    """

    step: int | None = _optional(None)
    elapsed_s: float | None = _optional(None)
    validation: Json | None = _optional(None)
    learned_end: bool | None = _optional(None)
    corpus: CorpusRecord | None = _optional(None)
    epoch: float | None = _optional(None)
    task: str = _optional("language")
    members: list[Json] | None = _optional(None)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """Build a summary from a model file. Raises TypeError or ValueError."""
        corpus = dict(values).get("corpus")  # {} if the corpus is unknown
        known = CorpusRecord.from_json(corpus) if corpus else None
        return super().from_json({**values, "corpus": known})
