"""Reports as values: what names mean, what is expected, what to fetch, whether a folder changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hkex_ops.fronts import front

if TYPE_CHECKING:
    from hkex_ops.reports.cadence import (
        Cadence,
        CataloguePhase,
        Due,
        Obligation,
        Weekday,
        WhenClosed,
    )
    from hkex_ops.reports.catalogue import (
        Audience,
        Catalogue,
        IgnoreRule,
        Include,
        NameReading,
        ReportRule,
    )
    from hkex_ops.reports.catalogue_check import catalogue_faults, rule_faults
    from hkex_ops.reports.comparison import FolderComparison, FolderOutcome, compare_folders
    from hkex_ops.reports.completeness import (
        CheckForm,
        Columns,
        ContentCheck,
        ContentReader,
        Counted,
        HashTotal,
        Packing,
        content_fault,
    )
    from hkex_ops.reports.cutoffs import CutOff
    from hkex_ops.reports.digest import DayStanding, ReportDue, digest_of, obligations_of
    from hkex_ops.reports.expected import (
        ExpectedReport,
        expected_reports,
        first_cut_off,
        last_cut_off,
        working_date,
    )
    from hkex_ops.reports.grammar import DateForm, InstanceForm, NameCase, NameGrammar, NameParts
    from hkex_ops.reports.metrics import RunFacts, metrics_text
    from hkex_ops.reports.plan import (
        Choice,
        FetchPlan,
        ListedState,
        PlannedReport,
        choose,
        judge,
        plan_fetch,
    )
    from hkex_ops.reports.readiness import Readiness, first_use_after, judge_readiness
    from hkex_ops.reports.standing import HeldReport, ReportStanding, ReportState, stand
else:
    __getattr__, __dir__ = front(
        __name__,
        {
            "cadence": "Cadence CataloguePhase Due Obligation Weekday WhenClosed",
            "catalogue": "Audience Catalogue IgnoreRule Include NameReading ReportRule",
            "catalogue_check": "catalogue_faults rule_faults",
            "comparison": "FolderComparison FolderOutcome compare_folders",
            "completeness": (
                "CheckForm Columns ContentCheck ContentReader Counted HashTotal Packing "
                "content_fault"
            ),
            "cutoffs": "CutOff",
            "digest": "DayStanding ReportDue digest_of obligations_of",
            "expected": "ExpectedReport expected_reports first_cut_off last_cut_off working_date",
            "grammar": "DateForm InstanceForm NameCase NameGrammar NameParts",
            "metrics": "RunFacts metrics_text",
            "plan": "Choice FetchPlan ListedState PlannedReport choose judge plan_fetch",
            "readiness": "Readiness first_use_after judge_readiness",
            "standing": "HeldReport ReportStanding ReportState stand",
        },
    )

__all__ = [
    "Audience",
    "Cadence",
    "Catalogue",
    "CataloguePhase",
    "CheckForm",
    "Choice",
    "Columns",
    "ContentCheck",
    "ContentReader",
    "Counted",
    "CutOff",
    "DateForm",
    "DayStanding",
    "Due",
    "ExpectedReport",
    "FetchPlan",
    "FolderComparison",
    "FolderOutcome",
    "HashTotal",
    "HeldReport",
    "IgnoreRule",
    "Include",
    "InstanceForm",
    "ListedState",
    "NameCase",
    "NameGrammar",
    "NameParts",
    "NameReading",
    "Obligation",
    "Packing",
    "PlannedReport",
    "Readiness",
    "ReportDue",
    "ReportRule",
    "ReportStanding",
    "ReportState",
    "RunFacts",
    "Weekday",
    "WhenClosed",
    "catalogue_faults",
    "choose",
    "compare_folders",
    "content_fault",
    "digest_of",
    "expected_reports",
    "first_cut_off",
    "first_use_after",
    "judge",
    "judge_readiness",
    "last_cut_off",
    "metrics_text",
    "obligations_of",
    "plan_fetch",
    "rule_faults",
    "stand",
    "working_date",
]
