"""A report of an incident made from its log, as the bytes of a format.

The log is proven before it is reported. Called by the command line and by programs.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from hkex_ops.calendars import Calendar
from hkex_ops.config.incidents import IncidentSettings
from hkex_ops.errors import ConfigError
from hkex_ops.flows.incidents.store import IncidentStore
from hkex_ops.incidents import (
    IncidentReport,
    ReportForm,
    ReportStage,
    deadlines_of,
    make_report,
)
from hkex_ops.render.incident_markdown import incident_markdown
from hkex_ops.render.incident_page import incident_page

__all__ = ["ReportFormat", "rendered", "report_of"]


class ReportFormat(StrEnum):
    """What a report is written as."""

    HTML = "html"
    MARKDOWN = "md"
    PDF = "pdf"
    JSON = "json"


def report_of(
    store: IncidentStore,
    id: str,
    form: ReportForm,
    stage: ReportStage,
    made: datetime,
    *,
    settings: IncidentSettings,
    calendar: Calendar,
) -> IncidentReport:
    """The report of an incident as its log stands, with the deadlines of the configuration."""
    view = store.read(id).view
    return make_report(
        view,
        form,
        stage,
        made,
        head=store.head(id),
        organisation=settings.organisation,
        deadlines=deadlines_of(view, settings.deadlines, calendar),
    )


def rendered(report: IncidentReport, format: ReportFormat) -> bytes:
    """The report as a page, a text or a sheet; `ConfigError` where the PDF engine is not there."""
    match format:
        case ReportFormat.HTML:
            return incident_page(report).encode()
        case ReportFormat.MARKDOWN:
            return incident_markdown(report).encode()
        case ReportFormat.PDF:
            return _sheet(report)
        case ReportFormat.JSON:
            raise ConfigError("a report as JSON is the command's document: print it as one")


def _sheet(report: IncidentReport) -> bytes:
    # The engine is an extra, and only this format wants it.
    try:
        from hkex_ops.render.incident_sheet import incident_sheet
    except ImportError as error:
        raise ConfigError(
            f"a PDF wants the package {error.name}: pip install 'hkex-ops[forms]'"
        ) from error
    return incident_sheet(report)
