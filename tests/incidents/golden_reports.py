"""The approved reports: how each is made, and how they are written anew after a change."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from io import BytesIO
from pathlib import Path

from hkex_ops.cli.incident_report import report_document
from hkex_ops.incidents import ReportStage
from hkex_ops.model import JsonObject
from hkex_ops.render.incident_markdown import incident_markdown
from hkex_ops.render.incident_page import incident_page
from tests.incidents.day_of_2010 import report_of_2010

__all__ = ["FOLDER", "PDF_TEXT", "REPORTS", "text_of_pdf"]

FOLDER = Path(__file__).parent / "golden"
PDF_TEXT = "final-hsil.pdf.txt"

REPORTS: Mapping[str, Callable[[], str]] = {
    "final-hsil.html": lambda: incident_page(report_of_2010()),
    "final-hsil.json": lambda: _json(report_document(report_of_2010())),
    "final-hsil.md": lambda: incident_markdown(report_of_2010()),
    "final-hkex.md": lambda: incident_markdown(report_of_2010("hkex")),
    "initial-full.md": lambda: incident_markdown(report_of_2010("full", ReportStage.INITIAL)),
}


def _json(document: JsonObject) -> str:
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"


def text_of_pdf() -> str:
    """The words of the report's PDF, page by page."""
    from pypdf import PdfReader

    from hkex_ops.render.incident_sheet import incident_sheet

    pages = PdfReader(BytesIO(incident_sheet(report_of_2010()))).pages
    return "\f\n".join(f"{page.extract_text().rstrip()}\n" for page in pages)


if __name__ == "__main__":
    for name, make in {**REPORTS, PDF_TEXT: text_of_pdf}.items():
        (FOLDER / name).write_text(make(), encoding="utf-8")
