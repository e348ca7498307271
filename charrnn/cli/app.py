"""The list of commands, and the only place where errors are turned into text."""

import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import takewhile
from typing import Annotated, Any, Final

import typer
from typer.core import TyperGroup

from charrnn.cli import arguments, console
from charrnn.errors import CharRNNError, ResourceError, UsageError
from charrnn.fields import flag, options_of
from charrnn.inference.config import SampleConfig
from charrnn.registry import named

MESSAGE_LINES: Final = 6  #: at most; the rest of a longer message is not printed
#: how the library's messages name an option: `top_k`
OPTION_NAME: Final = re.compile(r"`([a-z][a-z_]*)`")
#: the flags of sampling options, which can differ from the option names
FLAGS: Final = {one.name: one.flag for one in options_of(SampleConfig)}

LEARN, USE, COMPARE = "Learn", "Use a model", "Compare and manage"
#: "module:object", heading and first help line of each command, in help-page order
COMMANDS: Final = {
    "train": (
        "charrnn.cli.train.command:train",
        LEARN,
        "Train a model on text or labelled data.",
    ),
    "tokenize": (
        "charrnn.cli.tokenize.command:tokenize",
        LEARN,
        "Inspect a corpus, train a tokenizer, encode or decode text.",
    ),
    "sample": ("charrnn.cli.sample:sample", USE, "Write text with a trained model."),
    "score": ("charrnn.cli.score.command:score", USE, "Report how likely texts are."),
    "predict": (
        "charrnn.cli.predict.command:predict",
        USE,
        "Find the best output for each input.",
    ),
    "compare": (
        "charrnn.cli.compare.command:compare",
        COMPARE,
        "Compare models on the same text.",
    ),
    "mix": ("charrnn.cli.mix:mix", COMPARE, "Combine models into one."),
    "bench": (
        "charrnn.cli.bench:bench",
        COMPARE,
        "Measure how fast this machine trains, samples and scores.",
    ),
    "runs": (
        "charrnn.cli.runs:app",
        COMPARE,
        "List runs, show one, or verify model files.",
    ),
}


class LazyCommands(Mapping[str, Any]):
    """The commands by name; each one is imported when it is looked up."""

    def __getitem__(self, name: str) -> Any:
        found = named(COMMANDS[name][0])
        if isinstance(found, typer.Typer):
            command: Any = typer.main.get_group(found)
        else:
            single = typer.Typer(**arguments.PLAIN)
            single.command(name, cls=arguments.Command)(found)
            command = typer.main.get_command(single)
        command.name = name
        return command

    def __iter__(self) -> Iterator[str]:
        return iter(COMMANDS)

    def __len__(self) -> int:
        return len(COMMANDS)


class Commands(TyperGroup):
    """The group of all commands, which turns errors into text and an exit code.

    `main` does this, because `invoke` would miss mistyped options of the group itself
    and failed writes of a help page.
    """

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.commands: Any = LazyCommands()

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """List the commands on the help page, under their headings."""
        for heading in (LEARN, USE, COMPARE):
            rows = [(n, line) for n, (_, h, line) in COMMANDS.items() if h == heading]
            with formatter.section(heading):
                formatter.write_dl(rows)

    def main(
        self, args: Sequence[str] | None = None, *rest: Any, **settings: Any
    ) -> Any:
        """Run a command and exit with its code."""
        given = list(sys.argv[1:] if args is None else args)
        sys.exit(self._exit_code(given, *rest, **settings))

    def _exit_code(self, args: list[str], *rest: Any, **settings: Any) -> int:
        """Run a command, report errors that a user can cause, return the exit code."""
        settings["standalone_mode"] = False
        try:
            code = super().main(args, *rest, **settings)
            return code if isinstance(code, int) else 0  # 130 after Ctrl-C
        except SystemExit:
            # Typer exits this way if the reader of its help page closed the pipe
            return console.READER_GONE
        except CharRNNError as error:
            failed = error
        except typer.TyperException as error:
            failed = _usage_error(error)
        except MemoryError:
            failed = ResourceError(
                "there is not enough memory", hint="use a smaller model or text"
            )
        except OSError as error:
            # no command caught it; one cause is writing a help page to a full disk
            console.discard_output()
            parts = filter(None, (error.filename, error.strerror or error))
            why = ": ".join(map(str, parts))
            failed = ResourceError(f"input or output failed: {why}")
        # only the arguments before a bare -- can be options
        as_json = "--json" in takewhile(lambda word: word != "--", args)
        _report(failed, as_json=as_json)
        return failed.exit_code


app = typer.Typer(name="charrnn", cls=Commands, **arguments.PLAIN)


def _show_version(wanted: bool) -> None:
    if wanted:
        from charrnn import __version__

        console.write_line(f"charrnn {__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def root(
    context: typer.Context,
    version: Annotated[
        bool,
        typer.Option(
            "--version",
            callback=_show_version,
            is_eager=True,
            help="Print the version.",
        ),
    ] = False,
) -> None:
    """Train recurrent networks on your own text.

    \b
        charrnn train corpus.txt --time 5m     train a model
        charrnn sample "Once upon a time"      write text with it
        charrnn score "Is this likely?"        report how likely a text is
        charrnn predict "Yamamoto"             label, tag or translate a text

    The last three use the newest model under ./runs, or the one named with -m.
    """
    if context.invoked_subcommand is None:
        console.write_line(context.get_help())


def _usage_error(error: typer.TyperException) -> CharRNNError:
    """Convert a usage error raised by Typer to a CharRNNError."""
    context = getattr(error, "ctx", None)
    hint = f"{context.command_path if context else 'charrnn'} --help"
    message = error.format_message().partition(" (Possible options")[0]
    if close := getattr(error, "possibilities", None):
        hint = f"did you mean {' or '.join(sorted(close))}?"
    message, _, guess = message.partition(" Did you mean ")
    if guess:
        hint = f"did you mean {guess}"
    # Typer's message for a wrong type or range does not name the flag
    if (param := getattr(error, "param", None)) and (why := error.message):
        message = f"{param.opts[0]}: {why}"
    return UsageError(message[:1].lower() + message[1:].rstrip("."), hint=hint)


def _report(error: CharRNNError, *, as_json: bool) -> None:
    message, hint = map(_with_flags, (error.message, error.hint))
    text = f"error: {message}\nhint: {hint}" if hint else f"error: {message}"
    for line in text.splitlines()[:MESSAGE_LINES]:
        console.log(line)
    if as_json:
        record = {"code": error.exit_code, "name": error.name}
        record |= {"message": message, "hint": hint}
        # writing may fail, if stdout is what caused the error
        with suppress(CharRNNError, typer.Exit):
            console.write_json({"error": record})


def _with_flags(text: str) -> str:
    """Replace option names by flags: `top_k` becomes --top-k."""
    return OPTION_NAME.sub(lambda match: FLAGS.get(match[1], flag(match[1])), text)
