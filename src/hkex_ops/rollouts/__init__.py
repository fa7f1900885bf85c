"""Circulars as data, and the desk's questions answered from them."""

from hkex_ops.rollouts.acts import require_action
from hkex_ops.rollouts.agenda import HORIZON, agenda, nearest_deadline
from hkex_ops.rollouts.audience import audience_named, audiences_of, concerns
from hkex_ops.rollouts.check import faults_of
from hkex_ops.rollouts.connections import (
    Directions,
    directions,
    host_table,
    production_connections,
    service_named,
    services_of,
    session_connections,
)
from hkex_ops.rollouts.contingency import Applies, JudgedContingency, judge_event
from hkex_ops.rollouts.guard import Decision, Guard, Ruling
from hkex_ops.rollouts.items import AgendaItem, ItemKind, ItemState, business_days_of, is_days_end
from hkex_ops.rollouts.moments import parse_bound, parse_date
from hkex_ops.rollouts.override import Override, RuleOverridden
from hkex_ops.rollouts.status import Proof, ProofKind, Status, proofs_of, status

__all__ = [
    "HORIZON",
    "AgendaItem",
    "Applies",
    "Decision",
    "Directions",
    "Guard",
    "ItemKind",
    "ItemState",
    "JudgedContingency",
    "Override",
    "Proof",
    "ProofKind",
    "RuleOverridden",
    "Ruling",
    "Status",
    "agenda",
    "audience_named",
    "audiences_of",
    "business_days_of",
    "concerns",
    "directions",
    "faults_of",
    "host_table",
    "is_days_end",
    "judge_event",
    "nearest_deadline",
    "parse_bound",
    "parse_date",
    "production_connections",
    "proofs_of",
    "require_action",
    "service_named",
    "services_of",
    "session_connections",
    "status",
]
