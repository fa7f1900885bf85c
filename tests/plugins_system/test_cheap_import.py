"""Importing the nouns costs neither a database nor a network library."""

from __future__ import annotations

import subprocess
import sys

import pytest

ENGINES = ["asyncssh", "rich", "structlog", "sqlite3", "pluggy", "cattrs", "cyclopts", "asyncio"]


def loaded_by(module: str) -> set[str]:
    """Every top-level module that a fresh interpreter has after importing ``module``."""
    script = f"import sys, {module}; print(*(name.partition('.')[0] for name in sys.modules))"
    ran = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=30
    )
    return set(ran.stdout.split())


def test_the_package_itself_loads_no_engine() -> None:
    loaded = loaded_by("hkex_ops")
    assert "hkex_ops" in loaded
    assert [] == [engine for engine in ENGINES if engine in loaded]


@pytest.mark.parametrize(
    "module",
    ["hkex_ops.model", "hkex_ops.calendars", "hkex_ops.rollouts", "hkex_ops.reports"],
)
def test_a_pure_room_loads_no_engine(module: str) -> None:
    assert [] == [engine for engine in ENGINES if engine in loaded_by(module)]


def test_the_plug_in_system_loads_pluggy_and_no_engine_of_an_adapter() -> None:
    loaded = loaded_by("hkex_ops.plugins")
    assert ["pluggy"] == [engine for engine in ENGINES if engine in loaded - {"asyncio"}]
