"""Whether the content of a report is all there, judged by what the report says of itself.

Three forms: records of fixed length with a control trailer of counts and hash totals, lines with a
trailer, and a control file that speaks of its data file. Where the fields of a form stand is the
operator's knowledge. "Any mismatch: discard the whole file" is the rule that CCMS data files state.

Bytes are fed as they come, in memory that does not grow with them; unpacking is the caller's.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Protocol

from attrs import Factory, define, frozen

__all__ = [
    "CheckForm",
    "Columns",
    "ContentCheck",
    "ContentReader",
    "Counted",
    "HashTotal",
    "Packing",
    "content_fault",
]

HASH_TOTAL_DIGITS = 18
"""A hash total has at most so many; what overflows loses its leading digit (CCMS data files)."""

LONGEST_CONTROL_BYTES = 1 << 20
"""Of a control file so much is read for what it states."""

LONGEST_RECORD_BYTES = 1 << 20
"""A line that is longer is taken for no text at all."""

_STATED = frozenset({"count", "size_bytes", "sha256"})


class Packing(StrEnum):
    """How a file is packed."""

    NONE = "none"
    ZIP = "zip"
    GZ = "gz"


class CheckForm(StrEnum):
    """How a report says that it is whole."""

    FIXED_LENGTH = "fixed-length"
    LINES = "lines"
    CONTROL = "control"


class Counted(StrEnum):
    """What a count counts."""

    DETAILS = "details"
    ALL = "all"


@frozen
class Columns:
    """Places in a record, from 1, both included."""

    from_: int
    to: int

    def of(self, record: bytes) -> bytes:
        """What stands there."""
        return record[self.from_ - 1 : self.to]

    def __str__(self) -> str:
        return f"{self.from_} to {self.to}"


@frozen
class HashTotal:
    """A field summed over the details; the trailer states the sum."""

    detail: Columns
    trailer: Columns


@frozen
class ContentCheck:
    """How the files of one rule say that they are whole.

    ``fixed-length``: records of ``record_bytes`` (or lines, where that is 0) that begin with the
    type ``header``, ``detail`` or ``trailer``; the trailer states a count at ``count`` and
    ``totals``. ``lines``: ``states`` matches the whole last line and its group ``count`` the lines
    before it, without the first ``header_lines``. ``control``: ``states`` is looked for in the part
    ``control`` and its groups ``count``, ``size_bytes`` and ``sha256`` speak of the other part.
    """

    form: CheckForm
    record_bytes: int = 0
    header: str = ""
    detail: str = ""
    trailer: str = ""
    count: Columns | None = None
    counts: Counted = Counted.DETAILS
    totals: tuple[HashTotal, ...] = ()
    states: str = ""
    header_lines: int = 0
    control: str = "control"

    def faults(self, parts: tuple[str, ...]) -> Iterator[tuple[str, str]]:
        """What is wrong with it for a rule with these parts, as (key, sentence)."""
        if self.form is CheckForm.FIXED_LENGTH:
            if len(self.trailer.encode()) != 1 or len(self.detail.encode()) != 1:
                yield "trailer", "and detail are the one sign that such records begin with"
            if self.count is None and not self.totals:
                yield "count", "is missing: say where the trailer states a count, or totals"
            for total in self.totals:
                if self.record_bytes and total.detail.to > self.record_bytes:
                    yield "totals", f"columns {total.detail} lie outside the record"
            return
        try:
            groups = set(re.compile(self.states).groupindex)
        except re.error as error:
            yield "states", f"is no regular expression: {error}"
            return
        if not groups & _STATED or groups - _STATED:
            yield "states", f"wants groups named {', '.join(sorted(_STATED))}, and no others"
        if self.form is CheckForm.LINES and "count" not in groups:
            yield "states", "wants a group named count"
        if self.form is CheckForm.CONTROL and (self.control not in parts or len(parts) != 2):
            yield "control", f"{self.control!r} must be one of the rule's two parts"


class _Digest(Protocol):
    def update(self, data: bytes, /) -> None: ...

    def hexdigest(self) -> str: ...


@define
class ContentReader:
    """What is known of a content so far: feed it, then ask :func:`content_fault`."""

    check: ContentCheck | None
    size_bytes: int = 0
    lines: int = 0
    records: dict[bytes, int] = Factory(dict[bytes, int])
    sums: list[int] = Factory(list[int])
    first: bytes = b""
    last: bytes = b""
    head: bytes = b""
    broken: str = ""
    _rest: bytes = b""
    _sha256: _Digest = Factory(hashlib.sha256)

    def feed(self, data: bytes) -> None:
        """More of it."""
        self.size_bytes += len(data)
        self._sha256.update(data)
        if len(self.head) < LONGEST_CONTROL_BYTES:
            self.head += data[: LONGEST_CONTROL_BYTES - len(self.head)]
        if self.broken or self.check is None:
            return
        buffer = self._rest + data
        if size := self._record_bytes:
            whole = len(buffer) - len(buffer) % size
            for start in range(0, whole, size):
                self._take(buffer[start : start + size])
            self._rest = buffer[whole:]
        else:
            *whole_lines, self._rest = buffer.split(b"\n")
            for line in whole_lines:
                self._take(line.removesuffix(b"\r"))
        if len(self._rest) > LONGEST_RECORD_BYTES:
            self.broken = f"has a line of more than {LONGEST_RECORD_BYTES} bytes"
            self._rest = b""

    def end(self) -> None:
        """There is no more."""
        rest, self._rest = self._rest, b""
        if rest and (size := self._record_bytes):
            self.broken = f"ends within a record: {len(rest)} of {size} bytes"
        elif rest:
            self._take(rest.removesuffix(b"\r"))

    @property
    def _record_bytes(self) -> int:
        check = self.check
        return check.record_bytes if check and check.form is CheckForm.FIXED_LENGTH else 0

    @property
    def sha256(self) -> str:
        """The digest of what was fed."""
        return self._sha256.hexdigest()

    def _take(self, record: bytes) -> None:
        self.lines += 1
        if self.lines == 1:
            self.first = record
        self.last = record
        if self.check is None or self.check.form is not CheckForm.FIXED_LENGTH:
            return
        kind = record[:1]
        self.records[kind] = self.records.get(kind, 0) + 1
        if kind == self.check.detail.encode():
            self.sums = self.sums or [0] * len(self.check.totals)
            for place, total in enumerate(self.check.totals):
                self.sums[place] += _digits(total.detail.of(record))


def content_fault(check: ContentCheck, contents: Mapping[str | None, ContentReader]) -> str | None:
    """Why the files of a set are not whole, or nothing; ``contents`` are by part, all ended."""
    for content in contents.values():
        if content.broken:
            return content.broken
    if check.form is CheckForm.CONTROL:
        return _control_fault(check, contents)
    for content in contents.values():
        fault = (
            _fixed_fault(check, content)
            if check.form is CheckForm.FIXED_LENGTH
            else _lines_fault(check, content)
        )
        if fault is not None:
            return fault
    return None


def _fixed_fault(check: ContentCheck, content: ContentReader) -> str | None:
    trailer = check.trailer.encode()
    if content.last[:1] != trailer:
        return "has no control trailer at its end: it is cut short"
    if content.records.get(trailer, 0) != 1:
        return f"has {content.records[trailer]} control trailers, one is right"
    if check.header and content.first[:1] != check.header.encode():
        return "has no control header at its beginning"
    if check.count is not None:
        details = content.records.get(check.detail.encode(), 0)
        found = details if check.counts is Counted.DETAILS else content.lines
        stated = check.count.of(content.last)
        if not stated.strip().isdigit() or int(stated) != found:
            return f"its trailer counts {_shown(stated)} records, {found} are there"
    for place, total in enumerate(check.totals):
        stated = total.trailer.of(content.last)
        summed = content.sums[place] if content.sums else 0
        if _digits(stated) != summed % 10**HASH_TOTAL_DIGITS:
            return (
                f"the hash total of columns {total.detail} is "
                f"{summed % 10**HASH_TOTAL_DIGITS}, its trailer says {_shown(stated)}"
            )
    return None


def _lines_fault(check: ContentCheck, content: ContentReader) -> str | None:
    found = re.fullmatch(check.states, content.last.decode("utf-8", "replace"))
    if found is None:
        return "has no trailer at its end: it is cut short"
    there = max(0, content.lines - 1 - check.header_lines)
    if int(found["count"]) != there:
        return f"its trailer counts {int(found['count'])} lines, {there} are there"
    return None


def _control_fault(check: ContentCheck, contents: Mapping[str | None, ContentReader]) -> str | None:
    control = contents[check.control]
    (data,) = (content for part, content in contents.items() if part != check.control)
    found = re.search(check.states, control.head.decode("utf-8", "replace"))
    if found is None:
        return "its control file does not state what the catalogue says that it states"
    stated = found.groupdict()
    there = {
        "count": str(max(0, data.lines - check.header_lines)),
        "size_bytes": str(data.size_bytes),
        "sha256": data.sha256,
    }
    for key, value in stated.items():
        text = (value or "").lower()
        if (text.lstrip("0") or "0") != (there[key].lstrip("0") or "0"):
            return f"its control file states {key} {value}, the data file has {there[key]}"
    return None


def _digits(field: bytes) -> int:
    """A figure without its point and its sign, as hash totals count it."""
    return int(bytes(sign for sign in field if 48 <= sign <= 57) or b"0")


def _shown(field: bytes) -> str:
    return field.decode("ascii", "replace").strip() or "nothing"
