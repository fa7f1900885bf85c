"""Captures read as columns hold what arbiters deliver and the codec reads, whoever reads them."""

from __future__ import annotations

import pytest

from hkex_ops.errors import WireError
from hkex_ops.omd import Trade
from hkex_ops.omd.events import PacketRefused
from hkex_ops.omd.merging import POLL_NS, Merger
from hkex_ops.omd.scanning import CaptureSubscription
from hkex_ops.omd.streaming import Piece, Subscription
from tests.omd.test_streaming import FORMATS, SEEDS
from tests.omd.traffic import ALSO, START_NS, STEP_NS, Arrival, codec, reference, told, traffic

columns = pytest.importorskip("hkex_ops.omd.columns", reason="wants the extra `data`")


def rows_of(piece: columns.ColumnPiece) -> Piece:
    """Columns as rows again."""
    trades, marks, channels = piece
    rows = list(zip(*(column.tolist() for column in trades), strict=True))
    return Piece(rows, marks, list(enumerate(channels.tolist())))


def by_numpy(subscription: Subscription) -> columns.ColumnSubscription:
    return columns.ColumnSubscription(subscription)


def by_loop(subscription: Subscription) -> columns.ColumnSubscription:
    """The loop that is made to be compiled, as the Python that it is."""
    from hkex_ops.omd.accelerated import AcceleratedSubscription, compiled_scan

    return AcceleratedSubscription(subscription, compiled_scan(lambda function: function))


READERS = {"numpy": by_numpy, "loop": by_loop}


def in_columns(
    data: bytes, *, piece: int, reader: str = "numpy"
) -> tuple[list[Piece], list[object]]:
    merger = Merger(codec)
    subscription = Subscription(codec, step_ns=STEP_NS, also=ALSO, merger=merger)
    subscribed = READERS[reader](subscription)
    pieces = [
        rows_of(subscribed.feed_columns(data[at : at + piece])) for at in range(0, len(data), piece)
    ]
    rest, error = subscribed.close_columns()
    assert error is None
    return [*pieces, rows_of(rest)], list(merger.health)


@pytest.fixture(autouse=True)
def small_slices_are_worth_while(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else captures of a test's size would all be read the plain way."""
    monkeypatch.setattr(columns, "WORTHWHILE_BYTES", 0)


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("seeds", SEEDS)
def test_columns_hold_what_arbiters_deliver(seeds: range, form: str, reader: str) -> None:
    """Of captures with every fault, in slices large and small."""
    for seed in seeds:
        arrivals = traffic(seed, faults=(0.1, 0.02, 0.0)[seed % 3])
        data, expected = FORMATS[form](arrivals), reference(arrivals)
        for piece in (1 << 20, 5_000):
            pieces, health = in_columns(data, piece=piece, reader=reader)
            assert expected == (told(pieces), health), (seed, piece)


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("seed", [448, 552])
def test_an_unsound_packet_is_told_though_others_bring_what_it_held(seed: int, reader: str) -> None:
    """It came early, and before it was its turn the other line had brought its messages in packets
    of another cut: nobody would have read it."""
    arrivals = traffic(seed, faults=(0.1, 0.02, 0.0)[seed % 3])
    pieces, health = in_columns(FORMATS["pcapng"](arrivals), piece=5_000, reader=reader)
    assert reference(arrivals) == (told(pieces), health)


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("form", ["pcap", "pcapng"])
def test_packets_that_overtake_each_other_are_read_without_the_plain_reader(
    form: str, reader: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Losses on one line, copies, other boundaries and packets out of order need no help."""
    arrivals = traffic(5, packets=2_000, faults=0.05, recoverable=True)
    arrivals = [one for one in arrivals if is_sound(one)]
    helped: list[int] = []
    one_record = CaptureSubscription._one

    def watched(self: CaptureSubscription, data: bytes, at: int) -> int:
        helped.append(at)
        return one_record(self, data, at)

    monkeypatch.setattr(CaptureSubscription, "_one", watched)
    pieces, health = in_columns(FORMATS[form](arrivals), piece=1 << 20, reader=reader)
    assert (reference(arrivals)[0], []) == (told(pieces), health)
    assert len(helped) < len(arrivals) / 4


@pytest.mark.parametrize("reader", READERS)
def test_a_packet_that_leaps_is_judged_by_what_had_come_before_it(reader: str) -> None:
    """And not by what it overtook, though that comes soon after."""
    arrivals = [
        Arrival(30, "A", START_NS + after_ns, packet)
        for after_ns, sequence in enumerate((1, 2, 4, 1 << 30, 3, *range(5, 60)))
        for packet in [codec.encode_packet([codec.blank(Trade)], sequence=sequence, send_time_ns=9)]
    ]
    pieces, health = in_columns(FORMATS["pcap"](arrivals), piece=1 << 20, reader=reader)
    assert reference(arrivals) == (told(pieces), health)
    assert ["leaps from number 4 to 1073741824, and no other packet agrees yet"] == [
        one.reason for one in health if isinstance(one, PacketRefused)
    ]


def test_what_waits_is_looked_after_on_one_grid() -> None:
    """The compiled loop has the grid as a number of its own."""
    from hkex_ops.omd import kernels

    assert POLL_NS == kernels.POLL_NS


@pytest.mark.parametrize("reader", READERS)
def test_a_gap_is_told_on_the_grid_whoever_reads(reader: str) -> None:
    """Of packets that wait across a place of the grid, and longer than a gap may stay untold."""
    million = 1_000_000
    first = [(0, 30, 1), (0, 31, 1), (2, 31, 2), (80, 30, 3), (101, 31, 3), (133, 31, 4)]
    later = [(205 + number, 31, number) for number in range(5, 60)]
    arrivals = [
        Arrival(channel, "A", START_NS + after_ms * million, packet)
        for after_ms, channel, sequence in [*first, *later]
        for packet in [codec.encode_packet([codec.blank(Trade)], sequence=sequence, send_time_ns=9)]
    ]
    pieces, health = in_columns(FORMATS["pcap"](arrivals), piece=1 << 20, reader=reader)
    assert reference(arrivals) == (told(pieces), health)
    assert START_NS + 210 * million == health[0].at_ns


def is_sound(arrival: Arrival) -> bool:
    try:
        return codec.check(arrival.packet) < 0
    except WireError:
        return False
