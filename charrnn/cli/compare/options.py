"""The options of `charrnn compare`."""

from dataclasses import dataclass

from charrnn.cli.arguments import option
from charrnn.errors import UsageError
from charrnn.fields import CORPUS, check
from charrnn.reports import ladder_plot


@dataclass(frozen=True)
class CompareOptions:
    """The text that models are compared on, the baselines, and the plot."""

    file: tuple[str, ...] = option(
        (),
        flags=("--file", "-f"),
        metavar="FILE",
        shown="validation text of the first model",
        help="Text that no model was trained on; - is stdin; repeatable.",
    )
    documents: str = option(
        "",
        metavar="file|line|blank|TEXT",
        shown="same as for the first model's corpus",
        help="Where the documents in --file end; same values as in train.",
    )
    columns: str = option(
        "",
        metavar="INPUT,OUTPUT",
        group=CORPUS,
        help="Columns of labelled data in --file, as in train.",
    )
    baselines: bool = option(
        False,
        help="Also compare a uniform model, and n-gram models up to n = 8 trained on "
        "the training text of the first model.",
    )
    plot: str = option(
        "", metavar="FILE.png|.svg", help="Also draw a bar chart; needs matplotlib."
    )

    def __post_init__(self) -> None:
        check(self)
        if self.plot:
            ladder_plot.check(self.plot)
        if self.documents and not self.file:
            raise UsageError(
                "--documents needs --file",
                hint="without --file, documents end as in the first model's corpus",
            )
