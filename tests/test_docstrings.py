"""Every example in a docstring of the core runs, against the package that is installed."""

from __future__ import annotations

import doctest
import importlib
from pathlib import Path

import pytest

import hkex_ops

PACKAGE = Path(hkex_ops.__file__).parent


def modules_with_examples() -> list[str]:
    """Found in the text, so that a module that cannot be imported fails its own test alone."""
    files = [path for path in PACKAGE.rglob("*.py") if ">>> " in path.read_text(encoding="utf-8")]
    parts = (path.relative_to(PACKAGE.parent).with_suffix("").parts for path in sorted(files))
    return [".".join(names).removesuffix(".__init__") for names in parts]


@pytest.mark.parametrize("name", modules_with_examples())
def test_the_examples_of_a_module_run(name: str) -> None:
    ran = doctest.testmod(importlib.import_module(name), optionflags=doctest.ELLIPSIS)
    assert ran.attempted > 0
    assert 0 == ran.failed
