"""Define options as fields of dataclasses, and convert dataclasses to and from JSON.

A field made by `option` carries its help text, range and choices. The command line,
TOML files, Python keywords, run.json, error messages and the table in the README are
all derived from these fields:

    hidden: int = option(512, at_least=1, group=MODEL, help="Layer size.")
"""

import dataclasses
import math
import re
import types
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cache
from numbers import Number
from typing import Any, Final, TypeVar, get_args, get_origin, get_type_hints

from charrnn.errors import UsageError

T = TypeVar("T")

# the headings of help pages, in order
CORPUS: Final = "Corpus"
MODEL: Final = "Model"
BUDGET: Final = "Budget"
OPTIMISATION: Final = "Optimisation"
MACHINE: Final = "Machine"
OUTPUT: Final = "Output"
GROUPS: Final = (CORPUS, MODEL, BUDGET, OPTIMISATION, MACHINE, OUTPUT)

_SECONDS: Final = {"d": 86400, "h": 3600, "m": 60, "s": 1}
_DURATION: Final = re.compile(r"(\d+(?:\.\d+)?|\.\d+)\s*(d|h|m|s)\s*")
_METAVARS: Final = {int: "INT", float: "FLOAT", str: "TEXT"}


@dataclass(frozen=True)
class Option:
    """A field of a config that users can set, with its help text, range and flags.

    shown: the default in words, if it is chosen later or the number would not be
    helpful. flags: the flags, if they differ from the name; messages use the first one.
    off: the flag that turns a bool off, or "" for none. has_auto: whether the value can
    be "auto", which leaves the choice to the program. has_empty: whether it can be "".
    is_duration: whether the value is a time span, given as a number of seconds or a
    string such as "5m".
    """

    field: str
    kind: Any
    default: Any
    help: str
    group: str = MODEL
    shown: str = ""
    at_least: float = -math.inf
    at_most: float = math.inf
    above: float = -math.inf
    below: float = math.inf
    choices: Collection[str] | Callable[[], Collection[str]] = ()
    metavar: str = ""
    flags: tuple[str, ...] = ()
    off: str = ""
    has_auto: bool = False
    has_infinity: bool = False
    has_empty: bool = False
    is_duration: bool = False

    @property
    def name(self) -> str:
        """The name in Python and TOML: `time` for the field time_s, `as` for as_."""
        return self.field.removesuffix("_s").removesuffix("_")

    @property
    def flag(self) -> str:
        """The flag on the command line."""
        return self.flags[0] if self.flags else flag(self.name)

    @property
    def type(self) -> Any:
        """The type of a single value: int, float, str or bool."""
        kinds = get_args(self.kind) if get_args(self.kind) else (self.kind,)
        return next(kind for kind in kinds if kind not in (type(None), ...))

    @property
    def is_repeatable(self) -> bool:
        """Whether the option can be given several times."""
        return get_origin(self.kind) is tuple

    @property
    def allowed(self) -> tuple[str, ...]:
        """The allowed values, or () if they cannot be listed."""
        listed = self.choices() if callable(self.choices) else self.choices
        return ("auto",) * self.has_auto + tuple(listed)

    @property
    def value_name(self) -> str:
        """The placeholder for a value in help texts."""
        if self.metavar or not self.allowed:
            return self.metavar or _METAVARS.get(self.type, "")
        listed = "|".join(self.allowed)
        return listed if len(listed) <= 40 else "NAME"

    @property
    def described(self) -> str:
        """The help text with the choices and the default."""
        text = self.help
        if self.allowed and self.value_name == "NAME":
            text += f" One of {', '.join(self.allowed)}."
        default = self.shown or ("auto" if self.has_auto else self.default)
        if default in ("", None, ()) or isinstance(default, bool):
            return text
        if not self.shown and self._is_outside(self.default):  # means "not given"
            return text
        is_number = isinstance(default, float | int)
        return f"{text} [{default:g}]" if is_number else f"{text} [{default}]"

    def parse(self, value: Any) -> Any:
        """Convert a value to the option's type. Raises UsageError if that fails."""
        if self.is_repeatable:
            values = value if isinstance(value, list | tuple) else [value]
            return tuple(self._typed(one) for one in values)
        return self._typed(value)

    def check(self, value: Any) -> None:
        """Raise UsageError unless a value is in range and among the choices."""
        for one in value if self.is_repeatable and value else (value,):
            if isinstance(one, float | int) and not isinstance(one, bool):
                if self._is_outside(one):
                    raise UsageError(f"`{self.name}` is {one:,}, {self._wrong(one)}")
            elif self.allowed and one not in self.allowed:
                close = get_close_matches(str(one), self.allowed, n=1)
                guess = f"did you mean {close[0]}? " if close else ""
                raise UsageError(
                    f"`{self.name}` is {one!r}",
                    hint=f"{guess}choose from {', '.join(self.allowed)}",
                )

    def _typed(self, value: Any) -> Any:
        if self.is_duration:
            return parse_duration(self.name, value)
        if isinstance(value, Number) and hasattr(value, "item"):  # a NumPy number
            value = value.item()
        if self.type is float and type(value) is int and abs(value) < 1 << 53:
            return float(value)
        if type(value) is not self.type:
            wanted = {int: "a whole number", float: "a number", bool: "true or false"}
            what = wanted.get(self.type, "text")
            raise UsageError(f"`{self.name}` is {value!r}, not {what}")
        if self.type is str and "\0" in value:
            raise UsageError(f"`{self.name}` contains a null character: {value!r}")
        # an empty value comes, for example, from an unset shell variable
        if value == "" and not self.has_empty:
            raise UsageError(f"`{self.name}` is empty", hint=f"omit `{self.name}`")
        return value

    def _is_outside(self, value: Any) -> bool:
        if not isinstance(value, float | int) or value == math.inf == self.at_most:
            return value == math.inf and not self.has_infinity
        is_inside = self.at_least <= value <= self.at_most
        return not (is_inside and self.above < value < self.below)

    def _wrong(self, value: float) -> str:
        low, high = max(self.at_least, self.above), min(self.at_most, self.below)
        if math.isnan(value) or (math.isinf(high) and value > low):
            return "not a finite number"
        if math.isinf(high):
            return f"not above {low:g}" if low == self.above else f"below {low:g}"
        opens = "(" if low == self.above else "["
        closes = ")" if high == self.below else "]"
        return f"not in {opens}{low:g}, {high:g}{closes}"


