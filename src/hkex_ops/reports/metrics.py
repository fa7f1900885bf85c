"""Metrics of reports in the text format of Prometheus, for its textfile collector.

Names and labels are a promise: dashboards are made of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, time
from types import MappingProxyType

from attrs import frozen

from hkex_ops.model import HONG_KONG
from hkex_ops.reports.digest import DayStanding
from hkex_ops.reports.standing import ReportState

__all__ = ["RunFacts", "metrics_text"]


@frozen
class RunFacts:
    """What one fetch did, as far as metrics tell it."""

    service: str
    ended_at: datetime
    duration_s: float
    fetched: int
    fetched_bytes: int
    findings: Mapping[str, int] = MappingProxyType({})


_HELP = {
    "hkex_ops_reports": "Reports of a business date, by session and state.",
    "hkex_ops_reports_missing": "Reports that were due and are not there.",
    "hkex_ops_reports_business_date_seconds": "The business date looked at, as its midnight.",
    "hkex_ops_reports_looked_seconds": "When the folder was last listed for the business date.",
    "hkex_ops_reports_run_seconds": "When the last run ended.",
    "hkex_ops_reports_run_duration_seconds": "How long the last run took.",
    "hkex_ops_reports_run_fetched": "Reports that the last run fetched.",
    "hkex_ops_reports_run_fetched_bytes": "Bytes that the last run fetched.",
    "hkex_ops_reports_run_findings": "Findings of the last run, by kind.",
}


def metrics_text(days: Sequence[DayStanding], run: RunFacts | None = None) -> str:
    """The whole file: every metric with its help and its type."""
    found: dict[str, list[str]] = {name: [] for name in _HELP}
    for day in days:
        _add_day(found, day)
    if run is not None:
        _add_run(found, run)
    lines: list[str] = []
    for name, samples in found.items():
        if samples:
            lines += [f"# HELP {name} {_HELP[name]}", f"# TYPE {name} gauge", *samples]
    return "\n".join([*lines, ""])


def _add_day(found: dict[str, list[str]], day: DayStanding) -> None:
    of = {"service": day.service, "business_date": day.business_date.isoformat()}
    counts: dict[tuple[str, ReportState], int] = {}
    for one in day.standings:
        key = (one.session or "", one.state)
        counts[key] = counts.get(key, 0) + 1
    for session in sorted({session for session, _ in counts}):
        for state in ReportState:
            number = counts.get((session, state), 0)
            _add(found, "hkex_ops_reports", number, {**of, "session": session, "state": state})
    _add(found, "hkex_ops_reports_missing", len(day.missing), of)
    midnight = datetime.combine(day.business_date, time(), HONG_KONG)
    _add(found, "hkex_ops_reports_business_date_seconds", midnight.timestamp(), of)
    if day.looked_at is not None:
        _add(found, "hkex_ops_reports_looked_seconds", day.looked_at.timestamp(), of)


def _add_run(found: dict[str, list[str]], run: RunFacts) -> None:
    of = {"service": run.service}
    _add(found, "hkex_ops_reports_run_seconds", run.ended_at.timestamp(), of)
    _add(found, "hkex_ops_reports_run_duration_seconds", run.duration_s, of)
    _add(found, "hkex_ops_reports_run_fetched", run.fetched, of)
    _add(found, "hkex_ops_reports_run_fetched_bytes", run.fetched_bytes, of)
    for kind, number in sorted(run.findings.items()):
        _add(found, "hkex_ops_reports_run_findings", number, {**of, "kind": kind})


def _add(found: dict[str, list[str]], name: str, value: float, labels: Mapping[str, str]) -> None:
    spelt = ",".join(f'{key}="{_escaped(text)}"' for key, text in labels.items())
    found[name].append(f"{name}{{{spelt}}} {value:.13g}")


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
