"""`charrnn score`: report how likely texts are."""

import sys
from collections.abc import Iterator
from functools import partial
from itertools import islice
from math import inf, isnan, log
from typing import TYPE_CHECKING, Annotated, Final

import typer

from charrnn.cli import arguments, console, loading, mixtures
from charrnn.cli.score import output
from charrnn.cli.score.items import token_items, word_items
from charrnn.errors import UsageError
from charrnn.inference.score import Score

if TYPE_CHECKING:
    from charrnn.inference.text_model import TextModel

PER: Final = ("text", "token", "word", "total")
UNITS: Final = ("bits", "nats", "log10")
BATCH_TEXTS: Final = 512


def score(
    texts: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="TEXT",
            help="Each TEXT is scored on its own; - reads stdin, one text per line. "
            "Without TEXT and --file, stdin is read.",
        ),
    ] = None,
    file: Annotated[
        list[str] | None,
        typer.Option(
            "--file",
            "-f",
            metavar="FILE",
            help="Read one text per line; - is stdin. Can be repeated. An empty line "
            "is an empty text, so output line n is for input line n.",
        ),
    ] = None,
    whole: Annotated[
        bool,
        typer.Option("--whole", help="Score each file as one text, newlines included."),
    ] = False,
    model: arguments.Model = None,
    mix: Annotated[
        list[str] | None,
        typer.Option(
            metavar="MODEL=WEIGHT",
            help="Mix in another model with this weight, in (0, 1). Can be repeated. "
            "The -m model gets the remaining weight.",
        ),
    ] = None,
    per: Annotated[
        str,
        typer.Option(
            parser=arguments.one_of("--per", *PER),
            metavar="|".join(PER),
            help="Print a score per text, token or word, or one total for all texts.",
        ),
    ] = "text",
    unit: Annotated[
        str,
        typer.Option(
            parser=arguments.one_of("--unit", *UNITS),
            metavar="|".join(UNITS),
            help="Surprisal in bits or nats, or log10 of the probability (negative).",
        ),
    ] = "bits",
    context: Annotated[
        str,
        typer.Option(
            metavar="TEXT",
            help="Condition each score on this preceding text, which is not scored.",
        ),
    ] = "",
    end: Annotated[
        bool | None,
        typer.Option(
            "--end/--no-end",
            help="Count the end of each text as one more token.",
            show_default="--end if the model was trained on many documents",
        ),
    ] = None,
    top: Annotated[
        int,
        typer.Option(
            min=0,
            metavar="INT",
            help="Show the N likeliest tokens at each position; 0 shows none.",
        ),
    ] = 0,
    plain: Annotated[
        bool,
        typer.Option(
            "--plain", help="Print one number per line, to rescore n-best lists."
        ),
    ] = False,
    sort: Annotated[
        bool,
        typer.Option("--sort", help="Print the likeliest text per character first."),
    ] = False,
    heat: Annotated[
        bool,
        typer.Option(
            "--heat", help="Colour each token or word by surprisal (terminal only)."
        ),
    ] = False,
    as_json: arguments.Json = False,
    quiet: arguments.Quiet = False,
) -> None:
    """Report how likely texts are.

    \b
        charrnn score "The cat sat." "The cat sit."
        charrnn score -f candidates.txt --plain
        charrnn score "The cat sat." --per word

    Each row has the surprisal of the text (lower is likelier), its surprisal per
    character, its perplexity per token, and its numbers of tokens and unknown tokens.
    Compare models by surprisal; compare perplexities only between models that split
    text into the same tokens. A final newline is ignored.
    """
    per = _granularity(per, top=top, heat=heat, plain=plain, sort=sort)
    sources = [(text, text == "-") for text in texts or []]
    sources += [(path, True) for path in file or []]
    if not sources:
        loading.needs_stdin('charrnn score "The cat sat."')
        sources = [("-", True)]
    loaded = loading.load_model(model)
    if mix:
        loaded = _mixed(loaded, mix)
    end = loaded.learned_end if end is None else end
    counted = "counted" if end else "not counted"
    console.say(f"model {loaded.name}, the end of each text {counted}", quiet=quiet)
    found = _texts(sources, whole=whole, raw=loaded.tokenizer.level == "byte")
    if per in ("token", "word"):
        scored: Iterator[output.Scored] = map(
            partial(_with_items, loaded, per, context, end, top), found
        )
    else:
        scored = _in_batches(loaded, found, context=context, end=end)
    if sort:
        scored = iter(sorted(scored, key=_bits_per_char))
    form = output.Format(loaded.name, per, unit, quiet)
    if as_json:
        output.write_json(scored, form)
    elif plain:
        output.write_plain(scored, form)
    elif heat and console.has_colour(sys.stdout):
        output.write_heat(scored, form)
    else:
        output.write_table(scored, form)


def _granularity(per: str, *, top: int, heat: bool, plain: bool, sort: bool) -> str:
    """Return what gets scores; --top and --heat alone mean tokens."""
    if plain and sort:
        raise UsageError(
            "--plain writes numbers in input order, but --sort changes the order",
            hint="leave out one of them",
        )
    flag = "--top" if top else "--heat" if heat else ""
    if per == "total" and flag:
        raise UsageError(
            f"{flag} shows parts of a text, but --per total adds up whole texts",
            hint="use --per token or --per word",
        )
    return "token" if flag and per == "text" else per


def _mixed(model: "TextModel", members: list[str]) -> "TextModel":
    """Return a mixture of a model and others, each given as MODEL=WEIGHT."""
    pairs = [mixtures.parse_member(member) for member in members]
    rest = 1 - sum(weight for _, weight in pairs)
    if rest <= 0:
        raise UsageError(
            f"the --mix weights add up to {1 - rest:g}; nothing is left for "
            f"{model.name}",
            hint="their sum must be less than 1",
        )
    others = [loading.load_model(path) for path, _ in pairs]
    return mixtures.mixture([model, *others], [rest, *(weight for _, weight in pairs)])


def _texts(sources: list[tuple[str, bool]], *, whole: bool, raw: bool) -> Iterator[str]:
    """Yield the texts of (text, False) and (path, True) without final newlines."""
    for source, is_file in sources:
        if not is_file:
            yield source
        elif whole:
            text = loading.read_text(source, raw=raw)
            yield text[:-2] if text.endswith("\r\n") else text.removesuffix("\n")
        else:
            for line, _ in loading.read_lines([source], raw=raw):
                yield line.removesuffix("\r")


def _in_batches(
    model: "TextModel", texts: Iterator[str], *, context: str, end: bool
) -> Iterator[output.Scored]:
    while batch := list(islice(texts, BATCH_TEXTS)):
        yield from map(
            output.Scored, batch, model.score_all(batch, context=context, end=end)
        )


def _with_items(
    model: "TextModel", per: str, context: str, end: bool, top: int, text: str
) -> output.Scored:
    """Return a text with its score and the scores of its tokens or words."""
    from charrnn.text.size import text_size

    scores = list(model.score_tokens(text, context=context, end=end, top=top))
    items = tuple(token_items(model, text, scores))
    unknown = sum(s.token == model.tokenizer.unknown for s in scores)
    nats = sum(item.bits for item in items) * log(2)
    total = Score(nats, len(scores), *text_size(text), unknown)
    if per == "word":
        items = tuple(word_items(text, items))
    return output.Scored(text, total, items)


def _bits_per_char(scored: output.Scored) -> float:
    """Return the sort key: an empty text, whose rate is NaN, sorts last."""
    bits = scored.score.bits_per_char
    return inf if isnan(bits) else bits
