"""Command options: those derived from configs, and those that commands share.

This is the only file that deals with how Typer declares parameters and formats help.
"""

import functools
import inspect
from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Any, ClassVar, Final

import typer
from typer.core import TyperCommand, TyperGroup

from charrnn.errors import UsageError
from charrnn.fields import GROUPS, Option, options_of, parse_duration
from charrnn.registry import named

Function = Callable[..., None]

UNGROUPED = "Options"
#: the settings of every Typer application here
PLAIN: Final[Mapping[str, Any]] = {
    "add_completion": False,
    "rich_markup_mode": None,
    "pretty_exceptions_enable": False,
    "context_settings": {"help_option_names": ["-h", "--help"]},
}


def with_options(*configs: type[Any]) -> Callable[[Function], Function]:
    """Give a command every option of some configs, as keyword arguments by field.

    The command receives as `**given` only the options that were typed.
    """

    def decorate(command: Function) -> Function:
        options = list(options_of(*configs))
        own = inspect.signature(command, eval_str=True).parameters.values()
        kept = [one for one in own if one.kind is not one.VAR_KEYWORD]
        first = [one for one in kept if one.default is one.empty]
        later = [one for one in kept if one.default is not one.empty]
        derived = map(_parameter, options)

        @functools.wraps(command)
        def run(**values: Any) -> None:
            for one in options:
                value = values.pop(one.field)
                if value not in (None, []):
                    values[one.field] = tuple(value) if one.is_repeatable else value
            command(**values)

        signature = inspect.Signature([*first, *derived, *later])
        run.__signature__ = signature  # type: ignore[attr-defined]
        return run

    return decorate


def _parameter(option: Option) -> inspect.Parameter:
    """Return a command's parameter for an option; its value is None if not typed."""
    name = option.flag
    flags = f"{name}/{option.off}" if option.off else name
    kind = str if option.is_duration else option.type
    declared = typer.Option(
        flags,
        *option.flags[1:],
        help=option.described,
        metavar=option.value_name or None,
        parser=functools.partial(_parse, option) if kind is str else None,
        rich_help_panel=option.group,
        show_default=False,
    )
    values: Any = list[kind] if option.is_repeatable else kind  # type: ignore[valid-type]
    return inspect.Parameter(
        option.field,
        inspect.Parameter.POSITIONAL_OR_KEYWORD,
        default=None,
        annotation=Annotated[values | None, declared],
    )


def _parse(option: Option, text: str) -> Any:
    """Convert the typed text of an option to its value. Raises UsageError."""
    if option.is_duration:
        return parse_duration(option.name, text)
    if not text and not (option.is_repeatable or option.has_empty):
        raise UsageError(f"{option.flag} is empty", hint=f"omit {option.flag}")
    if option.allowed:
        option.check(text)
    return text


class Command(TyperCommand):
    """A command whose help page groups options under headings."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write the sections of the help page."""
        sections: dict[str, list[Any]] = {name: [] for name in ("Arguments", *GROUPS)}
        for param in self.get_params(ctx):
            is_argument = param.param_type_name == "argument"
            panel = getattr(param, "rich_help_panel", None) or UNGROUPED
            if (record := param.get_help_record(ctx)) is not None:
                name = "Arguments" if is_argument else panel
                sections.setdefault(name, []).append(record)
        for name in [*(n for n in sections if n != UNGROUPED), UNGROUPED]:
            if rows := sections.get(name):
                with formatter.section(name):
                    formatter.write_dl(rows)


class CommandGroup(TyperGroup):
    """A group whose help page lists commands under headings.

    lines: the heading and first help line of each command, in order.
    """

    lines: ClassVar[Mapping[str, tuple[str, str]]] = {}

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write a section for each heading of commands."""
        for heading in dict.fromkeys(heading for heading, _ in self.lines.values()):
            rows = [(n, line) for n, (h, line) in self.lines.items() if h == heading]
            with formatter.section(heading):
                formatter.write_dl(rows)


class LazyCommands(Mapping[str, Any]):
    """Commands by name; each is imported from its "module:object" on lookup.

    The object is a function for a single command, or a Typer application for a group.
    """

    def __init__(self, paths: Mapping[str, str]) -> None:
        self._paths = paths

    def __getitem__(self, name: str) -> Any:
        found = named(self._paths[name])
        if isinstance(found, typer.Typer):
            command: Any = typer.main.get_group(found)
        else:
            app = typer.Typer(**PLAIN)
            app.command(name, cls=Command)(found)
            command = typer.main.get_command(app)
        command.name = name
        return command

    def __iter__(self) -> Iterator[str]:
        return iter(self._paths)

    def __len__(self) -> int:
        return len(self._paths)


Model = Annotated[
    str | None,
    typer.Option(
        "--model",
        "-m",
        metavar="PATH",
        help="Run folder or model file. [$CHARRNN_MODEL, or the newest run under "
        "$CHARRNN_RUNS or ./runs]",
        show_default=False,
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Write JSON, for other programs.")]
Quiet = Annotated[
    bool, typer.Option("--quiet", "-q", help="Write only errors to stderr.")
]
