"""`charrnn sample`: write text."""

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from charrnn.cli import arguments as options
from charrnn.cli import console
from charrnn.cli import loading as inputs
from charrnn.errors import UsageError
from charrnn.inference.config import SampleConfig

if TYPE_CHECKING:
    from charrnn.inference.text_model import TextModel
    from charrnn.inference.writing import Sample

FINISH: Final = {
    "end": "it ended",
    "length": "stopped at the length limit",
    "stop": "stopped at a --stop text",
}


@options.with_options(SampleConfig)
def sample(
    prompt_text: Annotated[
        str | None,
        typer.Argument(
            metavar="PROMPT",
            help="Text to go on from; - reads it from stdin.",
            show_default=False,
        ),
    ] = None,
    prompt: Annotated[
        str | None,
        typer.Option(
            "--prompt",
            "-p",
            "--prime",
            metavar="TEXT",
            help="The same as PROMPT, taken literally.",
            show_default=False,
        ),
    ] = None,
    prompt_file: Annotated[
        str | None,
        typer.Option(
            "--prompt-file",
            metavar="FILE",
            help="Read the prompt from a file, without its last newline.",
            show_default=False,
        ),
    ] = None,
    model: options.Model = None,
    num: Annotated[
        int,
        typer.Option(
            "--num", "-n", min=1, metavar="INT", help="How many texts to write."
        ),
    ] = 1,
    seed: options.Seed = None,
    echo: Annotated[
        bool,
        typer.Option("--echo/--no-echo", help="Write the prompt before the text."),
    ] = True,
    scores: Annotated[
        bool,
        typer.Option(
            "--scores", help="Say the bits per character of each text on stderr."
        ),
    ] = False,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
    **given: Any,
) -> None:
    """Write text with a trained model.

    \b
        charrnn sample "Once upon a time" --temp 0.8
        charrnn sample -n 20
        charrnn sample -l 0 --stop "The End" > story.txt

    A text ends where the model ends it or at the length limit. Several texts come
    one a line; those of several lines with an empty line between.
    """
    config = SampleConfig(**given)
    read = _prompt_source(prompt_text, prompt, prompt_file)
    loaded = inputs.load_model(model)
    start = _prompt(read, raw=loaded.tokenizer.level == "byte")
    _check_ends(loaded, config, streams=num == 1 and not as_json, quiet=quiet)
    from charrnn.inference.writing import fresh_seed

    seed = fresh_seed() if seed is None else seed
    console.say(
        f"model {loaded.name}, seed {seed}, temperature {config.temperature:g}",
        quiet=quiet,
    )
    _warn_of_unknown(loaded, start, quiet=quiet)
    if num == 1 and not as_json:
        written = _streamed(loaded, start if echo else "", start, seed, config)
    else:
        written = loaded.sample(start, num=num, seed=seed, config=config)
        if as_json:
            written = _as_json(written, loaded.name, config)
        else:
            written = _apart(written, start if echo else "")
    is_stuck = False
    for one in written:
        is_stuck |= one.finish == "end" and math.isinf(one.nats)
        if scores:
            _say_score(one)
    if is_stuck:
        console.warn(
            "a text ended where nothing that can be written has a probability",
            quiet=quiet,
        )


def _prompt_source(
    positional: str | None, option: str | None, file: str | None
) -> tuple[str, bool]:
    """Return a prompt, or the file that has it and True."""
    named = {"PROMPT": positional, "--prompt": option, "--prompt-file": file}
    given = [name for name, value in named.items() if value is not None]
    if len(given) > 1:
        raise UsageError(
            f"{' and '.join(given)} are given, but there is one prompt",
            hint="a PROMPT that looks like an option goes after --",
        )
    if file is not None:
        return file, True
    return option or positional or "", positional == "-"


def _prompt(source: tuple[str, bool], *, raw: bool) -> str:
    text, is_file = source
    if not is_file:
        return text
    content = inputs.read_text(text, raw=raw)
    return content[:-2] if content.endswith("\r\n") else content.removesuffix("\n")


def _check_ends(
    model: "TextModel", config: SampleConfig, *, streams: bool, quiet: bool
) -> None:
    """Say when a text may never end. Raises UsageError if it would never be seen."""
    if config.length or config.stop or model.learned_end:
        return
    if not streams:
        raise UsageError(
            "--length 0 may never end: this model was trained on few documents",
            hint="give a --length, or a --stop text",
        )
    console.warn("this model hardly ever ends a text: stop it with Ctrl-C", quiet=quiet)


def _warn_of_unknown(model: "TextModel", prompt: str, *, quiet: bool) -> None:
    """Say which parts of the prompt the model has no token for."""
    tokenizer = model.tokenizer
    if tokenizer.unknown is None:
        return
    ids, ends = tokenizer.encode_with_ends(prompt)
    starts = [0, *ends[:-1].tolist()]
    places = (ids == tokenizer.unknown).nonzero()[0].tolist()
    pieces = dict.fromkeys(prompt[starts[k] : int(ends[k])] for k in places)
    if pieces:
        shown = ", ".join(map(console.quoted, list(pieces)[:5]))
        more = f" and {len(pieces) - 5} more" if len(pieces) > 5 else ""
        console.warn(
            f"the model does not know {shown}{more}: read as unknown", quiet=quiet
        )


def _streamed(
    model: "TextModel", shown: str, prompt: str, seed: int, config: SampleConfig
) -> Iterator["Sample"]:
    """Write one text as it comes, then yield it."""
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


def _apart(samples: Iterator["Sample"], shown: str) -> Iterator["Sample"]:
    """Write texts on their own lines, with an empty line next to one of several."""
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
    """Write each text as an object."""
    for one in samples:
        console.write_json(
            {
                "text": one.text,
                "prompt": one.prompt,
                "seed": one.seed,
                "temperature": config.temperature,
                "top_k": config.top_k,
                "top_p": config.top_p,
                "min_p": config.min_p,
                "tokens": one.tokens,
                "chars": len(one.text),
                "nats": float(one.nats),
                "bits_per_char": float(one.score.bits_per_char),
                "finish": one.finish,
                "model": model,
            }
        )
        yield one


def _say_score(sample: "Sample") -> None:
    rate = console.number(sample.score.bits_per_char)
    console.say(
        f"seed {sample.seed}: {rate} bits/char, {sample.tokens:,} tokens, "
        f"{FINISH[sample.finish]}"
    )
