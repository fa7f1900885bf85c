"""No hook, port, clause, error, event, command or option without its place in the reference."""

from __future__ import annotations

import pytest

from tests.command_pages import COMMAND_PLUGINS
from tests.reference_pages import FOLDER, PAGES


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
