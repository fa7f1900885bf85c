"""The ``[index]`` table: paths beside the file, rules in their own classes, every fault at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from hkex_ops.config.index import IndexSettings, index_faults
from hkex_ops.config.settings import load_settings
from hkex_ops.errors import ConfigError
from hkex_ops.index.rules import TickOrder
from hkex_ops.model import SiteRole

WHOLE = """
[index]
baskets = "baskets.toml"
folder = "/var/lib/runs"
specification = "omd-c-1.45"
feed = "exchange"
publish = ["file", "mail"]

[index.rules]
interval_s = 15
order = "arrival"
[index.gateway]
proving_ticks = 5
[index.contingency]
waits_s = 30
[index.watch]
opening_due = "09:31:00"
[index.run]
engine_sites = ["secondary"]
contingency_sites = ["primary"]
watchdog_ms = 2000
hold_back_ms = 2500
"""

# Each line is wrong by itself, and all are told of one file.
WRONG = """
[index.rules]
interval_s = 0
[index.gateway]
proving_ticks = 0
[index.watch]
opening_due = "nine"
[index.run]
engine_sites = []
watchdog_ms = 3
hold_back_ms = 3
gap_ms = 9
checkpoint_s = 0
restart_ms = 500
restart_longest_ms = 400
"""


def load(folder: Path, text: str) -> IndexSettings:
    path = folder / "config.toml"
    path.write_text(text, "utf-8")
    return load_settings(path).index


def faults(folder: Path, text: str) -> dict[str, str]:
    with pytest.raises(ConfigError) as caught:
        load(folder, text)
    return {fault.path: fault.message for fault in caught.value.faults}


def test_everything_can_be_said(tmp_path: Path) -> None:
    found = load(tmp_path, WHOLE)
    assert (tmp_path / "baskets.toml", Path("/var/lib/runs")) == (found.baskets, found.folder)
    assert ("exchange", ("file", "mail")) == (found.feed, found.publish)
    assert (15, TickOrder.ARRIVAL) == (found.rules.interval_s, found.rules.order)
    assert (5, 30, "09:31:00") == (
        found.gateway.proving_ticks,
        found.contingency.waits_s,
        found.watch.opening_due,
    )
    assert ((SiteRole.SECONDARY,), (SiteRole.PRIMARY,)) == (
        found.run.engine_sites,
        found.run.contingency_sites,
    )


def test_nothing_need_be_said(tmp_path: Path) -> None:
    found = load(tmp_path, "")
    assert IndexSettings() == found
    assert [] == list(index_faults(found))


def test_every_fault_is_told_at_once_with_its_place(tmp_path: Path) -> None:
    found = faults(tmp_path, WRONG)
    assert {
        "index.rules.interval_s",
        "index.gateway.proving_ticks",
        "index.watch.opening_due",
        "index.run.engine_sites",
        "index.run.watchdog_ms",
        "index.run.hold_back_ms",
        "index.run.gap_ms",
        "index.run.checkpoint_s",
        "index.run.restart_longest_ms",
    } == set(found)
    assert "names no site" == found["index.run.engine_sites"]


def test_a_message_that_hangs_must_be_noticed_before_the_next_engine_takes_it(
    tmp_path: Path,
) -> None:
    for hold_back_ms, wrong in ((1_000, True), (1_249, True), (1_250, False)):
        text = f"[index.run]\nwatchdog_ms = 1000\nhold_back_ms = {hold_back_ms}\n"
        if wrong:
            found = faults(tmp_path, text)
            assert ["index.run.hold_back_ms"] == list(found)
            assert "would reach the next" in found["index.run.hold_back_ms"]
        else:
            load(tmp_path, text)


@pytest.mark.parametrize(
    ("text", "path", "said"),
    [
        ("[index]\nbasket = 'b.toml'\n", "index.basket", "did you mean 'baskets'?"),
        ("[index.run]\nengine_sites = ['third']\n", "index.run.engine_sites", "primary"),
        ("[index.rules]\ninterval_s = '2'\n", "index.rules.interval_s", "whole number"),
        ("[index]\npublish = 'file'\n", "index.publish", "list"),
    ],
)
def test_a_slip_is_said_with_what_is_possible(
    tmp_path: Path, text: str, path: str, said: str
) -> None:
    found = faults(tmp_path, text)
    [(place, message)] = found.items()
    assert (True, True) == (place.startswith(path), said in message), found
