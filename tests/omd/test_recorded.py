"""Addresses of a recording: every channel and line has one, and it leads back."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from hkex_ops.errors import UsageError
from hkex_ops.omd.capture import CaptureStreams, Stream
from hkex_ops.omd.recorded import RecordedStreams
from hkex_ops.ports import FeedLine

channels = st.integers(0, 14_535)


@given(channels, st.sampled_from(FeedLine))
def test_every_line_of_a_channel_is_found_again(channel: int, line: FeedLine) -> None:
    streams = RecordedStreams()
    assert (channel, str(line)) == streams.of(*streams.where(channel, line))


@given(channels, channels)
def test_no_two_lines_share_an_address(one: int, other: int) -> None:
    streams = RecordedStreams()
    wanted = {(channel, line) for channel in (one, other) for line in FeedLine}
    assert len(wanted) == len({streams.where(channel, line) for channel, line in wanted})


@given(channels)
def test_a_reader_of_lines_takes_what_was_sent_again_for_a_copy(channel: int) -> None:
    """And neither refresh nor recovery for anything of a channel."""
    recorded, lines = RecordedStreams(), CaptureStreams()
    assert Stream(channel, "A") == lines.of(*recorded.where(channel, FeedLine.RETRANSMISSION))
    assert lines.of(*recorded.where(channel, FeedLine.REFRESH)) is None
    assert lines.of(*recorded.where(channel, FeedLine.RECOVERY)) is None


def test_a_named_stream_comes_first() -> None:
    named = {("239.1.252.1", 20_005): Stream(7, "B")}
    streams = RecordedStreams(CaptureStreams(named=named))
    assert Stream(7, "B") == streams.of("239.1.252.1", 20_005)
    assert ("239.1.252.1", 20_005) == streams.where(7, "B")
    with pytest.raises(UsageError, match="channel 5, line refresh"):
        streams.where(5, FeedLine.REFRESH)


@pytest.mark.parametrize(
    ("channel", "line"),
    [(60_000, "A"), (15_000, "refresh"), (-1, "recovery"), (14_536, "retransmission"), (1, "C")],
)
def test_what_has_no_address_is_refused(channel: int, line: str) -> None:
    with pytest.raises(UsageError, match=f"channel {channel}, line {line}"):
        RecordedStreams().where(channel, line)


@pytest.mark.parametrize(("group", "port"), [("239.1.252.1", 19_999), ("239.1.252.1", 35_000)])
def test_what_no_recording_writes_is_no_market_data(group: str, port: int) -> None:
    assert RecordedStreams().of(group, port) is None
