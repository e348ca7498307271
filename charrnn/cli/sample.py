"""`charrnn sample`: write text with a trained model."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from charrnn.cli import arguments, console, loading
from charrnn.cli.arguments import option
from charrnn.errors import UsageError
from charrnn.inference.config import SampleConfig

if TYPE_CHECKING:
    from charrnn.inference.text_model import TextModel
    from charrnn.inference.writing import Sample

SHOWN: Final = 5  #: number of unknown pieces that a warning lists
FINISH: Final = {
    "end": "ended by the model",
    "length": "stopped at the length limit",
    "stop": "stopped at a --stop text",
}


@dataclass(frozen=True)
class SampleOptions(SampleConfig):
    """How to draw the next token, the prompt, and what to write."""

    prompt: str | None = option(
        None,
        has_empty=True,
        flags=("--prompt", "-p", "--prime"),
        help="Same as PROMPT, except that - is a plain dash, not stdin.",
    )
    prompt_file: str | None = option(
        None,
        metavar="FILE",
        help="Read the prompt from a file; a final newline is ignored.",
    )
    num: int = option(
        1, at_least=1, flags=("--num", "-n"), help="Number of texts to write."
    )
    seed: int | None = option(
        None,
        at_least=0,
        shown="random; printed to stderr",
        help="Random seed; the same seed gives the same result.",
    )
    echo: bool = option(True, off="--no-echo", help="Write the prompt before the text.")
    scores: bool = option(
        False, help="Report the bits per character of each text on stderr."
    )


@arguments.with_options(SampleOptions)
def sample(
    text: Annotated[
        str | None,
        typer.Argument(
            metavar="PROMPT",
            help="Text for the model to continue; - reads it from stdin.",
        ),
    ] = None,
    model: arguments.Model = None,
    as_json: arguments.Json = False,
    quiet: arguments.Quiet = False,
    **given: Any,
) -> None:
    """Write text with a trained model.

    \b
        charrnn sample "Once upon a time" --temp 0.8
        charrnn sample -n 20
        charrnn sample -l 0 --stop "The End" > story.txt

    A text ends where the model ends it, at a --stop text, or at the length limit. With
    -n, each text starts on a new line; blank lines separate texts of several lines.
    For a classifier, tagger or translator, PROMPT is the input, and each text is a
    random output.
    """
    options = SampleOptions(**given)
    prompt, is_file = _prompt_source(text, options)
    loaded = loading.load_model(model)
    if is_file:
        prompt = loading.read_text(prompt, raw=loaded.tokenizer.level == "byte")
    streams = options.num == 1 and not as_json
    _check_ends(loaded, options, streams=streams, quiet=quiet)
    from charrnn.inference.writing import fresh_seed

    seed = fresh_seed() if options.seed is None else options.seed
    how = f"seed {seed}, temperature {options.temperature:g}"
    console.log(f"model {loaded.name}, {how}", quiet=quiet)
    _warn_of_unknown(loaded, prompt, quiet=quiet)
    if loaded.source_tokenizer:
        console.log("for the likeliest output, use charrnn predict", quiet=quiet)
    shown = prompt if options.echo and not loaded.source_tokenizer else ""
    samples = loaded.sample(prompt, num=options.num, seed=seed, config=options)
    if streams:
        written = _streamed(loaded, shown, prompt, seed, options)
    elif as_json:
        written = _as_json(samples, loaded.name, options)
    else:
        written = _separated(samples, shown)
    _report(written, scores=options.scores, quiet=quiet)


def _prompt_source(text: str | None, options: SampleOptions) -> tuple[str, bool]:
    """Return (prompt, False), or (path, True) for a prompt in a file or on stdin."""
    file = options.prompt_file
    named = {"PROMPT": text, "--prompt": options.prompt, "--prompt-file": file}
    given = [name for name, value in named.items() if value is not None]
    if len(given) > 1:
        raise UsageError(
            f"{' and '.join(given)} are given, but only one prompt is allowed",
            hint="put -- before a PROMPT that looks like an option",
        )
    if file is not None:
        return file, True
    return options.prompt or text or "", text == "-"


def _report(samples: Iterator["Sample"], *, scores: bool, quiet: bool) -> None:
    """Write the samples; log their scores if requested, and warn about early ends."""
    is_stuck = False
    for one in samples:
        is_stuck |= one.finish == "end" and math.isinf(one.nats)
        if scores:
            bits = f"{console.number(one.score.bits_per_char)} bits/char"
            end = f"{one.tokens:,} tokens, {FINISH[one.finish]}"
            console.log(f"seed {one.seed}: {bits}, {end}")
    if is_stuck:
        why = "every allowed token had zero probability"
        console.warn(f"a text stopped early: {why}", quiet=quiet)


def _check_ends(
    model: "TextModel", config: SampleConfig, *, streams: bool, quiet: bool
) -> None:
    """Warn if a text may never end; raise UsageError if it is not streamed either."""
    if config.length or config.stop or model.learned_end or model.source_tokenizer:
        return
    if not streams:
        raise UsageError(
            "--length 0 may never end: this model was trained on few documents",
            hint="give a --length above 0 or a --stop text",
        )
    console.warn("this model rarely ends a text; press Ctrl-C to stop", quiet=quiet)


def _warn_of_unknown(model: "TextModel", prompt: str, *, quiet: bool) -> None:
    """Warn about pieces of the prompt that are not in the vocabulary."""
    tokenizer = model.source_tokenizer or model.tokenizer
    if tokenizer.unknown is None:
        return
    ids, ends = tokenizer.encode_with_ends(prompt)
    starts = [0, *ends[:-1].tolist()]
    places = (ids == tokenizer.unknown).nonzero()[0].tolist()
    pieces = dict.fromkeys(prompt[starts[k] : int(ends[k])] for k in places)
    if pieces:
        shown = console.listed([*map(console.quoted, pieces)], SHOWN)
        console.warn(f"not in the model's vocabulary: {shown}", quiet=quiet)


def _streamed(
    model: "TextModel", shown: str, prompt: str, seed: int, config: SampleConfig
) -> Iterator["Sample"]:
    """Write one text while it is being generated, then yield it."""
    stream = model.stream(prompt, seed=seed, config=config)
    last = shown[-1:]
    if shown:
        console.write(shown)
    try:
        for piece in stream:
            console.write(piece)
            last = piece[-1]
    except KeyboardInterrupt:
        console.write("\n")
        raise
    if last != "\n":
        console.write("\n")
    yield stream.sample


def _separated(samples: Iterator["Sample"], shown: str) -> Iterator["Sample"]:
    """Write each text on its own lines, and a blank line around a multi-line text."""
    was_long: bool | None = None
    for one in samples:
        text = (shown + one.text).removesuffix("\n")
        is_long = "\n" in text
        if was_long is not None and (is_long or was_long):
            console.write("\n")
        console.write(f"{text}\n")
        was_long = is_long
        yield one


def _as_json(
    samples: Iterator["Sample"], model: str, config: SampleConfig
) -> Iterator["Sample"]:
    """Write each text as a JSON object, then yield it."""
    names = ("temperature", "top_k", "top_p", "min_p")
    drawing = {name: getattr(config, name) for name in names}
    for one in samples:
        record = {"text": one.text, "prompt": one.prompt, "seed": one.seed} | drawing
        record |= {"tokens": one.tokens, "chars": len(one.text), "nats": one.nats}
        record["bits_per_char"] = one.score.bits_per_char
        console.write_json(record | {"finish": one.finish, "model": model})
        yield one
