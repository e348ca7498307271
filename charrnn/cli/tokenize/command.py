"""`charrnn tokenize`: inspect a corpus, train a tokenizer, encode or decode text."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from charrnn.cli import arguments, console, loading
from charrnn.cli.tokenize import token_text
from charrnn.errors import UsageError
from charrnn.tokenizers.config import TokenizerConfig

if TYPE_CHECKING:
    from charrnn.tokenizers.base import Tokenizer

AS: Final = ("pieces", "ids")


@arguments.with_options(TokenizerConfig)
def tokenize(
    files: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="FILE...",
            help="Text files (also .gz, .bz2, .xz) or folders; - is stdin. [stdin]",
        ),
    ] = None,
    out: Annotated[
        str | None,
        typer.Option(
            "--out",
            "-o",
            metavar="FILE",
            help="Save the tokenizer as JSON, for use with --tokenizer; - is stdout.",
        ),
    ] = None,
    encode: Annotated[
        bool,
        typer.Option("--encode", help="Print each line of text as a line of tokens."),
    ] = False,
    decode: Annotated[
        bool,
        typer.Option("--decode", help="Print each line of tokens as a line of text."),
    ] = False,
    model: arguments.Model = None,
    tokenizer: arguments.TokenizerFile = None,
    form: Annotated[
        str,
        typer.Option(
            "--as",
            parser=arguments.one_of("--as", *AS),
            metavar="|".join(AS),
            help="How tokens are written. Pieces show a space as U+2581, a byte as "
            "\\xNN, and a backslash as two backslashes.",
        ),
    ] = "pieces",
    as_json: arguments.Json = False,
    quiet: arguments.Quiet = False,
    **given: Any,
) -> None:
    """Inspect a corpus, train a tokenizer, encode or decode text.

    \b
        charrnn tokenize corpus.txt
        charrnn tokenize corpus.txt --level subword --vocab-size 1000 -o sub.json
        charrnn tokenize --encode --as ids < corpus.txt > ids.txt
        charrnn tokenize --decode --as ids < ids.txt

    --encode and --decode use the tokenizer given with --tokenizer, or that of a model.
    Decoding encoded text restores every byte, except for unknown characters.
    """
    config = TokenizerConfig(**given)
    paths = files or ["-"]
    if not files:
        loading.needs_stdin("charrnn tokenize corpus.txt")
    if not (encode or decode):
        loading.check_out(out, [*paths, *filter(None, (model, tokenizer))])
        known = _given_tokenizer(model, tokenizer)
        _report(paths, config, known, out=out, as_json=as_json, quiet=quiet)
        return
    _check_filter(encode=encode, decode=decode, out=out, as_json=as_json)
    used = _given_tokenizer(model, tokenizer) or loading.load_model(None).tokenizer
    if decode:
        token_text.decode(paths, used, form)
    else:
        token_text.encode(paths, used, form, as_json=as_json, quiet=quiet)


def _report(
    paths: list[str],
    config: TokenizerConfig,
    known: "Tokenizer | None",
    *,
    out: str | None,
    as_json: bool,
    quiet: bool,
) -> None:
    """Print the counts of a corpus and, if `out` is given, save its tokenizer there."""
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
            "some bytes are not UTF-8: convert the text, or use --level byte",
            quiet=quiet,
        )
    corpus = " ".join(paths)
    if out is None:
        console.suggest(f"charrnn train {corpus}", quiet=quiet or as_json)
        return
    from charrnn.storage.files import write

    write(Path(out), saved.encode())
    console.log(f"saved {out}", quiet=quiet)
    console.suggest(f"charrnn train {corpus} --tokenizer {out}", quiet=quiet or as_json)


def _given_tokenizer(model: str | None, file: str | None) -> "Tokenizer | None":
    """Return the tokenizer of a file or model, or None if neither is named."""
    if model and file:
        raise UsageError("use --model or --tokenizer, not both")
    if file:
        from charrnn.tokenizers.loading import load

        return load(Path(file))
    return loading.load_model(model).tokenizer if model is not None else None


def _check_filter(
    *, encode: bool, decode: bool, out: str | None, as_json: bool
) -> None:
    if encode and decode:
        raise UsageError("use --encode or --decode, not both")
    if out:
        raise UsageError(
            "--out saves a tokenizer; --encode and --decode print to stdout",
            hint="redirect it: charrnn tokenize --encode < text.txt > tokens.txt",
        )
    if decode and as_json:
        raise UsageError("--decode prints text, not JSON", hint="omit --json")
