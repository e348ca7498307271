"""`charrnn score`: report how likely texts are."""

import sys
from collections.abc import Iterable, Iterator
from itertools import islice
from math import inf, isnan, log
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from charrnn.cli import arguments, console, loading
from charrnn.cli import mix as mixtures
from charrnn.cli.score import labelled, output
from charrnn.cli.score.items import token_items, word_items
from charrnn.cli.score.options import ScoreConfig
from charrnn.errors import UsageError
from charrnn.inference.score import Score

if TYPE_CHECKING:
    from charrnn.inference.text_model import TextModel

BATCH_TEXTS: Final = 512


@arguments.with_options(ScoreConfig)
def score(
    texts: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="TEXT",
            help="Each TEXT is scored separately; - reads stdin, one text per line. "
            "Without TEXT or --file, stdin is read.",
        ),
    ] = None,
    model: arguments.Model = None,
    as_json: arguments.Json = False,
    quiet: arguments.Quiet = False,
    **given: Any,
) -> None:
    """Report how likely texts are.

    \b
        charrnn score "The cat sat." "The cat sit."
        charrnn score -f candidates.txt --plain
        charrnn score "The cat sat." --per word

    Each row shows a text's surprisal (lower is more likely), surprisal per character,
    perplexity per token, number of tokens, and number of unknown tokens.
    To compare models, use surprisal; perplexities are comparable only between models
    that split text into the same tokens. A newline at the end of a text is ignored.
    Classifiers, taggers and translators score labelled data: the output of each
    example, given its input. Files can have any format that train reads; a TEXT is
    an input, a TAB and its output. Metrics of the predictions are printed at the end.
    """
    config = ScoreConfig(**given)
    sources = loading.texts_and_files(
        texts, config.file, 'charrnn score "The cat sat."'
    )
    loaded = loading.load_model(model)
    if loaded.source_tokenizer:
        labelled.score(loaded, sources, config, as_json=as_json, quiet=quiet)
        return
    if config.columns:
        raise UsageError("--columns applies to labelled data, not to plain text")
    if config.mix:
        loaded = _mixed(loaded, config.mix)
    end = loaded.learned_end if config.end is None else config.end
    counted = "counted" if end else "not counted"
    console.log(f"model {loaded.name}, the end of each text {counted}", quiet=quiet)
    found = _texts(sources, whole=config.whole, raw=loaded.tokenizer.level == "byte")
    scored = _scored(loaded, found, config, end=end)
    if config.sort:
        scored = iter(sorted(scored, key=_bits_per_char))
    _write(scored, config, loaded.name, as_json=as_json, quiet=quiet)


def _write(
    scored: Iterable[output.Scored],
    config: ScoreConfig,
    model: str,
    *,
    as_json: bool,
    quiet: bool,
) -> None:
    per, unit = config.granularity, config.unit
    if as_json:
        output.write_json(scored, per, model)
    elif config.plain:
        output.write_plain(scored, per, unit)
    elif config.heat and console.has_colour(sys.stdout):
        output.write_heat(scored, quiet=quiet)
    elif per in output.PARTS:
        output.write_items(scored, per, unit, quiet=quiet)
    else:
        output.write_table(scored, per, unit, quiet=quiet)


def _mixed(model: "TextModel", members: Iterable[str]) -> "TextModel":
    """Return a mixture of a model and others, each given as MODEL=WEIGHT."""
    pairs = [mixtures.parse_member(member) for member in members]
    rest = 1 - sum(weight for _, weight in pairs)
    if rest <= 0:
        raise UsageError(
            f"the --mix weights add up to {1 - rest:g}, which leaves no weight for "
            f"{model.name}",
            hint="their sum must be less than 1",
        )
    others = [loading.load_model(path) for path, _ in pairs]
    return mixtures.mixture([model, *others], [rest, *(weight for _, weight in pairs)])


def _texts(sources: list[tuple[str, bool]], *, whole: bool, raw: bool) -> Iterator[str]:
    """Yield each (text, False) and the texts of each (path, True), without newlines."""
    for source, is_file in sources:
        if not is_file:
            yield source
        elif whole:
            yield loading.read_text(source, raw=raw)
        else:
            for line, _ in loading.read_lines([source], raw=raw):
                yield line.removesuffix("\r")


def _scored(
    model: "TextModel", texts: Iterator[str], config: ScoreConfig, *, end: bool
) -> Iterator[output.Scored]:
    """Yield the texts with their scores and, if requested, those of their parts."""
    if config.granularity in output.PARTS:
        for text in texts:
            yield _with_items(model, text, config, end=end)
        return
    while batch := list(islice(texts, BATCH_TEXTS)):
        scores = model.score_all(batch, context=config.context, end=end)
        yield from map(output.Scored, batch, scores)


def _with_items(
    model: "TextModel", text: str, config: ScoreConfig, *, end: bool
) -> output.Scored:
    from charrnn.text.size import text_size

    context, top = config.context, config.top
    scores = list(model.score_tokens(text, context=context, end=end, top=top))
    items = tuple(token_items(model, text, scores))
    unknown = sum(s.token == model.tokenizer.unknown for s in scores)
    nats = sum(item.bits for item in items) * log(2)
    total = Score.of(nats, len(scores), text_size(text), unknown)
    if config.per == "word":
        items = tuple(word_items(text, items))
    return output.Scored(text, total, items)


def _bits_per_char(scored: output.Scored) -> float:
    """Return the sort key; empty texts, whose rate is NaN, come last."""
    bits = scored.score.bits_per_char
    return inf if isnan(bits) else bits
