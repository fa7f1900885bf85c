"""A channel of which nothing has come since its Sequence Reset holds up no reader.

Its next message may have the reset's own number or the one after, so that there is something to be
waited for once it comes, and nothing before. Heartbeats come all the while.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import count

import pytest

from hkex_ops.omd import SequenceReset, Trade
from hkex_ops.omd.merging import Merger
from hkex_ops.omd.scanning import CaptureSubscription
from hkex_ops.omd.streaming import Piece, Subscription
from tests.omd.test_streaming import FORMATS
from tests.omd.traffic import ALSO, START_NS, STEP_NS, Arrival, codec, reference, told

BUSY, IDLE = 30, 31
MILLISECOND_NS = 1_000_000
SECOND_NS = 1_000 * MILLISECOND_NS
MINUTE_NS = 60 * SECOND_NS
QUIET_NS = 3 * SECOND_NS


def trade(channel: int, number: int, at_ns: int) -> bytes:
    message = codec.blank(Trade)._replace(security_code=channel, trade_id=number, price_3dp=number)
    return codec.encode_packet([message], sequence=number, send_time_ns=at_ns)


def by_both_lines(channel: int, at_ns: int, packet: bytes) -> list[Arrival]:
    return [Arrival(channel, line, at_ns + place, packet) for place, line in enumerate("AB")]


def idle_for_a_minute(first: int) -> list[Arrival]:
    """Both are reset; one trades, the other comes late, with messages from ``first`` on."""
    found: list[Arrival] = []
    for channel in (BUSY, IDLE):
        reset = codec.blank(SequenceReset)._replace(new_sequence=1)
        packet = codec.encode_packet([reset], sequence=1, send_time_ns=START_NS)
        found += by_both_lines(channel, START_NS + channel, packet)
    numbers = count(2)
    for at_ns in range(START_NS + SECOND_NS, START_NS + MINUTE_NS, 50 * MILLISECOND_NS):
        found += by_both_lines(BUSY, at_ns, trade(BUSY, next(numbers), at_ns))
        if not (at_ns - START_NS) % STEP_NS:
            beat = codec.encode_packet((), sequence=1, send_time_ns=at_ns)
            found += by_both_lines(IDLE, at_ns + 10, beat)
    at_ns = START_NS + MINUTE_NS
    for number in range(first, first + 3):
        found += by_both_lines(IDLE, at_ns + 20, trade(IDLE, number, at_ns))
        found += by_both_lines(BUSY, at_ns + 40, trade(BUSY, next(numbers), at_ns))
        at_ns += 40 * MILLISECOND_NS
    return found


def read_by(reader: str, data: bytes, *, quiet_ns: int = 0) -> tuple[list[Piece], list[object]]:
    """What each reader reads of a capture, in pieces of 20,000 bytes, and what it tells."""
    merger = Merger(codec)
    subscription = Subscription(codec, step_ns=STEP_NS, also=ALSO, merger=merger, quiet_ns=quiet_ns)
    pieces: list[Piece] = []
    slices = [data[at : at + 20_000] for at in range(0, len(data), 20_000)]
    if reader == "rows":
        plain = CaptureSubscription(subscription)
        pieces += [plain.feed(one) for one in slices]
        rest, error = plain.close()
    else:
        pytest.importorskip("hkex_ops.omd.columns", reason="wants the extra `data`")
        from tests.omd.test_columns import READERS, rows_of

        subscribed = READERS[reader](subscription)
        pieces += [rows_of(subscribed.feed_columns(one)) for one in slices]
        last, error = subscribed.close_columns()
        rest = rows_of(last)
    assert error is None
    return [*pieces, rest], list(merger.health)


@pytest.fixture
def helped(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A word for each record or packet that was looked at by itself."""
    found: list[str] = []

    def watch(owner: type, name: str) -> None:
        plain: Callable[..., object] = getattr(owner, name)

        def watched(*args: object, **named: object) -> object:
            found.append(name)
            return plain(*args, **named)

        monkeypatch.setattr(owner, name, watched)

    watch(CaptureSubscription, "_one")
    watch(Merger, "take")
    watch(Merger, "is_due")
    return found


@pytest.mark.parametrize("reader", ["rows", "numpy", "loop"])
@pytest.mark.parametrize("form", ["pcap", "pcapng", "pcap, VLAN"])
@pytest.mark.parametrize("first", [1, 2, 3])
def test_what_comes_of_an_idle_channel_in_the_end_is_read_as_an_arbiter_delivers_it(
    first: int, form: str, reader: str
) -> None:
    """With the reset's own number, the one after it, or with a message missing."""
    arrivals = idle_for_a_minute(first)
    pieces, health = read_by(reader, FORMATS[form](arrivals))
    assert reference(arrivals) == (told(pieces), health)


@pytest.mark.parametrize("quiet_ns", [0, QUIET_NS])
@pytest.mark.parametrize("reader", ["rows", "numpy", "loop"])
@pytest.mark.parametrize("form", ["pcap", "pcapng"])
def test_the_others_are_read_the_plain_way_while_a_channel_is_idle(
    form: str, reader: str, quiet_ns: int, helped: list[str]
) -> None:
    """It would be for every packet of all day, where a channel has nothing to say all day."""
    arrivals = idle_for_a_minute(2)
    pieces, _ = read_by(reader, FORMATS[form](arrivals), quiet_ns=quiet_ns)
    assert len(arrivals) > 2_000
    rows = sum(len(piece.rows) for piece in pieces)
    assert len({arrival.packet for arrival in arrivals if len(arrival.packet) > 30}) == rows
    assert len(helped) < 100
