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


def test_a_fetch_loads_no_log_no_terminal_and_nothing_that_waits_until_it_needs_them() -> None:
    unneeded = ["structlog", "rich", "stamina", "tenacity", "zipfile", "cattrs", "cyclopts"]
    assert [] == [name for name in unneeded if name in loaded_by("hkex_ops.flows.fetch")]


SAYING = """
import sys
from hkex_ops import log
log.Logger().info(log.REPORT_KEPT, name="one.csv")
print("structlog" in sys.modules)
log.Logger().warning(log.REPORT_FINDING, name="two.csv")
import structlog
log.Logger().info(log.REPORT_KEPT, name="three.csv")
"""


def test_a_program_that_never_loaded_structlog_is_told_only_what_a_person_should_look_at() -> None:
    ran = subprocess.run(
        [sys.executable, "-c", SAYING], capture_output=True, text=True, check=True, timeout=30
    )
    first, *told = ran.stdout.splitlines()
    assert "False" == first
    assert ["two.csv", "three.csv"] == [
        next(name for name in ("one.csv", "two.csv", "three.csv") if name in line) for line in told
    ]
