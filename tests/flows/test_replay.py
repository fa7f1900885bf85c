"""A capture replayed by any way tells what an engine tells of it, and what is amiss with it."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from itertools import chain
from pathlib import Path

import pytest
from attrs import evolve

from hkex_ops.errors import ConfigError, StoreError, UsageError
from hkex_ops.flows.index import replay_ways
from hkex_ops.flows.index.replay import Replay, ReplayPlan, ReplayWay
from hkex_ops.flows.index.replay_findings import LISTED, ReplayFinding, ReplayFindingKind
from hkex_ops.index.rules import IndexRules, TickOrder
from hkex_ops.index.ticks import TickComputed
from hkex_ops.model import IndexStatus
from hkex_ops.omd import (
    SecurityDefinition,
    Statistics,
    Trade,
    TradeCancel,
    TradingSessionStatus,
)
from hkex_ops.omd.capture import CapturedPacket
from hkex_ops.omd.recording import capture_header, capture_record
from tests.index.reference import basket_of
from tests.omd.traffic import START_NS, Arrival, busy, captured, codec, traffic

ARRIVAL = IndexRules(order=TickOrder.ARRIVAL)
EVENT_TIME = IndexRules(order=TickOrder.EVENT_TIME)
BASKETS = [
    basket_of("ONE", "20862.67", (5, 19_123_456_789, 100, 10_000, 60_300)),
    basket_of(
        "TWO",
        "26.92",
        (5, 12_345_678_901, 85, 7777, 65_850),
        (700, 12_345_678_901, 85, 7777, 60_300),
        (941, 12_345_678_901, 85, 7777, 412_250),
    ),
]
QUICK = [ReplayWay.PLAIN, ReplayWay.VECTOR, ReplayWay.COMPILED]
WANTS = {ReplayWay.VECTOR: ("numpy", "data"), ReplayWay.COMPILED: ("numba", "fast")}
KINDS = ReplayFindingKind


@pytest.fixture(params=[*QUICK, ReplayWay.ENGINE], ids=str)
def any_way(request: pytest.FixtureRequest) -> ReplayWay:
    found: ReplayWay = request.param
    if found in WANTS:
        package, extra = WANTS[found]
        pytest.importorskip(package, reason=f"wants the extra `{extra}`")
    return found


@pytest.fixture(params=QUICK, ids=str)
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> ReplayWay:
    """Compiled code is kept from test to test, and from run to run."""
    found: ReplayWay = request.param
    if found in WANTS:
        package, extra = WANTS[found]
        pytest.importorskip(package, reason=f"wants the extra `{extra}`")
    cache = request.config.cache
    assert cache is not None
    kept = cache.mkdir("compiled")
    monkeypatch.setattr("hkex_ops.flows.index.replay_ways.default_cache", lambda: kept)
    return found


def capture(path: Path, packets: Iterable[CapturedPacket]) -> Path:
    path.write_bytes(capture_header("SYNTHETIC") + b"".join(map(capture_record, packets)))
    return path


def replayed(path: Path, plan: ReplayPlan) -> tuple[list[TickComputed], tuple[ReplayFinding, ...]]:
    replay = Replay(plan)
    ticks = list(chain.from_iterable(replay.moments(path)))
    return ticks, replay.findings


def bare(ticks: Iterable[TickComputed]) -> list[tuple[int, str, int, str]]:
    """Ticks without what losses do to them: marks, and highs and lows of what is not marked."""
    return [(tick.time_ns, tick.index, tick.value_cents, tick.status.value) for tick in ticks]


@pytest.mark.parametrize("rules", [ARRIVAL, EVENT_TIME], ids=["arrival", "event-time"])
@pytest.mark.parametrize(
    "seeds", [range(6), pytest.param(range(6, 600), marks=pytest.mark.long)], ids=["some", "many"]
)
def test_every_way_tells_what_an_engine_tells(
    tmp_path: Path, way: ReplayWay, rules: IndexRules, seeds: range
) -> None:
    for seed in seeds:
        arrivals = traffic(seed, packets=300, faults=0.05, recoverable=True)
        path = capture(tmp_path / "day.pcapng", captured(arrivals))
        plan = ReplayPlan(BASKETS, rules, way, first_ns=START_NS)
        by_engine, _ = replayed(path, evolve(plan, way=ReplayWay.ENGINE))
        ticks, _ = replayed(path, plan)
        assert [] != ticks
        assert bare(by_engine)[: len(ticks)] == bare(ticks), seed


@pytest.mark.parametrize(
    "seeds", [range(5), pytest.param(range(5, 80), marks=pytest.mark.long)], ids=["some", "many"]
)
def test_every_way_marks_what_losses_make_doubtful(
    tmp_path: Path, way: ReplayWay, seeds: range
) -> None:
    """Messages that came by no line: the same ticks, with the same marks, highs and lows."""
    marked = 0
    for seed in seeds:
        path = capture(tmp_path / "day.pcapng", captured(busy(seed)))
        plan = ReplayPlan(BASKETS, EVENT_TIME, way, first_ns=START_NS)
        by_engine, found = replayed(path, evolve(plan, way=ReplayWay.ENGINE))
        ticks, _ = replayed(path, plan)
        assert by_engine == ticks, seed
        assert any(one.kind is KINDS.MESSAGES_LOST for one in found) == any(
            tick.marked for tick in ticks
        ), seed
        marked += sum(tick.marked for tick in ticks)
    assert marked


@pytest.mark.parametrize(
    "seeds", [range(5), pytest.param(range(5, 400), marks=pytest.mark.long)], ids=["some", "many"]
)
def test_every_way_marks_alike_where_nothing_is_waited_for(
    tmp_path: Path, way: ReplayWay, seeds: range
) -> None:
    """In the order of arrival, with every fault beside the losses."""
    marked = 0
    for seed in seeds:
        arrivals = traffic(
            seed, packets=300, faults=0.05, recoverable=True, own_channels=True, lost=0.03
        )
        path = capture(tmp_path / "day.pcapng", captured(arrivals))
        plan = ReplayPlan(BASKETS, ARRIVAL, way, first_ns=START_NS)
        by_engine, _ = replayed(path, evolve(plan, way=ReplayWay.ENGINE))
        ticks, _ = replayed(path, plan)
        assert by_engine == ticks, seed
        marked += sum(tick.marked for tick in ticks)
    assert marked


def test_a_price_out_of_statistics_is_known_to_an_engine_alone_and_the_others_say_so(
    tmp_path: Path, way: ReplayWay
) -> None:
    """After a loss an engine learns the last price from statistics and trusts it; the quick ways
    keep the old one, marked, until trades have healed it. What bears no mark is the same."""
    told = codec.blank(Statistics)._replace(security_code=5, last_price_3dp=61_000)
    packets = message_packets(
        (1, trade(1, 60_000)),
        (2, trade(2, 61_000)),  # comes by no line
        (3, trade(1, 60_500, 700)),
        (20, told),
        (30, trade(3, 62_000)),
        (32, trade(90, 63_000)),
        (36, trade(91, 63_000)),
    )
    path = capture(tmp_path / "day.pcapng", [*packets[:2], *packets[4:]])
    plan = ReplayPlan(BASKETS, ARRIVAL, way, first_ns=START_NS)
    by_engine, _ = replayed(path, evolve(plan, way=ReplayWay.ENGINE))
    ticks, _ = replayed(path, plan)
    pairs = [
        (one, other) for one, other in zip(by_engine, ticks, strict=True) if one.index == "ONE"
    ]
    assert all(one.value_cents == other.value_cents for one, other in pairs if not other.marked)
    assert all(other.marked for one, other in pairs if one.marked)
    earlier = [(one, other) for one, other in pairs if other.marked and not one.marked]
    assert any(one.value_cents != other.value_cents for one, other in earlier)
    assert not pairs[-1][1].marked


def test_a_copy_that_is_cut_off_ends_no_replay(tmp_path: Path) -> None:
    """Of a message that is known already, by each way, down to a header that promises more."""
    packets = message_packets((1, trade(1, 60_000)), (2, trade(2, 61_000)))
    cut = [packets[0]._replace(payload=packets[0].payload[:end]) for end in range(16, 40)]
    lying = packets[0].payload[:16].replace(b"\x30", b"\x10", 1)
    path = capture(tmp_path / "day.pcapng", [*packets, *cut, packets[0]._replace(payload=lying)])
    for way in (ReplayWay.PLAIN, ReplayWay.ENGINE):
        _, findings = replayed(path, ReplayPlan(BASKETS, ARRIVAL, way, first_ns=START_NS))
        refused = [one for one in findings if one.kind is KINDS.PACKET_REFUSED]
        assert len(cut) == len(refused)


def message_packets(*messages: tuple[float, object]) -> list[CapturedPacket]:
    """Each message in a packet of its own on both lines of channel 30, at a second of the day."""
    arrivals: list[Arrival] = []
    for sequence, (second, message) in enumerate(messages, start=1):
        at_ns = START_NS + int(second * 1_000_000_000)
        packet = codec.encode_packet([message], sequence=sequence, send_time_ns=at_ns)
        arrivals += (Arrival(30, line, at_ns + 20_000, packet) for line in "AB")
    return captured(arrivals)


def trade(number: int, price: int, security: int = 5) -> object:
    return codec.blank(Trade)._replace(security_code=security, trade_id=number, price_3dp=price)


def session(which: int) -> object:
    return codec.blank(TradingSessionStatus)._replace(
        market_code_ascii=b"MAIN", trading_session_sub_id=which
    )


@pytest.mark.parametrize("kind", [Trade, TradeCancel])
def test_a_packet_without_a_send_time_is_left_to_an_engine(
    tmp_path: Path, way: ReplayWay, kind: type[Trade | TradeCancel]
) -> None:
    """Which bounds it by what came before and behind it, and marks what it cannot know."""
    message = codec.blank(kind)._replace(security_code=5, trade_id=1 + (kind is Trade))
    packets = message_packets((1, trade(1, 60_000)), (2.5, message), (5, trade(3, 62_000)))
    untimed = [
        one._replace(payload=one.payload[:8] + bytes(8) + one.payload[16:]) for one in packets[2:4]
    ]
    path = capture(tmp_path / "day.pcapng", [*packets[:2], *untimed, *packets[4:]])
    plan = ReplayPlan(BASKETS, EVENT_TIME, way, first_ns=START_NS)
    ticks, _ = replayed(path, evolve(plan, way=ReplayWay.ENGINE))
    assert ticks
    with pytest.raises(ConfigError, match=r"without a send time.* by the way `engine`"):
        replayed(path, plan)
    in_order, _ = replayed(path, evolve(plan, rules=ARRIVAL))
    assert in_order == replayed(path, evolve(plan, rules=ARRIVAL, way=ReplayWay.ENGINE))[0]


def test_sessions_and_previous_closes_come_from_the_capture(tmp_path: Path, way: ReplayWay) -> None:
    """Opening value and real-time values with the day's highs and lows, exactly the engine's."""
    unpriced = [
        evolve(
            basket,
            constituents=tuple(
                evolve(stock, previous_close_3dp=None) for stock in basket.constituents
            ),
        )
        for basket in BASKETS
    ]
    closes = [
        (
            0.1,
            codec.blank(SecurityDefinition)._replace(
                security_code=security, previous_closing_price_3dp=60_000
            ),
        )
        for security in (5, 700, 941)
    ]
    path = capture(
        tmp_path / "day.pcapng",
        message_packets(
            *closes,
            (1, session(2)),
            (2, trade(1, 61_000)),
            (3, session(3)),
            (5, trade(2, 59_000)),
            (40, trade(3, 64_000)),
            (47, trade(4, 62_000)),
        ),
    )
    plan = ReplayPlan(unpriced, ARRIVAL, way)
    expected, _ = replayed(path, evolve(plan, way=ReplayWay.ENGINE))
    ticks, findings = replayed(path, plan)
    assert (expected, ()) == (ticks, findings)
    assert {IndexStatus.OPENING, IndexStatus.REAL_TIME} == {tick.status for tick in ticks}
    assert ticks[-1].high_cents == max(tick.value_cents for tick in ticks[1::2])
    assert ticks[-1].opening_cents is not None


def test_columns_hold_the_ticks_of_the_moments(tmp_path: Path, way: ReplayWay) -> None:
    path = capture(tmp_path / "day.pcapng", captured(traffic(3, packets=300)))
    plan = ReplayPlan(BASKETS, ARRIVAL, way, first_ns=START_NS)
    ticks, _ = replayed(path, plan)
    columns = list(Replay(plan).columns(path))
    values = [value for each in columns for row in each.values for value in row]
    assert [tick.value_cents for tick in ticks] == values


def test_an_engine_tells_no_columns(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="ask for moments"):
        Replay(ReplayPlan(BASKETS, way=ReplayWay.ENGINE)).columns(tmp_path / "day.pcapng")


def test_progress_is_told_up_to_the_last_byte(tmp_path: Path, way: ReplayWay) -> None:
    path = capture(tmp_path / "day.pcapng", captured(traffic(3, packets=1_500)))
    told: list[tuple[int, int]] = []
    plan = ReplayPlan(BASKETS, ARRIVAL, way, first_ns=START_NS)
    list(Replay(plan).columns(path, progress=lambda _, read, size: told.append((read, size))))
    size = path.stat().st_size
    assert sorted(told) == told
    assert {size} == {whole for _, whole in told}
    assert size - 2_048 < told[-1][0] <= size


def test_what_is_amiss_with_a_capture_is_found(tmp_path: Path, way: ReplayWay) -> None:
    """Refused packets, lost messages, trades out of sequence, a file that is cut off."""
    good = message_packets(*((second, trade(second, 60_000)) for second in range(1, 40)))
    late = message_packets(*((second, trade(1, 60_000)) for second in range(1, 41)))[-2:]
    packets = [*good[:20], good[20]._replace(payload=b"short"), *good[40:], *late]
    stranger = good[0]._replace(port=9)
    path = capture(tmp_path / "day.pcapng", [*packets, stranger])
    path.write_bytes(path.read_bytes()[:-1])
    _, findings = replayed(path, ReplayPlan(BASKETS, ARRIVAL, way, first_ns=START_NS))
    found = [finding.kind for finding in findings]
    assert [
        KINDS.CAPTURE_DAMAGED,
        KINDS.PACKET_REFUSED,
        KINDS.MESSAGES_LOST,
        KINDS.OUT_OF_SEQUENCE,
    ] == found
    assert [True, False, True, False] == [finding.grave for finding in findings]
    assert "a packet begins with 16 bytes" in findings[1].message
    assert "messages 11 to 20" in findings[2].message
    assert "trade 1 came after trade 39" in findings[3].message


def test_datagrams_of_no_channel_and_indexes_without_a_value_are_found(
    tmp_path: Path, way: ReplayWay
) -> None:
    stocks = [evolve(stock, previous_close_3dp=None) for stock in BASKETS[0].constituents]
    baskets = [evolve(BASKETS[0], constituents=tuple(stocks))]
    stranger = message_packets((1, trade(1, 1)))[0]._replace(port=9)
    path = capture(tmp_path / "day.pcapng", [stranger])
    _, findings = replayed(path, ReplayPlan(baskets, ARRIVAL, way, first_ns=START_NS))
    assert [KINDS.NO_CHANNEL, KINDS.NO_VALUE] == [finding.kind for finding in findings]
    assert "index ONE has no value" in findings[1].message


def test_many_findings_of_a_kind_are_counted(tmp_path: Path, way: ReplayWay) -> None:
    many = LISTED + 7
    good = message_packets(
        (1, trade(many + 1, 60_000)),
        *((1, trade(number, 60_000)) for number in range(1, many + 1)),
    )
    path = capture(tmp_path / "day.pcapng", good)
    _, findings = replayed(path, ReplayPlan(BASKETS, ARRIVAL, way, first_ns=START_NS))
    assert LISTED + 1 == len(findings)
    assert "and 7 more like these" == findings[-1].message


def test_a_file_that_is_not_there_is_an_error_of_the_store(
    tmp_path: Path, any_way: ReplayWay
) -> None:
    replay = Replay(ReplayPlan(BASKETS, ARRIVAL, any_way, cache=tmp_path))
    with pytest.raises(StoreError, match="cannot open the capture: it is not there"):
        list(replay.moments(tmp_path / "none.pcap"))


@pytest.mark.parametrize("data", [b"", b"no capture at all, but text" * 9])
def test_what_is_no_capture_is_a_finding(tmp_path: Path, any_way: ReplayWay, data: bytes) -> None:
    path = tmp_path / "day.pcap"
    path.write_bytes(data)
    ticks, findings = replayed(path, ReplayPlan(BASKETS, ARRIVAL, any_way, cache=tmp_path))
    assert ([], [KINDS.CAPTURE_DAMAGED]) == (ticks, [finding.kind for finding in findings])


@pytest.mark.parametrize("way", WANTS)
def test_a_missing_extra_is_said_in_one_sentence(
    way: ReplayWay, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    package, extra = WANTS[way]
    for name in ("hkex_ops.index.vector", "hkex_ops.omd.columns", package):
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ConfigError, match=rf"install hkex-ops\[{extra}\]"):
        Replay(ReplayPlan(BASKETS, way=way, cache=tmp_path))


def test_a_cache_that_cannot_be_made_is_an_error_of_the_store(tmp_path: Path) -> None:
    pytest.importorskip("numba", reason="wants the extra `fast`")
    blocked = tmp_path / "file"
    blocked.touch()
    with pytest.raises(StoreError, match="make the folder for compiled code"):
        Replay(ReplayPlan(BASKETS, way=ReplayWay.COMPILED, cache=blocked / "cache"))


def test_compiled_code_is_kept_in_the_folder_that_is_named(tmp_path: Path, way: ReplayWay) -> None:
    """And nothing else writes there."""
    path = capture(tmp_path / "day.pcapng", message_packets((1, trade(1, 60_000))))
    list(Replay(ReplayPlan(BASKETS, ARRIVAL, way)).moments(path))
    if way is ReplayWay.COMPILED:
        assert list(replay_ways.default_cache().rglob("*.nbi"))
