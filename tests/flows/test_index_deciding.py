"""Gateway and contingency path as one: what goes out, once, and on whose word. Time is turned."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from hkex_ops.errors import UsageError
from hkex_ops.flows.index.deciding import Decided, Deciding
from hkex_ops.index.contingency import ContingencyMode, ModeChanged
from hkex_ops.index.gateway_events import GatewayState
from hkex_ops.index.records import SessionRecord
from hkex_ops.index.rules import ContingencyRules, GatewayRules, IndexRules
from hkex_ops.index.snapshot import SnapshotValue
from hkex_ops.index.ticks import TickComputed, time_ns_of
from hkex_ops.model import IndexStatus, IndexTick, SiteRole, TickKind
from tests.flows.index_market import SESSIONS, TEN

RULES = IndexRules(settle_ms=1_000)
SITES = {"engine-1": SiteRole.PRIMARY, "engine-2": SiteRole.SECONDARY}
SYSTEMS = {"contingency-1": SiteRole.PRIMARY, "contingency-2": SiteRole.SECONDARY}


def at(seconds: float) -> datetime:
    return TEN + timedelta(seconds=seconds)


def tick(seconds: int, cents: int = 2_000_000, stale: tuple[int, ...] = ()) -> TickComputed:
    time_ns = time_ns_of(at(seconds))
    return TickComputed("0000100", time_ns, cents, cents, cents, IndexStatus.REAL_TIME, stale=stale)


def value(seconds: int, cents: int = 2_000_000) -> SnapshotValue:
    return SnapshotValue("0000100", time_ns_of(at(seconds)), Decimal(cents).scaleb(-2), ())


def out(*decided: Decided) -> list[tuple[TickKind, datetime, Decimal]]:
    """What is to be published, in order."""
    return [
        (one.kind, one.at, one.value) for part in decided for ticks in part.ticks for one in ticks
    ]


def modes(decided: Decided) -> list[tuple[str, ContingencyMode]]:
    return [(one.name, one.after) for one in decided.events if isinstance(one, ModeChanged)]


class Bench:
    """A deciding of a day on which ticks are due from ten o'clock on."""

    def __init__(self) -> None:
        self.deciding = Deciding(
            SITES,
            SYSTEMS,
            rules=RULES,
            gateway_rules=GatewayRules(proving_ticks=2),
            contingency_rules=ContingencyRules(waits_s=2),
            due=True,
        )

    def moment(
        self, seconds: int, engines: Sequence[str] = tuple(SITES), cents: int = 2_000_000
    ) -> list[Decided]:
        """Everybody named tells a moment, a moment later; the check agrees."""
        now = at(seconds + 0.1)
        told = [self.deciding.ticks(name, (tick(seconds, cents),), now) for name in engines]
        told += [self.deciding.values(name, (value(seconds, cents),), now) for name in SYSTEMS]
        return [*told, self.deciding.poll(now)]


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_a_moment_goes_out_once_however_many_tell_it(bench: Bench) -> None:
    decided = bench.moment(2)
    assert [(TickKind.REAL_TIME, at(2), Decimal("20000.00"))] == out(*decided)


def test_silence_brings_contingency_values_until_engines_are_proven_right(bench: Bench) -> None:
    bench.moment(2)
    for name in SYSTEMS:
        bench.deciding.values(name, (value(4),), at(4.1))
    decided = bench.deciding.poll(at(6.2))
    assert [(name, ContingencyMode.ACTIVE) for name in SYSTEMS] == modes(decided)
    assert [(TickKind.CONTINGENCY, at(4), Decimal("20000.00"))] == out(decided)
    assert GatewayState.HELD is bench.deciding.gateway.state
    assert [] == out(*bench.moment(8))
    proven = bench.moment(10)
    assert [(TickKind.REAL_TIME, at(10), Decimal("20000.00"))] == out(*proven)
    assert [(name, ContingencyMode.STANDBY) for name in SYSTEMS] == [
        change for part in proven for change in modes(part)
    ]


