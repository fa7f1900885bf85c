"""Records chained by hash: each holds the digest of the one before, so none can change alone.

A record's digest covers its number, its predecessor's digest, its time, its kind and its body.
Changing, removing, inserting or reordering records therefore breaks a link, and cutting off the
last ones is found by comparing with a :class:`Head` that is kept elsewhere. What the chain cannot
show by itself is a forger who rewrites records *and* the head; that is why the head lives apart.

Knows nothing of files or databases. The ledger and the evidence folder keep its records.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from attrs import frozen

from hkex_ops.evidence.canonical import canonical, digest, parse_object
from hkex_ops.evidence.findings import Finding, FindingKind
from hkex_ops.model import JsonObject

__all__ = ["GENESIS", "Head", "Record", "append", "check", "format_record", "parse_record"]


@frozen
class Head:
    """The end of a chain: how many records there are, and the last one's digest."""

    sequence: int
    digest: str


GENESIS = Head(0, "0" * 64)
"""The head of the empty chain."""


@frozen
class Record:
    """One link. ``at`` is ISO 8601 with offset; numbers count from 1 without a gap."""

    sequence: int
    previous: str
    at: str
    kind: str
    body: JsonObject
    digest: str

    @property
    def head(self) -> Head:
        """The head of the chain that ends here."""
        return Head(self.sequence, self.digest)


def append(
    head: Head, at: datetime, kind: str, body: JsonObject, *, spelt: bytes | None = None
) -> Record:
    """The record that follows ``head``. ``spelt`` is the body's canonical text, where it is known.

    Raises `ValueError` when ``at`` has no zone, and what `canonical` raises for the body.
    """
    if at.tzinfo is None:
        raise ValueError(f"{at.isoformat()} has no zone")
    sequence, stamp = head.sequence + 1, at.isoformat()
    text = canonical(body) if spelt is None else spelt
    sealed = _seal(sequence, head.digest, stamp, kind, text)
    return Record(sequence, head.digest, stamp, kind, body, sealed)


def check(records: Iterable[Record], head: Head) -> tuple[Finding, ...]:
    """Everything in which ``records`` differ from the chain that once ended in ``head``.

    Reads the records once, in the order in which they are kept.
    """
    findings: list[Finding] = []
    last = GENESIS
    for record in records:
        findings.extend(_faults(record, last))
        if record.sequence > last.sequence:
            last = record.head
    findings.extend(_end_faults(last, head))
    return tuple(findings)


def format_record(record: Record) -> bytes:
    """A record as one line of canonical JSON, line end included."""
    return (
        canonical(
            {
                "sequence": record.sequence,
                "previous": record.previous,
                "at": record.at,
                "kind": record.kind,
                "body": record.body,
                "digest": record.digest,
            }
        )
        + b"\n"
    )


def parse_record(line: bytes) -> Record:
    """The record that a line spells; `ValueError` says why it is none."""
    if not line.endswith(b"\n"):
        raise ValueError("has no line end")
    match parse_object(line[:-1]):
        case {
            "sequence": int(sequence),
            "previous": str(previous),
            "at": str(at),
            "kind": str(kind),
            "body": dict(body),
            "digest": str(sealed),
            **rest,
        } if not rest:
            return Record(sequence, previous, at, kind, body, sealed)
        case _:
            raise ValueError("is not a record of a chain")


def _seal(sequence: int, previous: str, at: str, kind: str, body: bytes) -> str:
    """The digest of everything else in a record, spelt canonically; ``body`` is so already."""
    return digest(
        b'{"at":%b,"body":%b,"kind":%b,"previous":%b,"sequence":%b}'
        % (canonical(at), body, canonical(kind), canonical(previous), canonical(sequence))
    )


def _faults(record: Record, last: Head) -> list[Finding]:
    """What is wrong with one record, ``last`` being the furthest one before it."""
    where = f"record {record.sequence}"
    found: list[Finding] = []
    if record.sequence <= last.sequence:
        message = f"stands after record {last.sequence}, where it does not belong"
        found.append(Finding(FindingKind.REORDERED, where, message))
    elif record.sequence > last.sequence + 1:
        found.append(_gap(last.sequence + 1, record.sequence - 1, last.sequence))
    elif record.previous != last.digest:
        before = f"record {last.sequence}" if last.sequence else "the beginning"
        message = f"does not follow from {before} as it is now: one of the two was changed"
        found.append(Finding(FindingKind.CHANGED, where, message))
    body = canonical(record.body)
    sealed = _seal(record.sequence, record.previous, record.at, record.kind, body)
    if sealed != record.digest:
        message = "is not what it was when it was recorded: its digest differs"
        found.append(Finding(FindingKind.CHANGED, where, message))
    return found


def _end_faults(last: Head, head: Head) -> list[Finding]:
    """What the head that is kept elsewhere says about the end of the chain."""
    if last.sequence < head.sequence:
        return [_gap(last.sequence + 1, head.sequence, last.sequence)]
    where = f"record {last.sequence}"
    if last.sequence > head.sequence:
        message = f"stands beyond the head, which says that record {head.sequence} is the last"
        return [Finding(FindingKind.ADDED, where, message)]
    if last.digest != head.digest:
        message = "is not the record that the head says is the last"
        return [Finding(FindingKind.CHANGED, where, message)]
    return []


def _gap(first: int, final: int, after: int) -> Finding:
    place = f"after record {after}" if after else "at the beginning"
    if first == final:
        return Finding(FindingKind.MISSING, f"record {first}", f"is missing {place}")
    return Finding(
        FindingKind.MISSING,
        f"records {first} to {final}",
        f"are missing {place} ({final - first + 1})",
    )
