"""How text is cut into documents and split."""

from dataclasses import dataclass
from typing import Final

from charrnn.errors import UsageError
from charrnn.fields import at_least

DOCUMENT_MODES: Final = ("file", "line", "blank")


@dataclass(frozen=True)
class CorpusConfig:
    """How text is cut into documents and which of them validate.

    documents: "file", "line", "blank" (a blank line ends one), or a separator.
    valid_frac: share that validates; None is a tenth, but of a large corpus less.
    """

    documents: str = "file"
    valid_frac: float | None = None
    seed: int = 1

    def __post_init__(self) -> None:
        if not self.documents:
            raise UsageError("--documents is empty", hint="file, line, blank or a text")
        meant = self.documents.lower().removesuffix("s")
        if meant in DOCUMENT_MODES and self.documents != meant:
            raise UsageError(
                f"--documents is {self.documents!r}", hint=f"did you mean {meant}?"
            )
        if self.valid_frac is not None and not 0 < self.valid_frac < 1:
            raise UsageError(f"--valid-frac is {self.valid_frac}, not between 0 and 1")
        at_least("--seed", self.seed, 0)
