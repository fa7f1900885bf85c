"""The help of every command there is, those of the installed plug-ins too, at 80 columns."""

from __future__ import annotations

import re
from collections.abc import Iterator
from io import StringIO
from itertools import pairwise

import pytest
from cyclopts import App
from rich.console import Console

from hkex_ops.cli.tree import build_app
from hkex_ops.installed import installed
from hkex_ops.plugins import Plugins

SHIPPED = re.compile(r"hkex-ops-(oapi|sftp|simulator)")
PLUGINS = Plugins([one for one in installed() if SHIPPED.fullmatch(one.distribution)])


def words_of(app: App, above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    yield above
    for name in app.resolved_commands():
        if not name.startswith("-"):
            yield from words_of(app[name], (*above, name))


ALL = [words for words in words_of(build_app(PLUGINS, [])) if words != ("rehearse",)]
if "rehearse" in PLUGINS.commands():
    ALL.append(("rehearse",))


def help_of(words: tuple[str, ...]) -> str:
    written = StringIO()
    console = Console(file=written, width=80, color_system=None)
    build_app(PLUGINS, words).help_print(list(words), console=console)
    return written.getvalue()


def rows_of(text: str) -> list[tuple[str, str]]:
    """Each parameter or command of a help with what is said of it, of as many lines as it has."""
    rows: list[tuple[str, str]] = []
    for line in text.splitlines():
        if not line.startswith("│ "):
            continue
        if re.match(r"│ (?:\*  | {3})?[^ *]", line):
            name, _, said = line.strip("│* ").partition("  ")
            rows.append((name, said.strip()))
        else:
            name, so_far = rows[-1]
            rows[-1] = (name, f"{so_far} {line.strip('│ ')}".strip())
    return rows


@pytest.mark.parametrize("words", ALL, ids=" ".join)
def test_help_at_80_columns(words: tuple[str, ...]) -> None:
    """No line is wider, a paragraph breaks where the terminal ends, everything is described."""
    text = help_of(words)
    assert text.startswith(f"Usage: {' '.join(('hkex-ops', *words))}")
    assert [] == [line for line in text.splitlines() if len(line) > 80]
    _, *paragraphs = text.partition("╭")[0].strip().split("\n\n")
    assert [] != [one for one in paragraphs if one.strip()]
    lines = [[line.rstrip() for line in one.splitlines()] for one in paragraphs]
    pairs = [pair for paragraph in lines for pair in pairwise(paragraph)]
    assert [] == [one for one, after in pairs if len(one) + 1 + len(after.split()[0]) <= 79]
    rows = rows_of(text)
    assert rows
    assert [] == [name for name, said in rows if not re.search("[a-z]{2}", said)]
