"""Reports as values: what names mean, what to fetch, whether a folder changed."""

from hkex_ops.reports.catalogue import Catalogue, DateForm, IgnoreRule, ReportRule
from hkex_ops.reports.comparison import FolderComparison, FolderOutcome, compare_folders
from hkex_ops.reports.plan import FetchPlan, ListedState, PlannedReport, judge, plan_fetch

__all__ = [
    "Catalogue",
    "DateForm",
    "FetchPlan",
    "FolderComparison",
    "FolderOutcome",
    "IgnoreRule",
    "ListedState",
    "PlannedReport",
    "ReportRule",
    "compare_folders",
    "judge",
    "plan_fetch",
]
