"""The options of `charrnn score`."""

from dataclasses import dataclass

from charrnn.cli.arguments import option
from charrnn.errors import UsageError
from charrnn.fields import CORPUS, OUTPUT, check


@dataclass(frozen=True)
class ScoreConfig:
    """The texts to score, and the form of the output."""

    file: tuple[str, ...] = option(
        (),
        flags=("--file", "-f"),
        metavar="FILE",
        help="Read one text per line, or labelled data; - is stdin; repeatable. Empty "
        "lines are scored too, so output line n belongs to input line n.",
    )
    whole: bool = option(False, help="Score each file as one text, newlines included.")
    mix: tuple[str, ...] = option(
        (),
        metavar="MODEL=WEIGHT",
        help="Mix in another model with a weight in (0, 1); repeatable. The -m model "
        "has the remaining weight.",
    )
    columns: str = option(
        "",
        metavar="INPUT,OUTPUT",
        group=CORPUS,
        help="Columns of labelled data, as in train.",
    )
    context: str = option(
        "",
        has_empty=True,
        help="Score each text as if it followed this one, which is not scored.",
    )
    end: bool | None = option(
        None,
        off="--no-end",
        shown="if the model was trained on many documents",
        help="Score the end of each text as one more token.",
    )
    per: str = option(
        "text",
        group=OUTPUT,
        choices=("text", "token", "word", "total"),
        help="Print a score per text, token or word, or one total for all texts.",
    )
    unit: str = option(
        "bits",
        group=OUTPUT,
        choices=("bits", "nats", "log10"),
        help="Print surprisal in bits or nats, or the log10 of the probability.",
    )
    top: int = option(
        0,
        group=OUTPUT,
        at_least=0,
        help="Show the N most likely tokens at each position; 0 shows none.",
    )
    plain: bool = option(
        False,
        group=OUTPUT,
        help="Print one number per line, for rescoring n-best lists.",
    )
    sort: bool = option(
        False,
        group=OUTPUT,
        help="Sort texts by likelihood per character, or labelled data by likelihood, "
        "highest first.",
    )
    heat: bool = option(
        False,
        group=OUTPUT,
        help="Colour each token or word by surprisal (terminal only).",
    )

    def __post_init__(self) -> None:
        check(self)
        if self.plain and self.sort:
            raise UsageError(
                "--plain writes numbers in input order, but --sort changes the order",
                hint="omit one of them",
            )
        if self.per == "total" and (self.top or self.heat):
            raise UsageError(
                f"{'--top' if self.top else '--heat'} shows parts of a text, but --per "
                "total adds up whole texts",
                hint="use --per token or --per word",
            )

    @property
    def granularity(self) -> str:
        """The unit to score; with --top or --heat, the default is tokens."""
        shows_parts = self.per == "text" and (self.top or self.heat)
        return "token" if shows_parts else self.per
