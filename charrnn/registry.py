"""Look up objects by name, importing each only when it is first used."""

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any


class Registry(Mapping[str, Any]):
    """A mapping from names to objects given as "module:Object".

    The names can be listed, for help texts and error messages, without importing
    anything; `registry[name]` imports the object's module. `add` registers an object.
    Hidden objects can be looked up, but are not listed.
    """

    def __init__(
        self, what: str, paths: Mapping[str, str], *, hidden: Mapping[str, str] = {}
    ) -> None:
        """Store the word for an entry in messages, such as "cell", and all paths."""
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
        """Return the object with a name. Raises ValueError for an unknown name."""
        if not isinstance(name, str) or name not in self._paths:
            raise ValueError(
                f"there is no {self._what} {name!r}; choose from {', '.join(self)}"
            )
        return self[name]


def named(path: str) -> Any:
    """Import a module and return its object, both given by a path "module:Object"."""
    module, _, name = path.partition(":")
    return getattr(import_module(module), name)
