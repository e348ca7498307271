"""How text is cut into documents, and which of them are held out for validation."""

from dataclasses import dataclass
from typing import Final

from charrnn.errors import UsageError
from charrnn.fields import CORPUS, check, option

DOCUMENT_MODES: Final = ("file", "line", "blank")


@dataclass(frozen=True)
class CorpusConfig:
    """How text is cut into documents, and which are held out for validation.

    documents: "file", "line", "blank" (documents end at blank lines), or a separator.
    valid_frac: None means a tenth, or less for a large corpus.
    """

    documents: str = option(
        "file",
        metavar="file|line|blank|TEXT",
        group=CORPUS,
        help="Where documents end: at the end of each file or line, at blank lines, or "
        "at TEXT. With many documents, the model learns to end a text.",
    )
    valid_frac: float | None = option(
        None,
        above=0,
        below=1,
        group=CORPUS,
        shown="0.1, at most 500,000 characters",
        help="Fraction of the text held out for validation, in (0, 1): some of the "
        "documents or, if there are few, the end of the text.",
    )
    columns: str = option(
        "",
        metavar="INPUT,OUTPUT",
        group=CORPUS,
        help="Columns of labelled data, by name or number; + joins several inputs, as "
        "in 1+3,2.",
    )
    seed: int = 1

    def __post_init__(self) -> None:
        check(self)
        if not self.documents:
            raise UsageError(
                "`documents` is empty", hint="choose file, line, blank or a separator"
            )
        meant = self.documents.lower().removesuffix("s")
        if meant in DOCUMENT_MODES and self.documents != meant:
            raise UsageError(
                f"`documents` is {self.documents!r}", hint=f"did you mean {meant}?"
            )