def test_the_second_system_speaks_when_the_first_has_no_values(bench: Bench) -> None:
    bench.moment(2)
    bench.deciding.values("contingency-2", (value(4),), at(4.1))
    decided = [bench.deciding.poll(at(6.2)), bench.deciding.poll(at(8.3))]
    assert [(TickKind.CONTINGENCY, at(4), Decimal("20000.00"))] == out(*decided)


def test_values_that_never_come_are_stood_in_for_by_the_newest(bench: Bench) -> None:
    """The market itself is silent: what is known is said, with the time it is of."""
    bench.moment(2)
    decided = [bench.deciding.poll(at(second)) for second in (6.2, 9, 12)]
    assert (TickKind.CONTINGENCY, at(2), Decimal("20000.00")) in out(*decided)


def test_a_person_declares_and_stands_down(bench: Bench) -> None:
    bench.moment(2)
    declared = bench.deciding.declare("Chan", "values look wrong", at(2.5))
    assert [(name, ContingencyMode.ORDERED) for name in SYSTEMS] == modes(declared)
    held = bench.moment(4)
    assert [TickKind.CONTINGENCY] * len(out(*held)) == [kind for kind, _, _ in out(*held)]
    bench.deciding.stand_down("Chan", "checked", at(4.5))
    assert [] == [one for one in out(*bench.moment(6)) if one[0] is TickKind.REAL_TIME]
    assert (TickKind.REAL_TIME, at(8), Decimal("20000.00")) in out(*bench.moment(8))


def test_whoever_vouches_need_not_wait_for_proof(bench: Bench) -> None:
    bench.moment(2)
    bench.deciding.declare("Chan", "values look wrong", at(2.5))
    bench.deciding.stand_down("Chan", "checked by hand", at(3), vouch=True)
    assert (TickKind.REAL_TIME, at(4), Decimal("20000.00")) in out(*bench.moment(4))


@pytest.mark.parametrize(("by", "reason"), [("", "why"), ("Chan", "")])
def test_an_order_names_somebody_and_a_reason(bench: Bench, by: str, reason: str) -> None:
    with pytest.raises(UsageError):
        bench.deciding.declare(by, reason, at(2))
    assert ContingencyMode.STANDBY is bench.deciding.mode


def test_nothing_is_stood_down_that_was_not_declared(bench: Bench) -> None:
    with pytest.raises(UsageError, match="cannot be released: it is standby"):
        bench.deciding.stand_down("Chan", "checked", at(2))


def test_a_session_of_the_past_changes_nothing(bench: Bench) -> None:
    """An engine that catches up tells the sessions of the morning."""
    late, early = (
        SessionRecord(SESSIONS, number, "MAIN", session, 30, time_ns_of(at(seconds)))
        for number, session, seconds in ((9, 3, 1), (5, 2, -600))
    )
    bench.deciding.session_heard(late, at(1))
    bench.deciding.session_heard(early, at(2))
    bench.deciding.session_heard(late._replace(session=1, send_time_ns=0), at(2))
    assert late == bench.deciding.session


def test_a_successor_stands_where_it_stood_and_publishes_nothing_twice(bench: Bench) -> None:
    bench.moment(2)
    bench.moment(4)
    bench.deciding.declare("Chan", "values look wrong", at(4.5))
    snapshot = json.loads(json.dumps(bench.deciding.snapshot()))
    other = Bench()
    other.deciding.restore(snapshot)
    assert (ContingencyMode.ORDERED, GatewayState.ORDERED) == (
        other.deciding.mode,
        other.deciding.gateway.state,
    )
    other.deciding.stand_down("Chan", "checked by hand", at(5), vouch=True)
    real_time = [one for one in out(*other.moment(4), *other.moment(6)) if one[0] == "real-time"]
    assert [(TickKind.REAL_TIME, at(6), Decimal("20000.00"))] == real_time


def test_versions_go_out_while_engines_are_believed_and_not_else(bench: Bench) -> None:
    version = IndexTick("1006800", at(2), Decimal("60000.00"), status=IndexStatus.CLOSING)
    assert [(TickKind.REAL_TIME, at(2), Decimal("60000.00"))] == out(
        bench.deciding.versions((version,))
    )
    bench.deciding.declare("Chan", "values look wrong", at(2.5))
    assert [] == out(bench.deciding.versions((version,)))
