"""Incidents as data, and their tellers' accounts compared."""

from hkex_ops.incidents.accounts import Disagreement, accounts_of, chronology_of, disagreements
from hkex_ops.incidents.alignment import AlignedRow, align
from hkex_ops.incidents.check import faults_of

__all__ = [
    "AlignedRow",
    "Disagreement",
    "accounts_of",
    "align",
    "chronology_of",
    "disagreements",
    "faults_of",
]
