"""No hook, port, clause, error, event, command or option without its place in the reference."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest

from hkex_ops import hookspecs
from hkex_ops.plugins.kinds import KINDS
from tests.command_pages import COMMAND_PLUGINS
from tests.reference_pages import FOLDER, PAGES
from tests.wheel import CHECKOUT


@pytest.mark.parametrize("name", PAGES)
def test_the_page_is_what_the_code_says(name: str) -> None:
    """Written anew with ``python -m tests.reference_pages``."""
    if name == "commands-of-plugins.md":
        for plugin in COMMAND_PLUGINS:
            pytest.importorskip(plugin, reason="the page tells of the plug-ins' commands")
    assert PAGES[name]() == (FOLDER / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", PAGES)
def test_everything_on_it_is_described(name: str) -> None:
    """A line that ends with its name has no docstring behind it."""
    page = (FOLDER / name).read_text(encoding="utf-8")
    assert [] == [line for line in page.splitlines() if line.rstrip().endswith("`:")]


def test_every_hook_that_is_specified_is_on_the_page() -> None:
    """The page is written from the table of hooks; one that stood only in the module is missed."""
    specified = {name for name in vars(hookspecs) if name.startswith("hkex_ops_")}
    assert specified == {kind.hook for kind in KINDS}


def test_every_shipped_plugin_that_brings_commands_is_on_their_page() -> None:
    """Looked for in the sources, so that one that is not installed is not forgotten."""
    bringing = {
        path.parent.name
        for path in CHECKOUT.glob("plugins/*/src/*/__init__.py")
        if "def hkex_ops_commands" in path.read_text(encoding="utf-8")
    }
    assert bringing == set(COMMAND_PLUGINS)


@pytest.mark.skipif(shutil.which("groff") is None, reason="there is no groff on this machine")
def test_the_manual_page_reads_well_at_80_columns() -> None:
    """As ``man`` sets it: without a warning, and no line wider than the terminal."""
    done = subprocess.run(
        ["groff", "-man", "-Tutf8", "-Kutf8", "-ww", "-rLL=80n", FOLDER / "hkex-ops.1"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "" == done.stderr
    seen = [re.sub(r".\x08|\x1b\[[0-9;]*m", "", line) for line in done.stdout.splitlines()]
    assert "       hkex-ops - what a circular demands, done and proven" in seen
    assert [] == [line for line in seen if len(line) > 80]
