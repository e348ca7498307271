"""Draw a bar chart of compared models, with the best at the top."""

from collections.abc import Sequence
from importlib.util import find_spec
from io import BytesIO
from math import isfinite, log2
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from charrnn.errors import ResourceError, UsageError

if TYPE_CHECKING:
    from charrnn.inference.comparing import Compared
    from charrnn.models.base import LanguageModel

FORMATS: Final = (".png", ".svg")
MIXTURE: Final = "#d1603d"
NETWORK: Final = "#2f6f9f"
LIGHTEST: Final = 220  #: the grey level of a unigram model
DARKER: Final = 32  #: how much darker a bar gets with each doubling of n
INK: Final = "#202124"
FAINT: Final = "#dadce0"
MARGIN: Final = 1.18  #: axis length relative to the longest bar, with room for labels


def check(path: str) -> None:
    """Raise UsageError for an unknown format, or ResourceError without matplotlib."""
    if Path(path).suffix.lower() not in FORMATS:
        raise UsageError(
            f"`plot` is {path}", hint="use the name of a .png or .svg file"
        )
    if find_spec("matplotlib") is None:
        raise ResourceError(
            "`plot` needs matplotlib, which is not installed",
            hint="pip install matplotlib",
        )


def draw(
    found: Sequence["Compared"], names: Sequence[str], path: Path, title: str
) -> None:
    """Draw a bar for the bits per character of each model, and its interval.

    The interval is that of the difference to the best model. A model with an infinite
    score has no bar. A pale bar marks a model with too many unknown tokens for a fair
    comparison.
    """
    import matplotlib
    from matplotlib.figure import Figure

    from charrnn.storage import files

    figure = Figure(figsize=(8, 1.3 + 0.34 * len(found)), layout="constrained")
    axes = figure.add_subplot()
    best = next(one for one in found if one.is_best).reading.score.bits_per_char
    widths = [_draw_row(axes, row, one, best) for row, one in enumerate(found)]
    axes.set_yticks(range(len(found)), names)
    axes.set_xlim(0, MARGIN * max(*widths, 0.1))
    axes.set_ylim(len(found) - 0.4, -0.6)
    axes.set_xlabel("bits per character", color=INK)
    axes.set_title(title, loc="left", fontsize=10, color=INK)
    axes.grid(axis="x", color=FAINT, lw=0.8)
    axes.set_axisbelow(True)
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0, labelcolor=INK)
    image = BytesIO()
    kind = path.suffix.lower().removeprefix(".")
    undated = {"Date": None} if kind == "svg" else {}
    with matplotlib.rc_context({"svg.hashsalt": "charrnn"}):  # reproducible file
        figure.savefig(image, format=kind, dpi=160, metadata=undated)
    files.write(path, image.getvalue())


def _draw_row(axes: Any, row: int, one: "Compared", best: float) -> float:
    """Draw the bar, interval and label of one model; return the width of the bar.

    best: bits per character of the best model.
    """
    bits = one.reading.score.bits_per_char
    width = bits if isfinite(bits) else 0.0
    colour, alpha = _colour(one.reading.model.model), 1 if one.is_fair else 0.4
    axes.barh(row, width, height=0.72, color=colour, alpha=alpha)
    low, high = (best + end for end in one.interval)
    if isfinite(low):
        axes.plot([low, high], [row, row], color=INK, lw=1.4, solid_capstyle="butt")
        axes.plot([low, high], [row, row], "|", color=INK, ms=6, mew=1.4)
    axes.annotate(
        _label(one),
        (max(width, high if isfinite(high) else 0.0), row),
        (6, 0),
        textcoords="offset points",
        va="center",
        color=INK,
        fontsize=9,
        fontweight="bold" if one.is_best else "normal",
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 1},
    )
    return width


def _colour(model: "LanguageModel") -> str:
    """Return a model's colour: for n-gram models a grey that is darker for larger n."""
    if model.family == "ngram":
        grey = round(LIGHTEST - DARKER * min(5, log2(model.config_json()["order"])))
        return f"#{grey:02x}{grey:02x}{grey:02x}"
    return MIXTURE if model.family == "mixture" else NETWORK


def _label(one: "Compared") -> str:
    bits = f"{one.reading.score.bits_per_char:.3f}"
    if one.is_best:
        return f"{bits}  best"
    return f"{bits}  {one.difference:+.3f}" if isfinite(one.difference) else bits
