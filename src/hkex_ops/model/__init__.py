"""The nouns of the field as frozen values. Knows no file format, no clock and no network."""

from hkex_ops.model.actions import (
    ACTIONS,
)
from hkex_ops.model.duties import (
    ChannelOutage,
    ContingencyRule,
    CredentialRule,
    Effect,
    ExclusiveWays,
    FallbackPlan,
    Recurrence,
    ReportObligation,
    Requirement,
    Restriction,
    Retention,
    Standing,
)
from hkex_ops.model.forms import (
    ChecklistGroup,
    ChecklistItem,
    FieldKind,
    Form,
    FormField,
    Prerequisite,
)
from hkex_ops.model.incidents import (
    Account,
    ChronologyRow,
    Figure,
    Incident,
    IncidentMoment,
    MomentKind,
    Statement,
    StatementKind,
    SystemTold,
    Teller,
)
from hkex_ops.model.json import (
    Json,
    JsonObject,
    plain,
)
from hkex_ops.model.market import (
    IndexStatus,
    IndexTick,
    TickKind,
)
from hkex_ops.model.moments import (
    HONG_KONG,
    Bound,
    Certainty,
    Holding,
    Window,
)
from hkex_ops.model.papers import (
    Announcement,
    Circular,
    Contact,
    Signatory,
)
from hkex_ops.model.reports import (
    Endpoint,
    ListedReport,
    Listing,
    ReportIdentity,
    ReportKind,
)
from hkex_ops.model.rollouts import (
    Phase,
    PhaseKind,
    Rollout,
    System,
)
from hkex_ops.model.sessions import (
    Grade,
    Registration,
    Session,
    SessionKind,
    Step,
    StepAction,
    StepMoment,
)
from hkex_ops.model.sites import (
    Connection,
    ConnectionUse,
    SiteRole,
)
from hkex_ops.model.sources import (
    Source,
)

__all__ = [
    "ACTIONS",
    "HONG_KONG",
    "Account",
    "Announcement",
    "Bound",
    "Certainty",
    "ChannelOutage",
    "ChecklistGroup",
    "ChecklistItem",
    "ChronologyRow",
    "Circular",
    "Connection",
    "ConnectionUse",
    "Contact",
    "ContingencyRule",
    "CredentialRule",
    "Effect",
    "Endpoint",
    "ExclusiveWays",
    "FallbackPlan",
    "FieldKind",
    "Figure",
    "Form",
    "FormField",
    "Grade",
    "Holding",
    "Incident",
    "IncidentMoment",
    "IndexStatus",
    "IndexTick",
    "Json",
    "JsonObject",
    "ListedReport",
    "Listing",
    "MomentKind",
    "Phase",
    "PhaseKind",
    "Prerequisite",
    "Recurrence",
    "Registration",
    "ReportIdentity",
    "ReportKind",
    "ReportObligation",
    "Requirement",
    "Restriction",
    "Retention",
    "Rollout",
    "Session",
    "SessionKind",
    "Signatory",
    "SiteRole",
    "Source",
    "Standing",
    "Statement",
    "StatementKind",
    "Step",
    "StepAction",
    "StepMoment",
    "System",
    "SystemTold",
    "Teller",
    "TickKind",
    "Window",
    "plain",
]
