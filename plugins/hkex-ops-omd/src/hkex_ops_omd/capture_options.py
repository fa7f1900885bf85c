"""What an operator sets for market data from captures: files, pace, and what addresses stand for.

Every fault is a `ConfigError` when the value is made, whether from a file or by hand. Opens no
file; what a file holds is found out when the feed is opened.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from attrs import field, frozen

from hkex_ops.errors import ConfigError
from hkex_ops.omd.capture import CaptureStreams, Stream
from hkex_ops.omd.recorded import RecordedStreams
from hkex_ops.ports import FeedLine
from hkex_ops_omd.options import MulticastLine

__all__ = ["CaptureLine", "CaptureOptions"]

# At the first a day takes years, at the last half a minute; what is faster wants no pace at all.
LEAST_SPEED, MOST_SPEED = 0.001, 1_000.0

_STATED = CaptureStreams()


def _line(word: str) -> FeedLine:
    try:
        return FeedLine(word)
    except ValueError:
        raise ConfigError(f"line is {word!r} and must be one of {', '.join(FeedLine)}") from None


@frozen
class CaptureLine:
    """What was sent to one group and port: a channel, and by which line."""

    group: str
    port: int
    channel: int
    line: FeedLine = field(converter=_line)

    def __attrs_post_init__(self) -> None:
        MulticastLine(self.group, self.port)  # which says what is wrong with an address
        if not 0 <= self.channel <= 0xFFFF:
            raise ConfigError(f"channel is {self.channel} and must be from 0 to 65535")


def _paths(files: Iterable[str | Path]) -> tuple[Path, ...]:
    return tuple(Path(one) for one in files)


@frozen(kw_only=True)
class CaptureOptions:
    """The options of the market feed ``omd-capture``.

    ``files`` are pcap or pcapng files, read in the order given; a folder stands for the ones in
    it, by name. Without ``speed`` they are read as fast as can be, else that many times as fast as
    they were recorded. ``channels`` are those wanted, all where none are named. ``lines`` say what
    an address stands for; one they do not name stands for the channel ``port - base_port``, by
    line B when its group begins with ``line_b`` and else by line A, as recordings here have it.
    """

    files: tuple[Path, ...] = field(converter=_paths)
    speed: float | None = None
    channels: tuple[int, ...] = field(default=(), converter=tuple[int, ...])
    lines: tuple[CaptureLine, ...] = field(default=(), converter=tuple[CaptureLine, ...])
    base_port: int = _STATED.base_port
    line_b: str = _STATED.line_b

    def __attrs_post_init__(self) -> None:
        if not self.files:
            raise ConfigError("files is empty: name the captures to read")
        if self.speed is not None and not LEAST_SPEED <= self.speed <= MOST_SPEED:
            raise ConfigError(
                f"speed is {self.speed} and must be from {LEAST_SPEED} to {MOST_SPEED:.0f}: leave "
                "it out to read as fast as can be"
            )
        if not 0 < self.base_port < 65536:
            raise ConfigError(f"base_port is {self.base_port} and must be from 1 to 65535")
        if not self.line_b.strip():
            raise ConfigError("line_b is empty: write how the groups of line B begin")
        seen: set[tuple[str, int]] = set()
        for one in self.lines:
            if (one.group, one.port) in seen:
                raise ConfigError(f"{one.group} port {one.port} is there twice in lines")
            seen.add((one.group, one.port))

    @property
    def streams(self) -> RecordedStreams:
        """The rule that the options spell."""
        named = {(one.group, one.port): Stream(one.channel, str(one.line)) for one in self.lines}
        return RecordedStreams(CaptureStreams(self.base_port, self.line_b, named))
