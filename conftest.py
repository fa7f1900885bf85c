"""What holds for every test: which code is tested, with which seed, and that documentation runs.

Applies to ``tests/``, to ``plugins/*/tests`` and to the code blocks of README.md and ``docs/``.
"""

from __future__ import annotations

import doctest
import os
from collections.abc import Iterator

import hypothesis
import pytest
import structlog
from sybil import Sybil
from sybil.parsers.myst import CodeBlockParser, PythonCodeBlockParser, SkipParser

from tests.console import close_console, evaluate_console, open_console
from tests.wheel import packages_from_checkout

# One fixed seed: a default run is the same run everywhere.
hypothesis.settings.register_profile("fixed-seed", derandomize=True, deadline=None)
hypothesis.settings.load_profile("fixed-seed")

pytest_collect_file = Sybil(
    parsers=[
        PythonCodeBlockParser(doctest_optionflags=doctest.ELLIPSIS),
        CodeBlockParser(language="console", evaluator=evaluate_console),
        SkipParser(),
    ],
    patterns=["README.md", "docs/*.md", "docs/*/*.md"],
    setup=open_console,
    teardown=close_console,
).pytest()


def pytest_configure() -> None:
    """Under ``HKEX_OPS_TEST_WHEEL=1`` refuse to test anything but installed wheels."""
    found = packages_from_checkout() if os.environ.get("HKEX_OPS_TEST_WHEEL") == "1" else ()
    if found:
        raise pytest.UsageError(
            f"{', '.join(found)} would be imported from the checkout, and this run tests the wheels"
        )


@pytest.fixture(autouse=True)
def logs_as_they_were() -> Iterator[None]:
    """A command that is run in this process sets up the log, to a file that its test closes."""
    yield
    structlog.reset_defaults()
