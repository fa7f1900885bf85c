"""The evidence folder: what happened, written so that it can be shown and checked later.

A BagIt bag. Its payload is ``data/events.jsonl``, the events as hash-chained JSON lines, and
whatever files are added beside it; its ``bag-info.txt`` states the chain's head, so that cutting
off the last events is found. It grows in a folder called ``NAME.partial`` and takes its name only
when it is complete: an interrupted run leaves nothing that looks finished. What it left may be
opened again and closed under another name.

What a bag cannot show by itself is that nobody rewrote all of it. For that, keep the seal that
:meth:`EvidenceFolder.close` returns somewhere else; it covers every byte of the bag.
"""

from hkex_ops.flows.evidence.folder import EVENTS, EvidenceFolder, partial_of
from hkex_ops.flows.evidence.left import first_event
from hkex_ops.flows.evidence.verifying import EvidenceReport, verify_evidence

__all__ = [
    "EVENTS",
    "EvidenceFolder",
    "EvidenceReport",
    "first_event",
    "partial_of",
    "verify_evidence",
]
