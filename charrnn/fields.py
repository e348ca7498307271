"""Options as fields of frozen dataclasses, and such dataclasses as JSON."""

import dataclasses
import math
import types
from collections.abc import Mapping
from numbers import Integral
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from charrnn.errors import UsageError


def flag(field: str) -> str:
    """Return the option that a field is given by."""
    return f"--{field.removesuffix('_s').replace('_', '-')}"


def one_of(option: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise UsageError(f"{option} is {value!r}", hint=f"one of {', '.join(choices)}")


def at_least(option: str, value: float, least: float) -> None:
    if not least <= value < math.inf:
        what = f"below {least}" if value < least else "not a number that can be used"
        raise UsageError(f"{option} is {value}, {what}")


def whole(option: str, value: int) -> None:
    if not isinstance(value, Integral):
        raise UsageError(f"{option} is {value!r}, not a whole number")
    at_least(option, value, 0)


T = TypeVar("T")


def to_json(config: Any) -> dict[str, Any]:
    """Return the fields of a config as a dict of JSON values."""
    return dataclasses.asdict(config)


def from_json(kind: type[T], values: Mapping[str, Any]) -> T:
    """Build a config of `kind` from a dict, checking every name and type.

    Raises ValueError for an unknown or missing name, a value of a wrong type, or one
    that makes no sense.
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
    allowed = tuple(get_origin(one) or one for one in kinds)  # dict[str, Any]: dict
    # bool is a subclass of int, but `layers: true` is a mistake
    if isinstance(value, bool) == (bool in allowed) and isinstance(value, allowed):
        return value
    # as a float, an integer of 400 digits is none: an OverflowError
    if float in allowed and type(value) is int and abs(value) < 1 << 53:
        return float(value)
    raise ValueError(f"{name} is {value!r}, not a {kind}")
