"""The options of `charrnn train`, in the order in which its help shows them."""

from typing import Annotated, Any

import typer

from charrnn.cli.arguments import one_of
from charrnn.models import CELLS
from charrnn.models.families import trained_families
from charrnn.models.ngram.config import MOST_ORDER, SMOOTHINGS
from charrnn.training.config import PRECISIONS, SCHEDULES

CHOICES = ("auto", *PRECISIONS)


def _option(*names: str, help: str, **extra: Any) -> Any:
    return typer.Option(*names, help=help, show_default=False, **extra)


Corpus = Annotated[
    list[str],
    typer.Argument(
        metavar="CORPUS...",
        help="Text files (also .gz, .bz2, .xz), folders of them, or - for stdin.",
    ),
]
Out = Annotated[
    str,
    _option("-o", "--out", metavar="DIR", help="Run folder; else runs/<name>-NNN."),
]
Time = Annotated[
    str | None,
    _option("--time", metavar="SPAN", help="Train this long: 90s, 5m, 1h30m. [5m]"),
]
Epochs = Annotated[
    float | None,
    _option("--epochs", metavar="FLOAT", help="Read the training part so often."),
]
Steps = Annotated[
    int | None, _option("--steps", metavar="INT", help="Take so many steps.")
]
Model = Annotated[
    str | None,
    _option(
        "--model",
        parser=one_of("--model", trained_families()),
        metavar="|".join(trained_families()),
        help="What learns: a recurrent network, one that sees the last few tokens, or "
        "counts of n-grams. [recurrent]",
    ),
]
Cell = Annotated[
    str | None,
    _option(
        "--cell",
        parser=one_of("--cell", tuple(CELLS)),
        metavar="NAME",
        help=f"{', '.join(CELLS)}. [lstm]",
    ),
]
Layers = Annotated[
    int | None, _option("--layers", metavar="INT", help="Stacked layers. [1]")
]
Hidden = Annotated[
    int | None,
    _option("--hidden", metavar="INT", help="Units a layer; by corpus and time."),
]
Embed = Annotated[
    int | None,
    _option("--embed", metavar="INT", help="Embedding size; 0 is one-hot input."),
]
Dropout = Annotated[
    float | None,
    _option(
        "--dropout",
        metavar="FLOAT",
        help="Share of units left out of each window, in [0, 1); more for small "
        "corpora and long training.",
    ),
]
Tie = Annotated[
    bool | None,
    _option("--tie/--no-tie", help="Use the embedding as output matrix too."),
]
Residual = Annotated[
    bool | None,
    _option("--residual/--no-residual", help="Add a layer's input to its output."),
]
Norm = Annotated[
    bool | None, _option("--norm/--no-norm", help="Normalise each layer's output.")
]
LearnedState = Annotated[
    bool | None,
    _option("--learned-state/--zero-state", help="Learn the initial state."),
]
Order = Annotated[
    int | None,
    _option(
        "--order",
        metavar="INT",
        help="Tokens of a window or n-gram, the last one predicted; up to 64, by "
        "default by the corpus.",
    ),
]
Direct = Annotated[
    bool | None,
    _option(
        "--direct/--no-direct", help="Connect a window to the output directly, too."
    ),
]
Smoothing = Annotated[
    str | None,
    _option(
        "--smoothing",
        parser=one_of("--smoothing", SMOOTHINGS),
        metavar="|".join(SMOOTHINGS),
        help="What n-grams never seen get: interpolated modified Kneser-Ney, a "
        "constant count, or nothing. [kneser-ney]",
    ),
]
K = Annotated[
    float | None,
    _option(
        "--k", metavar="FLOAT", help="The count that addk adds, 1e-30 to 1e30. [1]"
    ),
]
WithNgram = Annotated[
    bool | None,
    _option(
        "--with-ngram",
        help="Mix in an n-gram model, in the same model file; a piece of the training "
        "part finds how much it says.",
    ),
]
NgramOrder = Annotated[
    int | None,
    _option(
        "--ngram-order",
        min=1,
        max=MOST_ORDER,
        metavar="INT",
        help="Tokens of its n-grams, the predicted one too; by that piece, up to 8.",
    ),
]
Documents = Annotated[
    str,
    typer.Option(
        "--documents",
        metavar="file|line|blank|TEXT",
        help="What a document is: a file, a line, what blank lines part, or what "
        "TEXT parts. The model learns where documents end.",
    ),
]
Valid = Annotated[
    list[str] | None,
    _option("--valid", metavar="FILE", help="Validate on this text instead."),
]
ValidFrac = Annotated[
    float | None,
    _option(
        "--valid-frac",
        metavar="FLOAT",
        help="Share of the text held out to validate, in (0, 1): the end of it, "
        "or of many documents some. [0.1, but at most 500,000 characters]",
    ),
]
Lr = Annotated[
    float | None, _option("--lr", metavar="FLOAT", help="Peak learning rate.")
]
Schedule = Annotated[
    str | None,
    _option(
        "--schedule",
        parser=one_of("--schedule", SCHEDULES),
        metavar="|".join(SCHEDULES),
        help="How the rate falls over the run. [linear]",
    ),
]
Batch = Annotated[
    int | None,
    _option("--batch", metavar="INT", help="Streams read side by side. [32]"),
]
Bptt = Annotated[
    int | None,
    _option(
        "--bptt",
        max=1_000_000,
        metavar="INT",
        help="Tokens read at a time, through which gradients go back. [128]",
    ),
]
Clip = Annotated[
    float | None,
    _option("--clip", metavar="FLOAT", help="Largest gradient norm. [1]"),
]
WeightDecay = Annotated[
    float | None,
    _option("--weight-decay", metavar="FLOAT", help="AdamW's decay of matrices."),
]
Patience = Annotated[
    int | None,
    _option(
        "--patience",
        metavar="INT",
        help="Stop after so many validations without a better one; 0 never. [0]",
    ),
]
Seed = Annotated[
    int,
    typer.Option(
        "--seed", min=0, max=2**32 - 1, metavar="INT", help="Random seed, 0 or more."
    ),
]
Device = Annotated[
    str | None,
    _option("--device", metavar="NAME", help="auto, cpu or cuda. [auto]"),
]
Precision = Annotated[
    str | None,
    _option(
        "--precision",
        parser=one_of("--precision", CHOICES),
        metavar="|".join(CHOICES),
        help="Number format of the products. [auto]",
    ),
]
Threads = Annotated[
    int | None,
    _option("--threads", min=1, metavar="INT", help="CPU threads. [all cores]"),
]
SaveEvery = Annotated[
    str | None,
    _option("--save-every", metavar="SPAN", help="Time between saves. [60s]"),
]
InitFrom = Annotated[
    str,
    _option("--init-from", metavar="MODEL", help="Start from a model's weights."),
]
Plan = Annotated[
    str,
    _option(
        "--plan",
        metavar="RUN",
        help="Repeat a finished run: its options, and step for step its schedule.",
    ),
]
New = Annotated[bool, typer.Option("--new", help="Start afresh; don't continue a run.")]
Force = Annotated[
    bool,
    typer.Option("--force", help="Train though the memory seems to be too small."),
]
Config = Annotated[
    str | None,
    _option("--config", metavar="FILE.toml", help="Options from a file."),
]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Say what would be trained, and stop.")
]
