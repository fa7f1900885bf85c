"""Commands that the documentation shows and does not run name what there is.

Those of ``console`` blocks are run. This is about the others: in ``text`` blocks, in a unit of
systemd, between backticks in a sentence.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from cyclopts import App

from hkex_ops.cli.tree import COMMANDS, NOUNS, build_app
from hkex_ops.installed import installed
from hkex_ops.plugins import Plugins
from tests.wheel import CHECKOUT

PAGES = [
    *(CHECKOUT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md")),
    *sorted((CHECKOUT / "docs").rglob("*.md")),
    *sorted((CHECKOUT / "changelog.d").glob("*.md")),
    *sorted(CHECKOUT.glob("plugins/*/README.md")),
]
BLOCK = re.compile(r"^ *```text\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`(hkex-ops [^`]+)`")
TYPED = re.compile(r"(?:^|[\s/(`])hkex-ops ((?:(?!  )[^\n|;<>`])+)", re.MULTILINE)
SHIPPED = re.compile(r"hkex-ops-(oapi|sftp|simulator)")

# What the shipped plug-ins bring; not judged where the plug-in is not installed.
BROUGHT = {"hostkeys", "keys", "oapi", "rehearse", "simulator"}
PLUGINS = Plugins([one for one in installed() if SHIPPED.fullmatch(one.distribution)])


def typed(page: Path) -> Iterator[str]:
    """What is typed after ``hkex-ops``, up to where a shell or a remark goes on."""
    text = page.read_text(encoding="utf-8")
    for shown in (*BLOCK.findall(text), *INLINE.findall(text)):
        yield from TYPED.findall(shown)


def fault(line: str) -> str | None:
    """What of a command line is not there; nothing where all is."""
    words = shlex.split(line, comments=True)
    if words[0] in BROUGHT - set(PLUGINS.commands()):
        return None
    path: list[str] = []
    app = build_app(PLUGINS, words)
    while words and words[0] in app.resolved_commands():
        path.append(words.pop(0))
        app = app[path[-1]]
    if not path:
        return None if words[0] in ("--help", "--version") else "there is no such command"
    if app.default_command is None and words and words[0].islower():
        return f"{' '.join(path)} has no {words[0]}"
    known = options_of(app) if app.default_command is not None else {"--help"}
    lacking = [one for one in words if one.startswith("-") and one.partition("=")[0] not in known]
    return f"{' '.join(path)} has no {lacking[0]}" if lacking else None


def options_of(app: App) -> set[str]:
    """Every spelling of every option, ``--no-`` forms too."""
    return {
        "--help",
        *(name for one in app.assemble_argument_collection() for name in one.names),
    }


FOUND = sorted({(page, line.strip()) for page in PAGES for line in typed(page)})


def test_the_search_finds_what_is_known_to_be_there() -> None:
    """One in a block, one in a unit of systemd, one in a sentence."""
    lines = {line for _, line in FOUND}
    assert "reports watch --metrics reports.prom" in lines
    assert "reports ready" in lines
    assert "evidence verify reports-april" in lines


@pytest.mark.parametrize(
    "line", ["reports fetsh", "reports fetch --dates 2023-04-14", "nonsense", "index run --quick"]
)
def test_a_command_that_is_not_there_is_found_out(line: str) -> None:
    assert fault(line)


@pytest.mark.parametrize(
    ("page", "line"), FOUND, ids=lambda value: value.name if isinstance(value, Path) else value
)
def test_what_is_shown_is_there(page: Path, line: str) -> None:
    assert fault(line) is None, f"{page.relative_to(CHECKOUT)}: hkex-ops {line}"


def listed() -> set[str]:
    """The commands of the overview; a noun is written once for the verbs of a row."""
    page = (CHECKOUT / "docs" / "reference" / "command-line.md").read_text(encoding="utf-8")
    rows, _, _ = page.partition("## Exit codes")
    nouns = {noun for noun, _, _ in NOUNS} | BROUGHT
    found: set[str] = set()
    for row in re.findall(r"^\| (`.*?) \|", rows, re.MULTILINE):
        noun = ""
        for words in (one.split() for one in re.findall(r"`([^`]+)`", row)):
            if words[0] in nouns:
                noun = words.pop(0)
            found.add(" ".join(filter(None, (noun, *words[:1]))))
    return found


def test_every_command_is_in_the_overview() -> None:
    """Those of plug-ins by their first word."""
    found = listed()
    commands = {name for name, _, _ in COMMANDS}
    commands |= {f"{noun} {name}" for noun, _, verbs in NOUNS for name, _, _ in verbs}
    assert set() == {one for one in commands if one not in found}
    assert set() == BROUGHT - {one.split()[0] for one in found}
