"""Command options: those derived from configs, and those that commands share.

This is the only file that deals with how Typer declares parameters and formats help.
"""

import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Final, TypeVar

import typer
from typer.core import TyperCommand

from charrnn import fields
from charrnn.errors import UsageError
from charrnn.fields import GROUPS, Option, options_of, parse_duration

T = TypeVar("T")
Function = Callable[..., None]

UNGROUPED: Final = "Options"
#: the settings of every Typer application here
PLAIN: Final[Mapping[str, Any]] = {
    "add_completion": False,
    "rich_markup_mode": None,
    "pretty_exceptions_enable": False,
    "context_settings": {"help_option_names": ["-h", "--help"]},
}


def option(default: T, *, help: str, group: str = "", **metadata: Any) -> T:
    """Return a dataclass field for an option of a command; see `fields.option`."""
    return fields.option(default, help=help, group=group, **metadata)


def with_options(*configs: type[Any]) -> Callable[[Function], Function]:
    """Give a command every option of some configs, as keyword arguments by field.

    The command receives as `**given` only the options that were typed.
    """

    def decorate(command: Function) -> Function:
        options = list(options_of(*configs))
        own = inspect.signature(command, eval_str=True).parameters.values()

        @functools.wraps(command)
        def run(**values: Any) -> None:
            for one in options:
                value = values.pop(one.field)
                if value not in (None, []):
                    values[one.field] = tuple(value) if one.is_repeatable else value
            command(**values)

        parameters = [
            *map(_parameter, options),
            *(p.replace(kind=p.KEYWORD_ONLY) for p in own if p.kind != p.VAR_KEYWORD),
        ]
        run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        return run

    return decorate


def _parameter(option: Option) -> inspect.Parameter:
    """Return a command's parameter for an option; its value is None if not typed."""
    first, *others = option.flags or (option.flag,)
    kind = str if option.is_duration else option.type
    declared = typer.Option(
        f"{first}/{option.off}" if option.off else first,
        *others,
        help=option.described,
        metavar=option.value_name or None,
        parser=functools.partial(_parse, option) if kind is str else None,
        rich_help_panel=option.group,
        show_default=False,
    )
    values: Any = list[kind] if option.is_repeatable else kind  # type: ignore[valid-type]
    return inspect.Parameter(
        option.field,
        inspect.Parameter.KEYWORD_ONLY,
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
        """Write the sections of the help page; options without a group come last."""
        sections: dict[str, list[Any]] = {name: [] for name in ("Arguments", *GROUPS)}
        for param in self.get_params(ctx):
            is_argument = param.param_type_name == "argument"
            group = getattr(param, "rich_help_panel", None) or UNGROUPED
            if record := param.get_help_record(ctx):
                name = "Arguments" if is_argument else group
                sections.setdefault(name, []).append(record)
        sections[UNGROUPED] = sections.pop(UNGROUPED)  # --help is always there
        for name, rows in sections.items():
            if rows:
                with formatter.section(name):
                    formatter.write_dl(rows)


Model = Annotated[
    str | None,
    typer.Option(
        "--model",
        "-m",
        metavar="PATH",
        help="Run folder or model file. [$CHARRNN_MODEL, or the newest run under "
        "$CHARRNN_RUNS or ./runs]",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Write JSON, for other programs.")]
Quiet = Annotated[
    bool, typer.Option("--quiet", "-q", help="Write only errors to stderr.")
]
