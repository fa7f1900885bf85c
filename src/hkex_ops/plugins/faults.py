"""What was found of a plug-in, and what is wrong with it: values, and the rules that find them."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from difflib import get_close_matches

from attrs import frozen

from hkex_ops import hookspecs
from hkex_ops.errors import PluginError
from hkex_ops.installed import CORE, FoundPlugin

__all__ = ["LoadedPlugin", "PluginFault", "nearest_plugin", "wrong_core", "wrong_hooks"]


@frozen
class PluginFault:
    """Why a plug-in, or one of its hooks, is not in use: one sentence for its author."""

    name: str
    distribution: str
    message: str
    hook: str = ""

    def error(self) -> PluginError:
        """The same as an exception, for a command that needs this plug-in."""
        return PluginError(self.message, distribution=self.distribution, hook=self.hook)


@frozen
class LoadedPlugin:
    """One row of ``hkex-ops plugins``: a plug-in that was found, with what came of it."""

    name: str
    distribution: str
    version: str
    offers: tuple[str, ...]
    fault: str | None


def nearest_plugin(word: str, known: Sequence[str]) -> str:
    """The end of a sentence about a plug-in that is not installed."""
    near = get_close_matches(word, known, n=1)
    if near:
        return f"did you mean {near[0]!r}?"
    return f"installed: {', '.join(known) or 'none'}"


def wrong_core(plugin: FoundPlugin, core: str) -> str | None:
    """Why a plug-in is not for the version ``core`` of the core; nothing where it is, or may be."""
    if not plugin.core or not core:
        return None
    from packaging.specifiers import SpecifierSet

    if SpecifierSet(plugin.core).contains(core, prereleases=True):
        return None
    return (
        f"is made for {CORE} {plugin.core}, and {core} is installed: install a version of "
        f"{plugin.distribution} that is made for {core}, or that {CORE}"
    )


def wrong_hooks(module: object, known: Sequence[str]) -> list[tuple[str, str]]:
    """The members that look like hooks and would be passed over, or awaited, in silence."""
    wrong: list[tuple[str, str]] = []
    for name in dir(module):
        member = getattr(module, name, None)
        marked = hasattr(member, f"{hookspecs.PROJECT}_impl")
        if not marked and not (name.startswith(f"{hookspecs.PROJECT}_") and callable(member)):
            continue
        if name not in known:
            near = get_close_matches(name, known, n=1, cutoff=0.0)[0]
            wrong.append((name, f"there is no such hook; the nearest is {near}"))
        elif inspect.iscoroutinefunction(member) or inspect.isasyncgenfunction(member):
            wrong.append((name, "is async, and a hook only offers: make it a plain def"))
        elif not marked and not hasattr(member, f"{hookspecs.PROJECT}_spec"):
            wrong.append((name, "lacks @hookimpl and would never be called"))
    return wrong
