"""The reference of the command line, written from the tree of commands.

Every command with what its docstring tells and every option with its help. What the shipped
plug-ins add is a page of its own, which wants them installed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from inspect import cleandoc, getdoc

from cyclopts import App, Parameter

from hkex_ops.cli.tree import COMMANDS, NOUNS, build_app, told
from hkex_ops.installed import installed
from hkex_ops.plugins import Plugins

__all__ = ["COMMAND_PLUGINS", "commands_page", "plugin_commands_page"]

COMMAND_PLUGINS = ("hkex_ops_oapi", "hkex_ops_sftp", "hkex_ops_simulator")
"""The shipped plug-ins that bring commands, by import package."""

_WRITTEN = (
    "This page is written from the code (`python -m tests.reference_pages`), and a test compares "
    "the two."
)


def commands_page() -> str:
    """Every command of the program's own, with every option."""
    app = build_app(Plugins([]), [])
    lines = [
        "# Commands and options",
        "",
        "Every command of the core. What they have in common, and the exit codes, are told in "
        "[command line](command-line.md); what plug-ins add, in "
        "[commands of plug-ins](commands-of-plugins.md).",
        "",
        _WRITTEN,
        "",
    ]
    for name, target, line in COMMANDS:
        lines += _command(app[name], name, target, line, level=2)
    for noun, noun_line, verbs in NOUNS:
        lines += [f"## `hkex-ops {noun}`", "", noun_line, ""]
        for name, target, line in verbs:
            lines += _command(app[noun][name], f"{noun} {name}", target, line, level=3)
    return _page(lines)


def plugin_commands_page() -> str:
    """Every command of the shipped plug-ins, with every option."""
    plugins = Plugins([one for one in installed() if one.name in COMMAND_PLUGINS])
    app = build_app(plugins, [])
    lines = [
        "# Commands of plug-ins",
        "",
        "What the plug-ins of this project add to [the commands of the core](commands.md).",
        "",
        _WRITTEN,
        "",
    ]
    for name, offer in sorted(plugins.commands().items()):
        lines += _command(app[name], name, offer.target, offer.help, level=2)
    return _page(lines)


def _command(command: App, words: str, target: str, line: str, *, level: int) -> Iterator[str]:
    yield f"{'#' * level} `hkex-ops {words}`"
    yield ""
    yield from _paragraphs(line)
    telling = told(target)
    # A docstring that says no more than the line is not said twice.
    if telling and telling != line:
        yield from _paragraphs(telling)
    if command.default_command is not None:
        yield from _options(command)
    for name in command.resolved_commands():
        if not name.startswith("-"):
            below = command[name]
            # Its docstring, for its help is told anew once somebody has asked for it.
            said = getdoc(below.default_command) if below.default_command else below.help
            line = (said or "").partition("\n\nParameters\n---")[0]
            yield from _command(below, f"{words} {name}", "", line, level=level + 1)


def _paragraphs(text: str) -> Iterator[str]:
    for paragraph in cleandoc(text).split("\n\n"):
        yield _prose(" ".join(paragraph.split()))
        yield ""


def _options(command: App) -> Iterator[str]:
    # As the program's own tree has it: no option to empty a list.
    own = Parameter(negative_iterable=())
    arguments = command.assemble_argument_collection(default_parameter=own, parse_docstring=True)
    for argument in arguments:
        if not argument.show:
            continue
        names = " ".join(f"`{name}`" for name in argument.names)
        needed = " Wanted." if argument.required else ""
        yield f"- {names}: {_prose(argument.parameter.help or '')}{needed}".rstrip()
    yield ""


def _prose(text: str) -> str:
    """Text of a docstring as MyST: what looks like a link or a tag is none."""
    text = text.replace("``", "`")
    parts = re.split(r"(`[^`]*`)", text)
    plain = [re.sub(r"([<*\[])", r"\\\1", part) for part in parts[::2]]
    parts[::2] = plain
    return "".join(parts)


def _page(lines: list[str]) -> str:
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip() + "\n"
