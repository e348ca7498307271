"""`charrnn tokenize`: look at a corpus, learn a tokenizer, encode, decode."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from charrnn.cli import arguments as options
from charrnn.cli import console
from charrnn.cli import loading as inputs
from charrnn.cli.tokenize import token_text as pieces
from charrnn.errors import UsageError
from charrnn.tokenizers.config import TokenizerConfig

if TYPE_CHECKING:
    from charrnn.tokenizers.base import Tokenizer

AS: Final = ("pieces", "ids")


@options.with_options(TokenizerConfig)
def tokenize(
    files: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="FILE",
            help="Text files (also .gz, .bz2, .xz) or folders; - is stdin. Without "
            "any, stdin is read.",
            show_default=False,
        ),
    ] = None,
    out: Annotated[
        str | None,
        typer.Option(
            "--out",
            "-o",
            metavar="FILE",
            help="Save the tokenizer as JSON, for --tokenizer; - is stdout.",
            show_default=False,
        ),
    ] = None,
    encode: Annotated[
        bool,
        typer.Option("--encode", help="Write each line of text as a line of tokens."),
    ] = False,
    decode: Annotated[
        bool,
        typer.Option("--decode", help="Write each line of tokens as a line of text."),
    ] = False,
    model: options.Model = None,
    tokenizer: options.TokenizerFile = None,
    form: Annotated[
        str,
        typer.Option(
            "--as",
            parser=options.one_of("--as", *AS),
            metavar="|".join(AS),
            help="How tokens are written; in pieces a space is U+2581, a byte \\xNN, a "
            "backslash two.",
        ),
    ] = "pieces",
    as_json: options.Json = False,
    quiet: options.Quiet = False,
    **given: Any,
) -> None:
    """Look at a corpus, learn a tokenizer, encode, decode.

    \b
        charrnn tokenize corpus.txt
        charrnn tokenize corpus.txt --level subword --vocab-size 1000 -o subword.json
        charrnn tokenize --encode --as ids < corpus.txt > ids.txt
        charrnn tokenize --decode --as ids < ids.txt

    --encode and --decode use the tokenizer of --tokenizer or of a model; decoding
    what was encoded gives the same bytes, but for characters unknown to it.
    """
    config = TokenizerConfig(**given)
    paths = files or ["-"]
    if not files:
        inputs.needs_stdin("charrnn tokenize corpus.txt")
    if not (encode or decode):
        inputs.check_out(out, [*paths, *filter(None, (model, tokenizer))])
        known = _given_tokenizer(model, tokenizer)
        _report(paths, config, known, out=out, as_json=as_json, quiet=quiet)
        return
    _check_filter(encode=encode, decode=decode, out=out, as_json=as_json)
    used = _given_tokenizer(model, tokenizer) or inputs.load_model(None).tokenizer
    if decode:
        pieces.decode(paths, used, form)
    else:
        pieces.encode(paths, used, form, as_json=as_json, quiet=quiet)


def _report(
    paths: list[str],
    config: TokenizerConfig,
    known: "Tokenizer | None",
    *,
    out: str | None,
    as_json: bool,
    quiet: bool,
) -> None:
    """Write what a corpus holds, and save its tokenizer if that was asked for."""
    from charrnn.cli.tokenize.report import survey

    found = survey(paths, config, known)
    saved = json.dumps(found.tokenizer.to_json(), ensure_ascii=True)
    if out == "-":
        console.write_line(saved)
        return
    if as_json:
        console.write_json(found.to_json())
    else:
        for line in found.lines():
            console.write_line(line)
    if found.invalid and found.tokenizer.level != "byte":
        console.warn(
            "this is not all UTF-8: convert it, or use --level byte", quiet=quiet
        )
    corpus = " ".join(paths)
    if out is None:
        console.suggest(f"charrnn train {corpus}", quiet=quiet or as_json)
        return
    from charrnn.storage import files as writer

    writer.write(Path(out), saved.encode())
    console.log(f"saved {out}", quiet=quiet)
    console.suggest(f"charrnn train {corpus} --tokenizer {out}", quiet=quiet or as_json)


def _given_tokenizer(model: str | None, file: str | None) -> "Tokenizer | None":
    """Return the tokenizer of a file or a model that was named."""
    if model and file:
        raise UsageError("--model and --tokenizer both name a tokenizer")
    if file:
        from charrnn.tokenizers import loading as tokenizers

        return tokenizers.load(Path(file))
    return inputs.load_model(model).tokenizer if model is not None else None


def _check_filter(
    *, encode: bool, decode: bool, out: str | None, as_json: bool
) -> None:
    if encode and decode:
        raise UsageError("--encode and --decode undo each other", hint="give one")
    if out:
        raise UsageError(
            "--out saves a tokenizer; --encode and --decode write to stdout",
            hint="redirect it: charrnn tokenize --encode < text.txt > tokens.txt",
        )
    if decode and as_json:
        raise UsageError("--decode writes text, not JSON", hint="leave --json out")
