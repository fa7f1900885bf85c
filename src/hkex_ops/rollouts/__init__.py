"""Circulars as data, and the desk's questions answered from them."""

from hkex_ops.rollouts.check import faults_of
from hkex_ops.rollouts.connections import production_connections, session_connections
from hkex_ops.rollouts.guard import Decision, Guard, Ruling
from hkex_ops.rollouts.moments import parse_bound, parse_date

__all__ = [
    "Decision",
    "Guard",
    "Ruling",
    "faults_of",
    "parse_bound",
    "parse_date",
    "production_connections",
    "session_connections",
]
