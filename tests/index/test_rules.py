"""Settings: defaults that make sense, and a sentence for each that does not."""

from __future__ import annotations

import pytest

from hkex_ops.index.rules import (
    ContingencyRules,
    GatewayRules,
    IndexRules,
    WatchRules,
    faults_of_rules,
)

Rules = IndexRules | GatewayRules | ContingencyRules | WatchRules


@pytest.mark.parametrize(
    "rules", [IndexRules(), GatewayRules(), ContingencyRules(), WatchRules()], ids=repr
)
def test_the_defaults_have_no_faults(rules: Rules) -> None:
    """Whoever states nothing runs."""
    assert [] == list(faults_of_rules(rules))


@pytest.mark.parametrize(
    ("rules", "fault"),
    [
        (IndexRules(interval_s=0), ("interval_s", "is 0; the least that makes sense is 1")),
        (IndexRules(decimals=5), ("decimals", "is 5; Index Data (71) carries 4")),
        (
            IndexRules(trade_types=()),
            ("trade_types", "is empty; without a type no trade ever sets a price"),
        ),
        (GatewayRules(proving_ticks=0), ("proving_ticks", "is 0; the least that makes sense is 1")),
        (ContingencyRules(waits_s=-1), ("waits_s", "is -1; the least that makes sense is 0")),
        (
            WatchRules(opening_due="9:22"),
            ("opening_due", "'9:22' is no time of day such as 09:22:30"),
        ),
        (
            WatchRules(opening_due="24:00:00"),
            ("opening_due", "'24:00:00' is no time of day such as 09:22:30"),
        ),
    ],
    ids=lambda one: one[0] if isinstance(one, tuple) else "",
)
def test_a_setting_that_makes_no_sense_is_named(rules: Rules, fault: tuple[str, str]) -> None:
    """With what would."""
    assert [fault] == list(faults_of_rules(rules))
