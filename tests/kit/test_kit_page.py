"""The reference of the kit names every fault, golden row, contract and bench, and no other."""

from __future__ import annotations

import re
from types import ModuleType

import attrs
import pytest

from hkex_ops import testing
from hkex_ops.plugins.kinds import COMMANDS, KINDS, ROLLOUTS
from hkex_ops.testing import (
    faults,
    index_feed_faults,
    index_publisher_faults,
    market_feed_faults,
    notifier_faults,
    oapi_gateway_faults,
    probe_faults,
)
from hkex_ops.testing.golden import Golden
from hkex_ops.testing.simulation import SimulatedBench
from tests.wheel import CHECKOUT

PAGE = (CHECKOUT / "docs/reference/conformance-kit.md").read_text(encoding="utf-8")
MODULES = (
    faults,
    market_feed_faults,
    index_publisher_faults,
    index_feed_faults,
    oapi_gateway_faults,
    notifier_faults,
    probe_faults,
)


def table(heading: str) -> list[list[str]]:
    """The rows of the table below a heading, that of the columns first."""
    section = PAGE.split(f"## {heading}", 1)[1].split("\n## ", 1)[0]
    rows = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in (rows[0], *rows[2:])]


def name_of(module: ModuleType) -> str:
    return f"`{module.__name__.rpartition('.')[2]}`"


@pytest.mark.parametrize("module", MODULES, ids=name_of)
def test_the_page_names_the_faults_of_each_port(module: ModuleType) -> None:
    columns, *rows = table("Faults")
    place = columns.index(name_of(module))
    stated = {row[0].strip("`") for row in rows if row[place]}
    assert set(module.__all__) - {"Faulty"} == stated


def test_the_page_names_contract_bench_and_fake_of_every_port() -> None:
    _, *rows = table("For each port")
    ports = [kind for kind in KINDS if kind not in (COMMANDS, ROLLOUTS)]
    assert len(ports) == len(rows)
    named = {name for row in rows for cell in row[1:4] for name in re.findall(r"`(\w+)`", cell)}
    kept = {name for name in testing.__all__ if name.endswith(("Contract", "Bench"))}
    assert {name for name in kept if not name.startswith("Fake")} <= named
    assert named <= set(testing.__all__)


def test_the_page_names_every_golden_row_and_every_bench_that_is_simulated() -> None:
    _, *rows = table("Golden data")
    assert [one.name for one in attrs.fields(Golden)] == [row[0].strip("`") for row in rows]
    _, *rows = table("`simulate(")
    benches = {bench.__name__ for bench in SimulatedBench.__args__}
    assert benches == {row[0].strip("`") for row in rows}
