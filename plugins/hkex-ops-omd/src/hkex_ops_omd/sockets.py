"""UDP multicast sockets of Linux: made, joined, left, and asked how much they dropped.

One socket per line, bound to its group, so that the kernel sorts the lines and each has a buffer
of its own. Knows nothing of packets or of the event loop.
"""

from __future__ import annotations

import fcntl
import socket
import struct

from attrs import frozen

from hkex_ops.errors import HkexOpsError
from hkex_ops_omd.options import MulticastLine
from hkex_ops_omd.translation import misconfigured

__all__ = [
    "SocketState",
    "arrived_ns",
    "given_buffer_bytes",
    "receiving_socket",
    "sending_socket",
    "state_of",
]

# Linux names that Python 3.11's socket module does not know.
SO_RCVBUFFORCE = 33
SO_MEMINFO = 55
IP_MULTICAST_ALL = 49

# Of linux/sockios.h: when the packet that was taken last had come, as seconds and nanoseconds.
SIOCGSTAMPNS = 0x8907
_STAMP = struct.Struct("=qq")
_NS_PER_S = 1_000_000_000

# struct of nine counters behind SO_MEMINFO (linux/sock_diag.h): bytes waiting first, drops last.
_MEMINFO = struct.Struct("=9I")

# The largest buffer that the kernel's signed 32-bit size can state; it doubles what is asked.
_MOST_BUFFER_BYTES = (1 << 30) - 1


@frozen
class SocketState:
    """What the kernel says of a socket: bytes that wait, and packets dropped since it was made."""

    waiting_bytes: int
    dropped_packets: int


def receiving_socket(line: MulticastLine, interface: str, buffer_bytes: int) -> socket.socket:
    """A non-blocking socket that hears ``line`` through the local address ``interface``.

    Several processes may hear the same line. The buffer is as near to ``buffer_bytes`` as the
    kernel gives. Raises `ConfigError` when this machine has no such interface, may not use the
    port, or may join no more groups.
    """
    where = line.interface or interface
    made = _udp(f"hearing {line}")
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        _ask_for_buffer(made, buffer_bytes)
        # Or a group that anybody else on this machine joined would be heard through any interface.
        made.setsockopt(socket.IPPROTO_IP, IP_MULTICAST_ALL, 0)
        made.bind((line.group, line.port))
        membership = socket.inet_aton(line.group) + socket.inet_aton(where)
        made.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, membership)
    except OSError as error:
        made.close()
        raise _cannot_join(error, line, where) from error
    return made


def sending_socket(interface: str, ttl: int) -> socket.socket:
    """A non-blocking socket that sends to groups through the local address ``interface``.

    ``ttl`` is how many routers may pass its packets on. What is sent is heard on this machine too.
    Raises `ConfigError` when this machine has no such interface.
    """
    made = _udp(f"sending through {interface}")
    try:
        made.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(interface))
        made.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, ttl)
        made.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_LOOP, 1)
    except OSError as error:
        made.close()
        advice = "set interface to the address of a local interface"
        raise misconfigured(error, f"sending through {interface}", advice) from error
    return made


def given_buffer_bytes(made: socket.socket) -> int:
    """The receive buffer that the kernel gave; it states twice that, for its own book-keeping."""
    return made.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) // 2


def state_of(made: socket.socket) -> SocketState | None:
    """What the kernel counts of a socket; ``None`` where it does not tell."""
    try:
        counters = made.getsockopt(socket.SOL_SOCKET, SO_MEMINFO, _MEMINFO.size)
    except OSError:
        return None
    if len(counters) != _MEMINFO.size:
        return None
    waiting_bytes, *_, dropped_packets = _MEMINFO.unpack(counters)
    return SocketState(waiting_bytes, dropped_packets)


def arrived_ns(made: socket.socket) -> int | None:
    """When the packet that was taken last had come, in nanoseconds since 1970 UTC; ``None`` where
    the kernel does not tell, as for the first ones."""
    try:
        stamp = fcntl.ioctl(made.fileno(), SIOCGSTAMPNS, bytes(_STAMP.size))
    except OSError:
        return None
    seconds, nanoseconds = _STAMP.unpack(stamp)
    return int(seconds * _NS_PER_S + nanoseconds) or None


def _udp(doing: str) -> socket.socket:
    try:
        made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    except OSError as error:
        raise misconfigured(error, doing, "raise the limit of open files") from error
    made.setblocking(False)
    return made


def _ask_for_buffer(made: socket.socket, buffer_bytes: int) -> None:
    wanted = min(buffer_bytes, _MOST_BUFFER_BYTES)
    try:
        # Beyond net.core.rmem_max, where this process may (CAP_NET_ADMIN).
        made.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, wanted)
    except PermissionError:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, wanted)


def _cannot_join(error: OSError, line: MulticastLine, interface: str) -> HkexOpsError:
    return misconfigured(
        error,
        f"hearing {line} through {interface}",
        "set interface to the address of a local interface that takes multicast, and see that "
        "the port is free",
    )
