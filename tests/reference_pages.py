"""Reference pages that are written from the code: ``python -m tests.reference_pages`` writes them.

A test compares each with what the code says now, so that no hook, port, clause, error, event,
command or option is without its place in the documentation. Those of commands are
:mod:`tests.command_pages`'s.
"""

from __future__ import annotations

import ast
import inspect
import re
import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from textwrap import dedent
from typing import get_args

import attrs

from hkex_ops import errors, hookspecs, log, ports, testing
from hkex_ops.cli.main import _EXIT_CODES
from hkex_ops.plugins.kinds import KINDS
from tests.command_pages import commands_page, plugin_commands_page
from tests.man_page import man_page
from tests.wheel import CHECKOUT

__all__ = ["PAGES", "write_pages"]

FOLDER = CHECKOUT / "docs" / "reference"
SOURCES = CHECKOUT / "src" / "hkex_ops"

_WRITTEN = (
    "This page is written from the code (`python -m tests.reference_pages`), and a test compares "
    "the two.\n"
)


def plugin_page() -> str:
    """Hooks, and the ports behind them."""
    lines = [
        "# Hooks and ports",
        "",
        "A plug-in implements hooks; each offers adapters of one port. How one is written is told "
        "in [the tutorial](../tutorial/write-an-adapter.md), what proves it in "
        "[contracts](contracts.md).",
        "",
        _WRITTEN,
    ]
    for kind in KINDS:
        hook = getattr(hookspecs, kind.hook)
        article = "An" if kind.what[0] in "aeiou" else "A"
        lines += [f"## `{kind.hook}`", "", f"{_prose(hook)} {article} {kind.what}."]
        if kind.such_as:
            lines[-1] += f" Brought by {kind.such_as}."
        lines += (
            ["", f"An operator chooses in `[{kind.table}.NAME]`.", ""] if kind.such_as else [""]
        )
    for name in _protocols():
        lines += [*_port(name), ""]
    return _page(lines)


def _protocols() -> list[str]:
    names = [name for name in ports.__all__ if getattr(getattr(ports, name), "_is_protocol", False)]
    return sorted(names, key=lambda name: (name.startswith("Supports"), name))


def _port(name: str) -> Iterator[str]:
    port = getattr(ports, name)
    what = "Capability" if name.startswith("Supports") else "Port"
    yield f"## {what} `{name}`"
    yield ""
    yield _prose(port)
    yield ""
    for member, value in vars(port).items():
        if member.startswith("_"):
            continue
        if isinstance(value, property):
            yield f"- `{member}`: {_prose(value)}"
        elif inspect.isfunction(value):
            waits = "async " if inspect.iscoroutinefunction(value) else ""
            given = [one for one in inspect.signature(value).parameters if one != "self"]
            yield f"- `{waits}{member}({', '.join(given)})`: {_prose(value)}"


def contracts_page() -> str:
    """Every clause of every contract."""
    lines = [
        "# Contracts",
        "",
        "What an adapter of each port must do, clause by clause, and how it is proven. Numbers are "
        "never used again for something else. A clause that a bench cannot stage is skipped with "
        "its reason.",
        "",
        _WRITTEN,
    ]
    for name in sorted(name for name in testing.__all__ if name.endswith("Contract")):
        contract = getattr(testing, name)
        lines += [f"## `{name}`", "", _prose(contract), ""]
        for member in sorted(dir(contract), key=_number):
            if member.startswith("test_"):
                lines += [f"- {_prose(getattr(contract, member))}"]
        lines += [""]
    return _page(lines)


def _number(member: str) -> tuple[int, str]:
    found = re.search(r"[0-9]+", member)
    return (int(found[0]) if found else 0), member


def errors_page() -> str:
    """The error tree with what a caller may conclude."""
    assert errors.__doc__ is not None
    tree = errors.__doc__.split("::\n\n", 1)[1].split("\n\n", 1)[0]
    lines = [
        "# Errors and exit codes",
        "",
        "Everything that the library raises on purpose, by who must act.",
        "",
        _WRITTEN,
        "```text",
        dedent(tree),
        "```",
        "",
    ]
    for name in errors.__all__:
        error = getattr(errors, name)
        if issubclass(error, Exception):
            lines += [f"- `{name}`: {_prose(error)}{_code(error)}"]
    return _page(lines)


def _code(error: type[Exception]) -> str:
    for kind, code in _EXIT_CODES:
        if issubclass(error, kind):
            return f" A command exits {int(code)}."
    return ""


def events_page() -> str:
    """Every event of every machine and flow, and every event of the log."""
    lines = [
        "# Events",
        "",
        "What has happened, as frozen values in the past tense. Machines return them; flows hand "
        "them to whoever watches, keep them as evidence and attach them to incidents.",
        "",
        _WRITTEN,
    ]
    for module_name, alias in _event_aliases():
        module = import_module(module_name)
        lines += [f"## `{module_name}.{alias}`", ""]
        for event in get_args(getattr(module, alias)):
            names = [one.name for one in attrs.fields(event)] if attrs.has(event) else []
            names = names or list(getattr(event, "_fields", ()))
            shown = f"({', '.join(names)})" if names else ""
            lines += [f"- `{event.__name__}{shown}`: {_prose(event)}"]
        lines += [""]
    lines += ["## Log", "", "Events that are logged by structlog, by name.", ""]
    for name, meaning in log.EVENTS.items():
        lines += [f"- `{name}`: {meaning}"]
    return _page(lines)


def _event_aliases() -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for path in sorted(SOURCES.rglob("*.py")):
        relative = path.relative_to(SOURCES.parent).with_suffix("")
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            match node:
                case ast.AnnAssign(target=ast.Name(id=name), annotation=ast.Name(id="TypeAlias")):
                    if name.endswith("Event"):
                        found.append((".".join(relative.parts), name))
                case _:
                    pass
    return found


def _prose(thing: object) -> str:
    """A docstring as one paragraph of MyST."""
    text = inspect.getdoc(thing) or ""
    text = text.split("::\n", 1)[0]
    text = re.sub(r":(?:class|meth|attr|func|mod|data):`[~]?([^`<]*?)`", r"`\1`", text)
    text = text.replace("``", "`")
    return " ".join(text.split())


def _page(lines: list[str]) -> str:
    text = "\n".join(lines)
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"


PAGES: dict[str, Callable[[], str]] = {
    "hooks-and-ports.md": plugin_page,
    "contracts.md": contracts_page,
    "errors.md": errors_page,
    "events.md": events_page,
    "commands.md": commands_page,
    "commands-of-plugins.md": plugin_commands_page,
    "hkex-ops.1": man_page,
}


def write_pages() -> list[Path]:
    """Write every page; those that changed."""
    changed: list[Path] = []
    for name, make in PAGES.items():
        path = FOLDER / name
        text = make()
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
            changed.append(path)
    return changed


if __name__ == "__main__":
    for path in write_pages():
        sys.stdout.write(f"{path.relative_to(CHECKOUT)}\n")
