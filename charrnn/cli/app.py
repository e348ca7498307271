"""The list of commands, and the only place where errors become text."""

import re
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import Annotated, Any, Final

import typer

from charrnn.cli import arguments, console
from charrnn.errors import CharRNNError, ResourceError, UsageError
from charrnn.fields import flag, options_of
from charrnn.inference.config import SampleConfig
from charrnn.registry import named

MESSAGE_LINES = 6
#: an option as the library names it: `top_k`
OPTION_NAME: Final = re.compile(r"`([a-z][a-z_]*)`")
#: flags that differ from the names of their options
FLAGS: Final = {one.name: one.flag for one in options_of(SampleConfig)}


LEARN, USE, COMPARE = "Learn", "Use a model", "Compare and manage"
#: the commands in the order of help: "module:function", heading, first line of help
COMMANDS: Final = {
    "train": ("charrnn.cli.train.command:train", LEARN, "Train a model on text."),
    "tokenize": (
        "charrnn.cli.tokenize.command:tokenize",
        LEARN,
        "TOKENIZE_HELP",
    ),
    "sample": ("charrnn.cli.sample:sample", USE, "SAMPLE_HELP"),
    "score": ("charrnn.cli.score.command:score", USE, "SCORE_HELP"),
    "compare": ("charrnn.cli.compare.command:compare", COMPARE, "COMPARE_HELP"),
    "mix": ("charrnn.cli.mix:mix", COMPARE, "MIX_HELP"),
    "bench": ("charrnn.cli.bench:bench", COMPARE, "BENCH_HELP"),
    "runs": ("charrnn.cli.runs:app", COMPARE, "RUNS_HELP"),
}


class Commands(arguments.CommandGroup):
    """All commands; turns errors into text and an exit code.

    In `main`, because `invoke` misses mistyped options of the group itself and failed
    writes of a help page.
    """

    lines = {name: (heading, line) for name, (_, heading, line) in COMMANDS.items()}

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Import a command when it is called; None if there is no such command."""
        if cmd_name not in COMMANDS:
            return None
        return arguments.command_of(cmd_name, named(COMMANDS[cmd_name][0]))

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        windows_expand_args: bool = True,
        **extra: Any,
    ) -> Any:
        """Run a command and exit with its code."""
        given = list(sys.argv[1:] if args is None else args)
        try:
            sys.exit(self._exit_code(given, prog_name, **extra))
        except typer.Exit as end:  # nobody reads stdout any more
            sys.exit(end.exit_code)

    def _exit_code(self, args: list[str], prog_name: str | None, **extra: Any) -> int:
        """Run a command; report errors that a user can cause."""
        try:
            return self._run(args, prog_name, **extra)
        except CharRNNError as error:
            failed = error
        except typer.TyperException as error:
            failed = _usage_error(error)
        except MemoryError:
            failed = ResourceError(
                "there is not enough memory", hint="use a smaller model or text"
            )
        except OSError as error:
            # no command caught it: for example, a help page on a full disk
            console.discard_output()
            why = ": ".join(
                str(part) for part in (error.filename, error.strerror or error) if part
            )
            failed = ResourceError(f"input or output failed: {why}")
        _report(failed, as_json="--json" in _options(args))
        return failed.exit_code

    def _run(self, args: list[str], prog_name: str | None, **extra: Any) -> int:
        """Return the exit code, 130 after Ctrl-C; errors propagate."""
        try:
            code = super().main(args, prog_name, standalone_mode=False, **extra)
        except SystemExit:
            # Typer exits this way if nobody reads its help page any more
            raise console.ReaderGoneError from None
        return code if isinstance(code, int) else 0


app = typer.Typer(
    name="charrnn",
    cls=Commands,
    **arguments.PLAIN,
)


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
    """Train a recurrent language model on your own text.

    \b
        charrnn train corpus.txt --time 5m     train a model
        charrnn sample "Once upon a time"      write text with it
        charrnn score "Is this likely?"        report how likely a text is

    sample and score use the newest model under ./runs, or the one named with -m.
    """
    if context.invoked_subcommand is None:
        console.write_line(context.get_help())


def _options(args: list[str]) -> list[str]:
    """Return the arguments before a bare --, which may be options."""
    return args[: args.index("--")] if "--" in args else args


def _usage_error(error: typer.TyperException) -> CharRNNError:
    """Return a usage error of Typer as one of ours."""
    context = getattr(error, "ctx", None)
    hint = f"{context.command_path if context else 'charrnn'} --help"
    message = error.format_message().partition(" (Possible options")[0]
    if close := getattr(error, "possibilities", None):
        hint = f"did you mean {' or '.join(sorted(close))}?"
    message, _, guess = message.partition(" Did you mean ")
    if guess:
        hint = f"did you mean {guess}"
    # Typer reports a wrong type or range without the flag
    if (param := getattr(error, "param", None)) and (why := error.message):
        message = f"{param.opts[0]}: {why}"
    return UsageError(message[:1].lower() + message[1:].rstrip("."), hint=hint)


def _report(error: CharRNNError, *, as_json: bool) -> None:
    message, hint = map(_with_flags, (error.message, error.hint))
    lines = f"error: {message}".splitlines()
    if hint:
        lines += f"hint: {hint}".splitlines()
    for line in lines[:MESSAGE_LINES]:
        console.log(line)
    if as_json:
        values = {
            "code": error.exit_code,
            "name": error.name,
            "message": message,
            "hint": hint,
        }
        # stdout itself may have failed
        with suppress(CharRNNError, typer.Exit):
            console.write_json({"error": values})


def _with_flags(text: str) -> str:
    """Replace option names by flags: `top_k` becomes --top-k."""
    return OPTION_NAME.sub(lambda match: FLAGS.get(match[1], flag(match[1])), text)
