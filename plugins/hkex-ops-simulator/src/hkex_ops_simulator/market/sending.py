"""Packets out by multicast on loopback, at the pace that is asked for.

One socket for everything that is sent. A pace is a factor of the market's own time; without one
packets go as fast as a receiver in the same process can take them.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Collection, Iterable

from hkex_ops.errors import ConfigError, UsageError
from hkex_ops.ports import FeedLine
from hkex_ops_simulator.market.channels import (
    GROUPS,
    LAST_BASE_PORT,
    RECOVERY,
    port_of,
)
from hkex_ops_simulator.market.lines import Delivery
from hkex_ops_simulator.market.timetable import NS

__all__ = ["ANY_BASE_PORT", "LOOPBACK", "Sender"]

LOOPBACK = "127.0.0.1"

# Let the market take ports that nobody on this machine hears.
ANY_BASE_PORT = 0
_LEAST_BASE_PORT = 1024

# Nothing that is sent leaves the machine, whatever its interfaces are.
_TTL = 0

# Packets that go out before others in the process get their turn.
_TOGETHER = 32

# Where ports are looked for, and how far apart, when any will do.
_FIRST_TRIED, _APART = 20_000, 200


class Sender:
    """Sends to the groups of a market with ``base_port``, from loopback and to loopback.

    With `ANY_BASE_PORT` it takes one at which nobody hears any of ``channels``. It has its base
    port for itself until it is closed: two markets never talk into each other. `ConfigError` where
    the port is another market's, or the machine has no multicast on loopback.
    """

    def __init__(
        self, base_port: int = ANY_BASE_PORT, channels: Collection[int] = (RECOVERY,)
    ) -> None:
        if base_port != ANY_BASE_PORT and not _LEAST_BASE_PORT <= base_port <= LAST_BASE_PORT:
            raise UsageError(
                f"{base_port} is no base port: give {_LEAST_BASE_PORT} to {LAST_BASE_PORT}, or "
                f"{ANY_BASE_PORT} for any"
            )
        self.packets = 0
        self.base_port, self._socket = _bound(base_port, channels)
        try:
            loopback = socket.inet_aton(LOOPBACK)
            self._socket.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, loopback)
            self._socket.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, _TTL)
            self._socket.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_LOOP, 1)
        except OSError as error:
            self._socket.close()
            raise _no_multicast(error) from error

    def close(self) -> None:
        """Send no more."""
        self._socket.close()

    def send(self, channel: int, line: FeedLine, packet: bytes) -> None:
        """One packet of ``channel`` on ``line``, now."""
        address = GROUPS[line], port_of(channel, self.base_port)
        try:
            self._socket.sendto(packet, address)
        except OSError as error:
            raise _no_multicast(error) from error
        self.packets += 1

    async def play(self, deliveries: Iterable[Delivery], speed: int | None = None) -> None:
        """Each delivery at its time, ``speed`` times as fast as it was; at once without one."""
        loop = asyncio.get_running_loop()
        began_s, first_ns = loop.time(), None
        for count, one in enumerate(deliveries, start=1):
            if speed is not None:
                first_ns = one.time_ns if first_ns is None else first_ns
                due_s = began_s + (one.time_ns - first_ns) / (speed * NS)
                if (wait_s := due_s - loop.time()) > 0:
                    await asyncio.sleep(wait_s)
            if count % _TOGETHER == 0:
                await asyncio.sleep(0)
            self.send(one.channel, one.line, one.packet)
        await asyncio.sleep(0)


def _bound(base_port: int, channels: Collection[int]) -> tuple[int, socket.socket]:
    """A base port, and the socket that has it: nobody else can bind the same."""
    if base_port != ANY_BASE_PORT:
        taken = _take(base_port)
        if taken is None:
            raise ConfigError(f"base port {base_port} is another market's: end that, or name one")
        return base_port, taken
    for tried in range(_FIRST_TRIED, LAST_BASE_PORT, _APART):
        taken = _take(tried)
        if taken is not None:
            if all(_is_free(port_of(channel, tried)) for channel in channels):
                return tried, taken
            taken.close()
    raise ConfigError("no ports are free for a simulated market: end other simulators")


def _take(port: int) -> socket.socket | None:
    """A socket bound to a port of loopback; nothing where somebody has it."""
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        made.bind((LOOPBACK, port))
    except OSError:
        made.close()
        return None
    return made


def _is_free(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as tried:
        try:
            tried.bind(("", port))
        except OSError:
            return False
    return True


def _no_multicast(error: OSError) -> ConfigError:
    return ConfigError(
        f"nothing can be sent by multicast on loopback ({error.strerror}): see that interface lo "
        "is up and that this process may send"
    )
