"""Whether an evidence folder is what it was when it was closed. Offline; this library is enough."""

from __future__ import annotations

import re
from collections.abc import Iterator
from io import BufferedReader
from pathlib import Path

from attrs import frozen

from hkex_ops.errors import ConfigError, StoreError, WireError
from hkex_ops.evidence import Finding, FindingKind, Head, Record, bag, check
from hkex_ops.evidence.chain import parse_record
from hkex_ops.flows.evidence.folder import CHAIN_HEAD, EVENTS
from hkex_ops.flows.store.disk import EntryKind, Folder

__all__ = ["EvidenceReport", "verify_evidence"]

LONGEST_LINE_BYTES = 64 << 20
"""A line of events beyond this is taken to be damage."""

LONGEST_TAG_BYTES = 64 << 20
"""A tag file beyond this, which would list half a million files, is taken to be damage."""

_TAG_FILES = (bag.BAG_DECLARATION, bag.BAG_INFO, bag.PAYLOAD_MANIFEST, bag.TAG_MANIFEST)
_HEAD = re.compile(r"([0-9]{1,18}) sha256:([0-9a-f]{64})")


@frozen
class EvidenceReport:
    """What a check of an evidence folder found, and how much it looked at.

    ``files`` counts the payload, ``events`` the readable events; ``seal`` is the SHA-256 of the
    tag manifest, to compare with the one that was kept elsewhere.
    """

    findings: tuple[Finding, ...]
    files: int
    events: int
    seal: str | None


def verify_evidence(folder: Path) -> EvidenceReport:
    """Check an evidence folder against its own manifests and the chain of its events. Offline.

    Finds any changed, missing or extra byte and any changed, removed or reordered event. Raises
    `ConfigError` when there is no such folder or it holds nothing of a bag.
    """
    try:
        root = Folder.open(folder)
    except StoreError as error:
        if isinstance(error.__cause__, FileNotFoundError | NotADirectoryError):
            raise ConfigError(f"there is no evidence folder at {folder}: name one") from error
        raise
    with root:
        return _Check(root).report()


class _Check:
    """One check: the findings as they come up, each place and kind once."""

    def __init__(self, root: Folder) -> None:
        self._root = root
        self._findings: dict[tuple[FindingKind, str], Finding] = {}
        self._events = 0

    def report(self) -> EvidenceReport:
        inside = f"{bag.PAYLOAD_FOLDER}/"
        digests = self._digests()
        if not any(path in _TAG_FILES or path.startswith(inside) for path in digests):
            raise ConfigError(f"{self._root.path} holds no evidence: name an evidence folder")
        payload = {path: one for path, one in digests.items() if path.startswith(inside)}
        tags = {path: one for path, one in digests.items() if path not in payload}
        seal = tags.pop(bag.TAG_MANIFEST, None)
        for name in _TAG_FILES:
            if name not in digests:
                self._find(FindingKind.MISSING, name, "is missing: the evidence is not complete")
        for found, name in ((payload, bag.PAYLOAD_MANIFEST), (tags, bag.TAG_MANIFEST)):
            if name in digests and (listed := self._manifest(name)) is not None:
                for finding in bag.judge(listed, found, by=name):
                    self._find(finding.kind, finding.where, finding.message)
        if digests.get(f"{inside}{EVENTS}") and (head := self._head()) is not None:
            for finding in check(self._records(), head):
                self._find(finding.kind, f"{inside}{EVENTS}, {finding.where}", finding.message)
        return EvidenceReport(tuple(self._findings.values()), len(payload), self._events, seal)

    def _find(self, kind: FindingKind, where: str, message: str) -> None:
        self._findings.setdefault((kind, where), Finding(kind, where, message))

    def _digests(self) -> dict[str, str]:
        """The digest of everything there; an empty one for what is no file or cannot be read."""
        digests: dict[str, str] = {}
        for found in self._root.walk():
            digests[found.path] = ""
            if found.kind is not EntryKind.FILE:
                self._find(FindingKind.CHANGED, found.path, f"is no file but a {found.kind}")
                continue
            try:
                digests[found.path] = self._root.digest(*found.path.split("/"))
            except StoreError as error:
                self._find(FindingKind.UNREADABLE, found.path, str(error))
        return digests

    def _read(self, name: str) -> bytes | None:
        try:
            with self._root.reading(name) as file:
                return file.read(LONGEST_TAG_BYTES)
        except StoreError as error:
            self._find(FindingKind.UNREADABLE, name, str(error))
            return None

    def _manifest(self, name: str) -> dict[str, str] | None:
        data = self._read(name)
        if data is None:
            return None
        try:
            listed = bag.parse_manifest(data)
        except WireError as error:
            self._find(FindingKind.UNREADABLE, name, str(error))
            return None
        if bag.format_manifest(listed) != data:
            self._find(FindingKind.CHANGED, name, "is not spelt as this library spells it")
        return listed

    def _head(self) -> Head | None:
        """The chain's head as the bag's description states it, without which nothing follows."""
        data = self._read(bag.BAG_INFO)
        try:
            entries = () if data is None else bag.parse_info(data)
        except WireError as error:
            self._find(FindingKind.UNREADABLE, bag.BAG_INFO, str(error))
            return None
        stated = [value for label, value in entries if label == CHAIN_HEAD]
        if len(stated) == 1 and (spelt := _HEAD.fullmatch(stated[0])):
            return Head(int(spelt[1]), spelt[2])
        message = f"does not state one {CHAIN_HEAD}, so cut-off events cannot be told"
        self._find(FindingKind.UNREADABLE, bag.BAG_INFO, message)
        return None

    def _records(self) -> Iterator[Record]:
        """The events in the order of their lines; a line that is none is found and passed over."""
        path = f"{bag.PAYLOAD_FOLDER}/{EVENTS}"
        with self._root.reading(bag.PAYLOAD_FOLDER, EVENTS) as raw, BufferedReader(raw) as file:
            number = 0
            while line := file.readline(LONGEST_LINE_BYTES):
                number += 1
                try:
                    record = parse_record(line)
                except ValueError as error:
                    self._find(FindingKind.UNREADABLE, f"{path}, line {number}", str(error))
                else:
                    self._events += 1
                    yield record
