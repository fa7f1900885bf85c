"""The nouns of the field as frozen values. Knows no file format, no clock and no network."""

from hkex_ops.model.actions import ACTIONS
from hkex_ops.model.json import Json, JsonObject, plain
from hkex_ops.model.moments import HONG_KONG, Bound, Certainty, Holding, Window
from hkex_ops.model.reports import Endpoint, ListedReport, Listing, ReportIdentity, ReportKind
from hkex_ops.model.rollouts import (
    Announcement,
    Circular,
    Contact,
    Effect,
    Grade,
    Phase,
    PhaseKind,
    Recurrence,
    Registration,
    Requirement,
    Restriction,
    Rollout,
    Session,
    Signatory,
    Step,
    StepAction,
    StepMoment,
)
from hkex_ops.model.sites import Connection, ConnectionUse, SiteRole
from hkex_ops.model.sources import Source

__all__ = [
    "ACTIONS",
    "HONG_KONG",
    "Announcement",
    "Bound",
    "Certainty",
    "Circular",
    "Connection",
    "ConnectionUse",
    "Contact",
    "Effect",
    "Endpoint",
    "Grade",
    "Holding",
    "Json",
    "JsonObject",
    "ListedReport",
    "Listing",
    "Phase",
    "PhaseKind",
    "Recurrence",
    "Registration",
    "ReportIdentity",
    "ReportKind",
    "Requirement",
    "Restriction",
    "Rollout",
    "Session",
    "Signatory",
    "SiteRole",
    "Source",
    "Step",
    "StepAction",
    "StepMoment",
    "Window",
    "plain",
]
