"""Whether a plug-in that is installed is one: found, whole, typed, cheap to import, well-named."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable, Iterator
from importlib.util import find_spec
from pathlib import Path

from hkex_ops.config.structuring import structure
from hkex_ops.errors import ConfigError
from hkex_ops.installed import CORE, core_version, installed
from hkex_ops.plugins import LoadedPlugin, Plugins
from hkex_ops.plugins.kinds import KINDS
from hkex_ops.ports import Offer

__all__ = ["check_plugin"]

IMPORT_TIMEOUT_S = 60


def check_plugin(name: str, *, engines: Iterable[str] = ()) -> LoadedPlugin:
    """Check the installed plug-in ``name``, its entry point and import package.

    ``engines`` are the modules behind its adapters, such as ``asyncssh``: importing the plug-in
    must load none of them. Returns what `hkex-ops plugins` lists of it. Raises `AssertionError`
    that lists everything that is wrong, each in a sentence.
    """
    plugins = Plugins.load()
    rows = [row for row in plugins.rows() if row.name == name]
    if not rows:
        known = ", ".join(row.name for row in plugins.rows()) or "none"
        raise AssertionError(
            f"{name} is not installed as a plug-in: give its distribution an entry point of that "
            f"name in group hkex_ops, and install it; installed: {known}"
        )
    [row] = rows
    wrong = [*_faults(plugins, name), *_wrong_offers(plugins, name), *_wrong_package(name)]
    wrong += [*_wrong_bounds(name), *_loaded_engines(name, tuple(engines))]
    if not row.offers and not wrong:
        wrong.append("offers nothing: implement a hook and mark it with hookimpl")
    if wrong:
        listed = "".join(f"\n  {one}" for one in wrong)
        raise AssertionError(f"plug-in {name} of {row.distribution} is not sound:{listed}")
    return row


def _faults(plugins: Plugins, name: str) -> Iterator[str]:
    for fault in plugins.faults:
        if fault.name == name:
            yield f"{fault.hook}: {fault.message}" if fault.hook else fault.message


def _wrong_offers(plugins: Plugins, name: str) -> Iterator[str]:
    for kind in KINDS:
        for offer in plugins.offers(kind).values():
            if not isinstance(offer, Offer):
                continue
            options = offer.options
            if options.__module__.partition(".")[0] != name:
                continue
            try:
                structure({}, options, document="no options")
            except ConfigError:
                pass  # some of them have no default, and the operator is told which
            except Exception as error:
                yield (
                    f"{kind.what} {offer.name}: no table can fill {options.__name__} "
                    f"({type(error).__name__}: {error}): give its fields types of the library"
                )


def _wrong_package(name: str) -> Iterator[str]:
    spec = find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        yield f"{name} is no package: an entry point is named after an import package"
        return
    folder = Path(next(iter(spec.submodule_search_locations)))
    if not (folder / "py.typed").exists():
        yield "has no py.typed: type checkers pass over its types"


def _wrong_bounds(name: str) -> Iterator[str]:
    """Without an upper bound it would be loaded by a core that it was not made for."""
    for plugin in installed():
        if plugin.name == name and not any(sign in plugin.core for sign in ("<", "==", "~=")):
            major, minor = (core_version() or "0.1").split(".")[:2]
            yield (
                f"does not say for which {CORE} it is made: require "
                f"{CORE}>={major}.{minor},<{major}.{int(minor) + 1} in its metadata"
            )


def _loaded_engines(name: str, engines: tuple[str, ...]) -> Iterator[str]:
    """In a process of its own, for here much is loaded already."""
    program = (
        f"import sys; sys.path[:0] = {sys.path!r}; import {name}; "
        f"print(*sorted(set({list(engines)!r}) & sys.modules.keys()))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        timeout=IMPORT_TIMEOUT_S,
        check=False,
    )
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["it says nothing"])[-1]
        yield f"cannot be imported by itself: {last}"
    for engine in done.stdout.split():
        yield f"loads {engine} when it is imported: import it inside open(), where it is needed"
