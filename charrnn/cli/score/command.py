"""`charrnn score`: how likely texts are."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from math import inf, isnan, log
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from charrnn.cli import arguments as options
from charrnn.cli import console, mixtures
from charrnn.cli import loading as inputs
from charrnn.cli.score import output as score_output
from charrnn.errors import UsageError

if TYPE_CHECKING:
    from charrnn.cli.score.output import Scored
    from charrnn.inference.text_model import TextModel

PER: Final = ("text", "token", "word", "total")
UNITS: Final = ("bits", "nats", "log10")
TEXTS_AT_ONCE: Final = 512


def score(
    texts: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="TEXT",
            help="Each is one text; - reads stdin, one text a line. Without any, and "
            "without --file, stdin is read.",
            show_default=False,
        ),
    ] = None,
    file: Annotated[
        list[str] | None,
        typer.Option(
            "--file",
            "-f",
            metavar="FILE",
            help="Read one text a line; - is stdin; may be given several times. An "
            "empty line is an empty text, so that line n of the output is line n.",
            show_default=False,
        ),
    ] = None,
    whole: Annotated[
        bool,
        typer.Option("--whole", help="Take each file as one text, newlines included."),
    ] = False,
    model: options.Model = None,
    mix: Annotated[
        list[str] | None,
        typer.Option(
            "--mix",
            metavar="MODEL=WEIGHT",
            help="Mix in what another model says, with a weight in (0, 1); may be "
            "given several times. The model of -m has the rest.",
            show_default=False,
        ),
    ] = None,
    per: Annotated[
        str,
        typer.Option(
            "--per",
            parser=options.one_of("--per", *PER),
            metavar="|".join(PER),
            help="What to give numbers for; total is one sum over all texts.",
        ),
    ] = "text",
    unit: Annotated[
        str,
        typer.Option(
            "--unit",
            parser=options.one_of("--unit", *UNITS),
            metavar="|".join(UNITS),
            help="Surprisal in bits or nats, or log10 of the probability, below 0.",
        ),
    ] = "bits",
    context: Annotated[
        str,
        typer.Option(
            "--context",
            metavar="TEXT",
            help="Text that the model reads first and that is not counted.",
            show_default=False,
        ),
    ] = "",
    end: Annotated[
        bool | None,
        typer.Option(
            "--end/--no-end",
            help="Count the end of each text as one more token.",
            show_default="as the model learned it: yes, if from many documents",
        ),
    ] = None,
    top: Annotated[
        int,
        typer.Option(
            "--top",
            min=0,
            metavar="INT",
            help="Likeliest tokens to show at each place, with --per token.",
        ),
    ] = 0,
    plain: Annotated[
        bool,
        typer.Option(
            "--plain", help="Write one number a line, for rescoring n-best lists."
        ),
    ] = False,
    sort: Annotated[
        bool,
        typer.Option("--sort", help="Likeliest text first, by bits per character."),
    ] = False,
    heat: Annotated[
        bool,
        typer.Option(
            "--heat", help="Colour each token, or word, by its surprisal (terminal)."
        ),
    ] = False,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Say how likely texts are.

    \b
        charrnn score "The cat sat." "The cat sit."
        charrnn score -f candidates.txt --plain
        charrnn score "The cat sat." --per word

    Columns: surprisal of the text (the lower the likelier), the same per character,
    perplexity per token, tokens, tokens unknown to the model. Sums and per-character
    figures can be compared between models, perplexity per token only between those
    that cut text alike. A missing final newline changes nothing.
    """
    per = _granularity(per, top=top, heat=heat, plain=plain, sort=sort)
    given = _inputs(texts or [], file or [])
    loaded = inputs.load_model(model)
    if mix:
        loaded = _mixed(loaded, mix)
    ends = loaded.learned_end if end is None else end
    counted = "its end counted" if ends else "its end not counted"
    console.say(f"model {loaded.name}, each text with {counted}", quiet=quiet)
    found = _texts(given, whole=whole, raw=loaded.tokenizer.level == "byte")
    reading = _Reading(loaded, per, context, ends, top)
    scored = reading.scored(found)
    if sort:
        scored = iter(sorted(scored, key=_likeliest))
    format_ = score_output.Format(loaded.name, per, unit, quiet)
    if as_json:
        score_output.write_json(scored, format_)
    elif plain:
        score_output.write_plain(scored, format_)
    elif heat and console.has_colour(console.stdout()):
        score_output.write_heat(scored, format_)
    else:
        score_output.write_table(scored, format_)