def option(default: T, *, help: str, **metadata: Any) -> T:
    """Return a dataclass field for an option. Other keywords set fields of `Option`."""
    found: T = field(default=default, metadata={"option": {"help": help} | metadata})
    return found


def options_of(*configs: type[Any]) -> Iterator[Option]:
    """Yield the options of all configs, without repeating a name."""
    seen = set()
    for config in configs:
        for one in _options(config):  # type: ignore[arg-type]
            if one.name not in seen:
                seen.add(one.name)
                yield one


@cache
def _options(config: Any) -> tuple[Option, ...]:
    hints = get_type_hints(config)
    return tuple(
        Option(one.name, hints[one.name], one.default, **one.metadata["option"])
        for one in dataclasses.fields(config)
        if "option" in one.metadata
    )


def check(config: Any) -> None:
    """Raise UsageError if an option has an invalid value other than its default."""
    for one in options_of(type(config)):
        value = getattr(config, one.field)
        if value != one.default:
            one.check(value)


def flag(name: str) -> str:
    """Return the command-line flag of an option."""
    return f"--{name.replace('_', '-')}"


def parse_duration(name: str, value: Any) -> float:
    """Convert a time span to seconds: a string such as "1h30m", or a number.

    Raises UsageError for any other value, such as the string "5", which has no unit.
    """
    if isinstance(value, float | int) and not isinstance(value, bool):
        return float(value)
    text = str(value).strip().lower()
    parts = _DURATION.findall(text)
    if not parts or _DURATION.sub("", text):
        is_bare = re.fullmatch(r"\d+(\.\d+)?", text)
        units = f"{text}s, {text}m or {text}h" if is_bare else "90s, 5m or 1h30m"
        raise UsageError(f"`{name}` is {value!r}", hint=f"write it as {units}")
    return sum(float(count) * _SECONDS[unit] for count, unit in parts)


def to_json(config: Any) -> dict[str, Any]:
    """Return the fields of a dataclass as a dict of JSON values."""
    return dataclasses.asdict(config)


def from_json(kind: type[T], values: Mapping[str, Any]) -> T:
    """Build a dataclass from a dict.

    Raises ValueError if a name is unknown or missing, or if a value has the wrong type
    or is out of range.
    """
    hints = get_type_hints(kind)
    unknown = sorted(set(values) - set(hints))
    if unknown:
        raise ValueError(f"{kind.__name__} has no {', '.join(unknown)}")
    given = {name: _typed(name, hints[name], value) for name, value in values.items()}
    try:
        return kind(**given)
    except (TypeError, UsageError) as error:
        raise ValueError(f"{kind.__name__}: {error}") from error


def _typed(name: str, kind: Any, value: Any) -> Any:
    if get_origin(kind) is tuple:
        if not isinstance(value, list | tuple):
            raise ValueError(f"{name} is {value!r}, not a list")
        return tuple(_typed(name, get_args(kind)[0], item) for item in value)
    kinds = get_args(kind) if isinstance(kind, types.UnionType) else (kind,)
    # get_origin turns dict[str, Any] into dict
    allowed = tuple(get_origin(one) or one for one in kinds)
    # bool is a subclass of int, but `layers: true` must be an error
    if isinstance(value, bool) == (bool in allowed) and isinstance(value, allowed):
        return value
    # a 400-digit integer would overflow a float
    if float in allowed and type(value) is int and abs(value) < 1 << 53:
        return float(value)
    raise ValueError(f"{name} is {value!r}, not a {kind}")
