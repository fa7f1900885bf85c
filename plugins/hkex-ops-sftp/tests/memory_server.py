"""An SFTP server in memory: requests in as bytes, answers out, with faults that can be set.

What is served is SYNTHETIC. It speaks the protocol by its own few lines, so that the reader under
test is not its own witness.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from types import MappingProxyType

from attrs import define, field

__all__ = ["FAILURE", "MemoryServer", "Request", "data", "handle", "names", "status", "version"]

INIT, OPEN, CLOSE, READ, FSTAT, OPENDIR, READDIR, EXTENDED = 1, 3, 4, 5, 8, 11, 12, 200
NO_SUCH_FILE, FAILURE, EOF = 2, 4, 1
USUAL = 0xF
MODIFIED_S = 1_681_471_800
REGULAR = 0o100644
_NO_MODES: Mapping[bytes, int] = MappingProxyType({})


def _packet(kind: int, body: bytes) -> bytes:
    return struct.pack(">IB", len(body) + 1, kind) + body


def _text(value: bytes) -> bytes:
    return struct.pack(">I", len(value)) + value


def version(number: int = 3, *, limits: bool = False) -> bytes:
    """A greeting."""
    extra = _text(b"limits@openssh.com") + _text(b"1") if limits else b""
    return _packet(2, struct.pack(">I", number) + extra)


def status(number: int, code: int, reason: bytes = b"") -> bytes:
    """How a request went."""
    return _packet(101, struct.pack(">II", number, code) + _text(reason) + _text(b""))


def handle(number: int, name: bytes) -> bytes:
    """A handle."""
    return _packet(102, struct.pack(">I", number) + _text(name))


def data(number: int, content: bytes) -> bytes:
    """Content."""
    return _packet(103, struct.pack(">I", number) + _text(content))


def _attributes(size: int, mode: int = REGULAR, modified_s: int = MODIFIED_S) -> bytes:
    return struct.pack(">IQIIIII", USUAL, size, 0, 0, mode, modified_s, modified_s)


def names(
    number: int, entries: list[tuple[bytes, int]], modes: Mapping[bytes, int] = _NO_MODES
) -> bytes:
    """Entries of a folder with their sizes, and modes where they are no regular files."""
    body = b"".join(
        _text(name) + _text(b"a line") + _attributes(size, modes.get(name, REGULAR))
        for name, size in entries
    )
    return _packet(104, struct.pack(">II", number, len(entries)) + body)


@define
class Request:
    """One request, taken apart."""

    kind: int
    number: int
    body: bytes


@define
class MemoryServer:
    """Serves ``files`` of one folder.

    ``page`` entries a READDIR; ``most_bytes`` a READ; ``most_open`` handles; ``backwards`` answers
    the requests of one turn last first; ``one_question_at_a_time`` fails a READDIR that comes in
    one turn with another.
    """

    files: dict[bytes, bytes] = field(factory=dict)
    page: int = 100
    most_bytes: int = 1 << 20
    most_open: int = 1000
    backwards: bool = False
    one_question_at_a_time: bool = False
    limits: bool = False
    modes: dict[bytes, int] = field(factory=dict)
    modified_s: dict[bytes, int] = field(factory=dict)
    listed: list[tuple[bytes, int]] | None = None
    handles: dict[bytes, object] = field(factory=dict)
    opened: int = 0
    open_most: int = 0
    asked: list[str] = field(factory=list)
    _rest: bytes = b""

    def begin(self) -> None:
        """A new session begins: of an earlier one nothing is left half said."""
        self._rest = b""

    def take(self, sent: bytes) -> bytes:
        """What is answered to these bytes."""
        requests = list(self._requests(sent))
        answers = [self.answer(request, requests) for request in requests]
        return b"".join(reversed(answers) if self.backwards else answers)

    def _requests(self, sent: bytes) -> Iterator[Request]:
        buffer = self._rest + sent
        while len(buffer) >= 4 and len(buffer) >= 4 + int.from_bytes(buffer[:4], "big"):
            length = int.from_bytes(buffer[:4], "big")
            packet, buffer = buffer[4 : 4 + length], buffer[4 + length :]
            yield Request(packet[0], int.from_bytes(packet[1:5], "big"), packet[5:])
        self._rest = buffer

    def answer(self, request: Request, turn: list[Request]) -> bytes:
        """The answer to one request of a turn."""
        number, body = request.number, request.body
        first = body[4 : 4 + int.from_bytes(body[:4], "big")]
        rest = body[4 + len(first) :]
        if request.kind in (READ, FSTAT, READDIR, CLOSE) and first not in self.handles:
            return status(number, FAILURE, b"no such handle")
        match request.kind:
            case 1:
                return version(limits=self.limits)
            case 200:
                return _packet(201, struct.pack(">IQQQQ", number, 0, 65_536, 0, 0))
            case 11:
                entries = self.listed
                if entries is None:
                    entries = [(name, len(content)) for name, content in self.files.items()]
                return self._open(number, iter([*entries]))
            case 12:
                return self._next(number, first, turn)
            case 3:
                self.asked.append(first.decode())
                if first.rpartition(b"/")[2] not in self.files:
                    return status(number, NO_SUCH_FILE, b"no such file")
                if len(self.handles) >= self.most_open:
                    return status(number, FAILURE, b"too many open files")
                return self._open(number, first.rpartition(b"/")[2])
            case 5:
                offset, length = struct.unpack(">QI", rest)
                return self.read(number, self.content(first), offset, length)
            case 8:
                name = self.handles[first]
                assert isinstance(name, bytes)
                modified_s = self.modified_s.get(name, MODIFIED_S)
                seen = _attributes(len(self.files[name]), modified_s=modified_s)
                return _packet(105, struct.pack(">I", number) + seen)
            case 4:
                self.handles.pop(first, None)
                return status(number, 0)
        raise AssertionError(f"an unexpected request of kind {request.kind}")

    def content(self, handle: bytes) -> bytes:
        """What lies behind a handle now."""
        name = self.handles[handle]
        assert isinstance(name, bytes)
        return self.files[name]

    def read(self, number: int, content: bytes, offset: int, length: int) -> bytes:
        """The answer to a READ."""
        piece = content[offset : offset + min(length, self.most_bytes)]
        return data(number, piece) if piece else status(number, EOF)

    def _open(self, number: int, what: object) -> bytes:
        self.opened += 1
        name = b"handle %d" % self.opened
        self.handles[name] = what
        self.open_most = max(self.open_most, len(self.handles))
        return handle(number, name)

    def _next(self, number: int, folder: bytes, turn: list[Request]) -> bytes:
        others = sum(one.kind == READDIR for one in turn)
        if self.one_question_at_a_time and others > 1:
            return status(number, FAILURE, b"one at a time")
        entries = self.handles[folder]
        page = [one for _, one in zip(range(self.page), entries, strict=False)]  # type: ignore[call-overload]
        return names(number, page, self.modes) if page else status(number, EOF)
