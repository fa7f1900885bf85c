"""What proves a thing later: canonical JSON, hash-chained records, the layout of a BagIt bag.

Pure: bytes and values in, values and findings out. The disk is in :mod:`hkex_ops.flows.store` and
:mod:`hkex_ops.flows.evidence`.
"""

from hkex_ops.evidence.canonical import canonical, digest, parse_object
from hkex_ops.evidence.chain import GENESIS, Head, Record, append, check
from hkex_ops.evidence.findings import Finding, FindingKind

__all__ = [
    "GENESIS",
    "Finding",
    "FindingKind",
    "Head",
    "Record",
    "append",
    "canonical",
    "check",
    "digest",
    "parse_object",
]