def _mixed(model: "TextModel", given: list[str]) -> "TextModel":
    """Return a model with others mixed in, each given as MODEL=WEIGHT."""
    pairs = [mixtures.parse_member(one) for one in given]
    rest = 1 - sum(weight for _, weight in pairs)
    if rest <= 0:
        raise UsageError(
            f"the weights of --mix have the sum {1 - rest:g}: {model.name} has no part",
            hint="give less than 1 in all",
        )
    others = [inputs.load_model(path) for path, _ in pairs]
    weights = [rest, *(weight for _, weight in pairs)]
    return mixtures.mixture([model, *others], weights)


@dataclass(frozen=True)
class _Reading:
    """How texts are read: by which model, after what, and how closely."""

    model: "TextModel"
    per: str
    context: str
    end: bool
    top: int

    def scored(self, texts: Iterable[str]) -> Iterator["Scored"]:
        """Yield each text with its score, and with items if they are wanted."""
        if self.per in ("token", "word"):
            yield from map(self._closely, texts)
            return
        texts = iter(texts)
        while group := list(islice(texts, TEXTS_AT_ONCE)):
            scores = self.model.score_all(group, context=self.context, end=self.end)
            for text, total in zip(group, scores, strict=True):
                yield score_output.Scored(text, total)

    def _closely(self, text: str) -> "Scored":
        from charrnn.cli.score.items import token_items, word_items
        from charrnn.inference.score import Score
        from charrnn.text.size import text_size

        scores = list(
            self.model.score_tokens(
                text, context=self.context, end=self.end, top=self.top
            )
        )
        items = tuple(token_items(self.model, text, scores))
        unknown = sum(s.token == self.model.tokenizer.unknown for s in scores)
        nats = sum(item.bits for item in items) * log(2)
        total = Score(nats, len(scores), *text_size(text), unknown)
        if self.per == "word":
            items = tuple(word_items(text, items))
        return score_output.Scored(text, total, items)


def _granularity(per: str, *, top: int, heat: bool, plain: bool, sort: bool) -> str:
    """Return what gets numbers; --top and --heat alone mean tokens."""
    if plain and sort:
        raise UsageError(
            "--plain writes numbers in the order of the texts; --sort changes it",
            hint="leave one of them out",
        )
    flag = "--top" if top else "--heat" if heat else ""
    if per == "total" and flag:
        raise UsageError(
            f"{flag} shows parts of a text, --per total a sum of texts",
            hint="use --per token or --per word",
        )
    return "token" if flag and per == "text" else per


def _inputs(texts: list[str], files: list[str]) -> list[tuple[str, bool]]:
    """Return texts and files in order, and whether each is a file."""
    found = [(text, text == "-") for text in texts] + [(file, True) for file in files]
    if not found:
        inputs.needs_stdin('charrnn score "The cat sat."')
        return [("-", True)]
    return found


def _texts(given: list[tuple[str, bool]], *, whole: bool, raw: bool) -> Iterator[str]:
    for source, is_file in given:
        if not is_file:
            yield source
        elif whole:
            text = inputs.read_text(source, raw=raw)
            yield text[:-2] if text.endswith("\r\n") else text.removesuffix("\n")
        else:
            for line, _ in inputs.read_lines([source], raw=raw):
                yield line.removesuffix("\r")


def _likeliest(scored: "Scored") -> Any:
    bits = scored.score.bits_per_char
    return inf if isnan(bits) else bits
