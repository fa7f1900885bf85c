"""Catalogues and listings for tests."""

from __future__ import annotations

from datetime import date, datetime

from hkex_ops.model import HONG_KONG, Endpoint, ListedReport, Listing, SiteRole
from hkex_ops.reports import Catalogue, DateForm, IgnoreRule, ReportRule

__all__ = ["CATALOGUE", "FRIDAY", "NAMES", "RULE", "listing"]

FRIDAY = date(2023, 4, 14)
NAMES = r"(?P<house>HKCC|SEOCH)_(?P<code>TP\d{3})_(?P<business_date>\d{8})(_(?P<session>T1?))?\.csv"
RULE = ReportRule("RRS", NAMES, DateForm.YYYYMMDD, ("TP001", "TP002"))
CATALOGUE = Catalogue((RULE,), ignore=(IgnoreRule(r"README.*", "says how to read the folder"),))


def listing(*reports: ListedReport, site: SiteRole = SiteRole.PRIMARY) -> Listing:
    """A listing of ``reports`` at the end of Friday 14 April 2023."""
    at = datetime(2023, 4, 14, 21, 0, tzinfo=HONG_KONG)
    return Listing("RRS", site, Endpoint("127.0.0.1", 22), at, FRIDAY, reports)
