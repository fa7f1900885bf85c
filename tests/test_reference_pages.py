"""No hook, port, clause, error or event without its place in the reference."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.reference_pages import FOLDER, PAGES


@pytest.mark.parametrize(("name", "make"), PAGES.items(), ids=PAGES)
def test_the_page_is_what_the_code_says(name: str, make: Callable[[], str]) -> None:
    """Written anew with ``python -m tests.reference_pages``."""
    assert make() == (FOLDER / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", PAGES)
def test_everything_on_it_is_described(name: str) -> None:
    """A line that ends with its name has no docstring behind it."""
    page = (FOLDER / name).read_text(encoding="utf-8")
    assert [] == [line for line in page.splitlines() if line.rstrip().endswith("`:")]
