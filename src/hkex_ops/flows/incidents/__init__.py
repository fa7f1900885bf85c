"""Incidents written down: one chained log each, and the events of other streams attached to it."""

from hkex_ops.flows.incidents.attaching import attach, sentence_of
from hkex_ops.flows.incidents.store import INCIDENTS, IncidentStore, LogWriter, require_id

__all__ = ["INCIDENTS", "IncidentStore", "LogWriter", "attach", "require_id", "sentence_of"]
