"""What was done at a gateway, as an evidence folder: who looked, what the gate said, what came.

The gate's decisions are kept one by one, and so is what the papers said at that moment about doing
more than asking. No evidence holds a password, an address of a key or a record's content beyond
what is named here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path

from hkex_ops.clock import Clock
from hkex_ops.flows.evidence import EvidenceFolder
from hkex_ops.flows.packing import Packed, require_free
from hkex_ops.model import GateDecision, JsonObject, plain
from hkex_ops.rollouts import Ruling

__all__ = ["Proof", "keep_evidence", "ruling_document"]


class Proof:
    """Events and files of one piece of work, gathered until they are kept."""

    def __init__(self, what: str, target: Path, begun: datetime) -> None:
        """`StoreError` when something is at ``target`` already: before any work is done."""
        require_free(target)
        self.what = what
        self.target: Path = target
        self.begun: datetime = begun
        self._events: list[tuple[str, JsonObject]] = []
        self._files: dict[str, bytes | JsonObject] = {}

    def event(self, kind: str, body: JsonObject) -> None:
        """Something that happened."""
        self._events.append((kind, body))

    def rulings(self, rulings: Iterable[Ruling]) -> None:
        """What the papers say of acts that change anything."""
        for one in rulings:
            self.event("guard-asked", ruling_document(one))

    def decisions(self, gateway: str, decisions: Iterable[GateDecision]) -> None:
        """What the enquiry gate of a session was asked, and what it decided."""
        for one in decisions:
            body = plain(one)
            assert isinstance(body, Mapping), "a decision has keys"
            self.event("gate-decided", {"gateway": gateway, **body})

    def file(self, path: str, content: bytes | JsonObject) -> None:
        """A file beside the events."""
        self._files[path] = content

    def write(self, evidence: EvidenceFolder) -> None:
        """Put everything into the folder, in the order in which it was told."""
        evidence.record(f"{self.what}-begun", {"at": self.begun.isoformat()})
        for kind, body in self._events:
            evidence.record(kind, body)
        for path, content in self._files.items():
            evidence.add(path, content)


def keep_evidence(proof: Proof, clock: Clock) -> Packed:
    """Make the folder of ``proof``. Raises `StoreError`."""
    target = proof.target
    info = {"External-Description": f"{proof.what.replace('-', ' ')} by hkex-ops"}
    evidence = EvidenceFolder.create(target, identifier=proof.what, clock=clock, info=info)
    with evidence:
        proof.write(evidence)
        seal = evidence.close()
    return Packed(target.absolute(), seal)


def ruling_document(ruling: Ruling) -> JsonObject:
    """What the guard answered, with the rules that hold."""
    return {
        "action": ruling.action,
        "at": ruling.at.isoformat(),
        "decision": ruling.decision.value,
        "rules": [
            {"id": one.id, "rule": one.rule, "effect": one.effect.value, "source": str(one.source)}
            for one in ruling.rules
        ],
    }
