"""`charrnn tokenize`: inspect a corpus, train a tokenizer, encode or decode text."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from charrnn.cli import arguments, console, loading
from charrnn.cli.arguments import option
from charrnn.cli.tokenize import token_text
from charrnn.errors import UsageError
from charrnn.tasks import TASKS
from charrnn.tokenizers.config import TokenizerConfig, tokenizer_file

if TYPE_CHECKING:
    from charrnn.cli.tokenize.labelled import Survey
    from charrnn.tokenizers.base import Tokenizer


@dataclass(frozen=True)
class TokenizeOptions(TokenizerConfig):
    """The tokenizer to train or load, and how to use it."""

    tokenizer: str = tokenizer_file()
    out: str = option(
        "",
        flags=("--out", "-o"),
        metavar="FILE",
        help="Save the tokenizer as JSON, for use with --tokenizer; - is stdout.",
    )
    encode: bool = option(False, help="Print each line of text as a line of tokens.")
    decode: bool = option(False, help="Print each line of tokens as a line of text.")
    task: str = option(
        "",
        choices=TASKS,
        shown="chosen from the format of the files, otherwise language",
        help="What the files contain: plain text, or data with labels, tags or "
        "translations.",
    )
    columns: str = option(
        "",
        metavar="INPUT,OUTPUT",
        help="Columns of labelled data, by name or number; + joins several inputs.",
    )
    as_: str = option(
        "pieces",
        choices=("pieces", "ids"),
        help="How to write tokens. Pieces show a space as U+2581, a byte as \\xNN, "
        "and a backslash as two backslashes.",
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.encode and self.decode:
            raise UsageError("use --encode or --decode, not both")
        if self.out and (self.encode or self.decode):
            raise UsageError(
                "--out saves a tokenizer; --encode and --decode print to stdout",
                hint="redirect it: charrnn tokenize --encode < text.txt > tokens.txt",
            )
        if (self.task or self.columns) and (self.encode or self.decode):
            raise UsageError(
                "--encode and --decode take plain text, not labelled data",
                hint="omit --task and --columns",
            )


@arguments.with_options(TokenizeOptions)
def tokenize(
    files: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="FILE...",
            help="Text files (also .gz, .bz2, .xz) or folders; - is stdin. [stdin]",
        ),
    ] = None,
    model: arguments.Model = None,
    as_json: arguments.Json = False,
    quiet: arguments.Quiet = False,
    **given: Any,
) -> None:
    """Inspect a corpus, train a tokenizer, encode or decode text.

    \b
        charrnn tokenize corpus.txt
        charrnn tokenize corpus.txt --level subword --vocab-size 1000 -o sub.json
        charrnn tokenize names.tsv
        charrnn tokenize --encode --as ids < corpus.txt > ids.txt
        charrnn tokenize --decode --as ids < ids.txt

    For labelled data, the report also shows labels, contradictory inputs and lengths.
    --encode and --decode use the tokenizer of --tokenizer FILE or of a model.
    Decoding encoded text restores every byte, except for unknown characters.
    """
    options = TokenizeOptions(**given)
    paths = files or ["-"]
    if not files:
        loading.needs_stdin("charrnn tokenize corpus.txt")
    if options.decode and as_json:
        raise UsageError("--decode prints text, not JSON", hint="omit --json")
    loading.check_out(options.out, [*paths, *filter(None, (model, options.tokenizer))])
    known = _given_tokenizer(model, options.tokenizer)
    if not (options.encode or options.decode):
        _report(paths, options, given, known, as_json=as_json, quiet=quiet)
        return
    used = known or loading.load_model(None).tokenizer
    if options.decode:
        token_text.decode(paths, used, options.as_)
    else:
        token_text.encode(paths, used, options.as_, as_json=as_json, quiet=quiet)


def _report(
    paths: list[str],
    options: TokenizeOptions,
    given: Mapping[str, Any],
    known: "Tokenizer | None",
    *,
    as_json: bool,
    quiet: bool,
) -> None:
    """Print the counts of a corpus and, if `out` is given, save its tokenizer there."""
    from charrnn.cli.tokenize.labelled import is_plain, survey_labelled
    from charrnn.cli.tokenize.report import survey

    sources = loading.sources(paths)
    if is_plain(sources, options.task, options.columns):
        found: Survey = survey(sources, options, known)
    else:
        found = survey_labelled(sources, options.task, options.columns, given, known)
    saved = json.dumps(found.tokenizer.to_json(), ensure_ascii=True)
    if options.out == "-":
        console.write_line(saved)
        return
    if as_json:
        console.write_json(found.to_json())
    else:
        for line in found.lines():
            console.write_line(line)
    if found.invalid and found.tokenizer.level != "byte":
        advice = "convert the text, or use --level byte"
        console.warn(f"some bytes are not UTF-8: {advice}", quiet=quiet)
    next_command = f"charrnn train {' '.join(paths)}"
    for name, value in (("task", options.task), ("columns", options.columns)):
        next_command += f" --{name} {value}" if value else ""
    if options.out:
        from charrnn.storage.files import write

        write(Path(options.out), saved.encode())
        console.log(f"saved {options.out}", quiet=quiet)
        next_command += f" --tokenizer {options.out}"
    console.suggest(next_command, quiet=quiet or as_json)


def _given_tokenizer(model: str | None, file: str) -> "Tokenizer | None":
    """Return the tokenizer of a file or model, or None if neither is given."""
    if model and file:
        raise UsageError("use --model or --tokenizer, not both")
    if file:
        from charrnn.tokenizers.loading import load

        return load(Path(file))
    return loading.load_model(model).tokenizer if model is not None else None
