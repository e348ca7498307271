"""Look up objects by name, importing each only when it is first used."""

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any


class Registry(Mapping[str, Any]):
    """A mapping from names to objects, which are given as paths "module:Object".

    Listing the names, for help texts and error messages, imports nothing. Accessing
    `registry[name]` imports the module of the object.

    what: a noun for an entry, such as "cell", to use in error messages. hidden: entries
    that can be looked up but are not listed.
    """

    def __init__(
        self, what: str, paths: Mapping[str, str], *, hidden: Mapping[str, str] = {}
    ) -> None:
        self._what = what
        self._paths = {**paths, **hidden}
        self._hidden = frozenset(hidden)

    def __getitem__(self, name: str) -> Any:
        return named(self._paths[name])

    def __iter__(self) -> Iterator[str]:
        return (name for name in self._paths if name not in self._hidden)

    def __len__(self) -> int:
        return len(self._paths) - len(self._hidden)

    def add(self, name: str, path: str) -> None:
        """Register an object under a new name."""
        self._paths[name] = path

    def checked(self, name: object) -> Any:
        """Return the object with this name. Raises ValueError if there is none."""
        if not isinstance(name, str) or name not in self._paths:
            raise ValueError(
                f"there is no {self._what} {name!r}; choose from {', '.join(self)}"
            )
        return self[name]


def named(path: str) -> Any:
    """Return the object at a path "module:Object". Imports the module if needed."""
    module, _, name = path.partition(":")
    return getattr(import_module(module), name)
