"""The front of a room: its names, each loaded with its module when it is first asked for.

A package of values is large and a program wants a few of them; making a class costs about half a
millisecond. So what a package gives is stated twice: as imports that only type checkers follow, and
as a table that Python follows when a name is asked for. A test compares the two.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping

__all__ = ["front"]


def front(
    package: str, homes: Mapping[str, str]
) -> tuple[Callable[[str], object], Callable[[], list[str]]]:
    """The ``__getattr__`` and ``__dir__`` of ``package``.

    ``homes`` has a module of the package for every key, and the names it gives with a space between
    them. The modules themselves can be asked for too, as if they had been imported.
    """
    home_of = {name: module for module, names in homes.items() for name in names.split()}

    def look_up(name: str) -> object:
        """The thing called ``name``; from then on the package has it like any other."""
        home = home_of.get(name, name if name in homes else None)
        if home is None:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        found = __import__(f"{package}.{home}", fromlist=[name])
        if name in home_of:
            found = getattr(found, name)
        setattr(sys.modules[package], name, found)
        return found

    def names() -> list[str]:
        """What there is, loaded or not."""
        return sorted({*vars(sys.modules[package]), *home_of})

    return look_up, names
