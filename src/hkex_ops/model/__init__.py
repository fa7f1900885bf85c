"""The nouns of the field as frozen values. Knows no file format, no clock and no network."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hkex_ops.fronts import front

if TYPE_CHECKING:
    from hkex_ops.model.actions import (
        ACTIONS,
    )
    from hkex_ops.model.clearing import (
        ClearingPosition,
        ClearingRecord,
        ClearingSide,
        ClearingTrade,
        ClearingTransaction,
        RecordKind,
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
    from hkex_ops.model.enquiries import (
        BroadcastReceived,
        ClearingMessageReceived,
        Enquiry,
        EnquiryPage,
        EventsLost,
        EventsRecovered,
        Fields,
        FieldValue,
        GateDecision,
        GatewayEvent,
        GatewayStatus,
        LinkLost,
        LinkRestored,
        LogoutImminent,
        PasswordChange,
        Transaction,
        TransactionReceipt,
        TransactionType,
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
    from hkex_ops.model.notifications import (
        Audience,
        Language,
        Notification,
        Occurrence,
        Outcome,
        Receipt,
        Severity,
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
    from hkex_ops.model.ticks import (
        TICK_VERSION,
        format_event,
        format_tick,
        parse_published,
        parse_tick,
        tick_document,
        tick_identity,
    )
else:
    __getattr__, __dir__ = front(
        __name__,
        {
            "actions": "ACTIONS",
            "clearing": (
                "ClearingPosition ClearingRecord ClearingSide ClearingTrade "
                "ClearingTransaction RecordKind"
            ),
            "duties": (
                "ChannelOutage ContingencyRule CredentialRule Effect ExclusiveWays "
                "FallbackPlan Recurrence ReportObligation Requirement Restriction "
                "Retention Standing"
            ),
            "enquiries": (
                "BroadcastReceived ClearingMessageReceived Enquiry EnquiryPage EventsLost "
                "EventsRecovered Fields FieldValue GateDecision GatewayEvent "
                "GatewayStatus LinkLost LinkRestored LogoutImminent PasswordChange "
                "Transaction TransactionReceipt TransactionType"
            ),
            "forms": "ChecklistGroup ChecklistItem FieldKind Form FormField Prerequisite",
            "incidents": (
                "Account ChronologyRow Figure Incident IncidentMoment MomentKind "
                "Statement StatementKind SystemTold Teller"
            ),
            "json": "Json JsonObject plain",
            "market": "IndexStatus IndexTick TickKind",
            "moments": "HONG_KONG Bound Certainty Holding Window",
            "notifications": ("Audience Language Notification Occurrence Outcome Receipt Severity"),
            "papers": "Announcement Circular Contact Signatory",
            "reports": "Endpoint ListedReport Listing ReportIdentity ReportKind",
            "rollouts": "Phase PhaseKind Rollout System",
            "sessions": "Grade Registration Session SessionKind Step StepAction StepMoment",
            "sites": "Connection ConnectionUse SiteRole",
            "sources": "Source",
            "ticks": (
                "TICK_VERSION format_event format_tick parse_published parse_tick "
                "tick_document tick_identity"
            ),
        },
    )

__all__ = [
    "ACTIONS",
    "HONG_KONG",
    "TICK_VERSION",
    "Account",
    "Announcement",
    "Audience",
    "Bound",
    "BroadcastReceived",
    "Certainty",
    "ChannelOutage",
    "ChecklistGroup",
    "ChecklistItem",
    "ChronologyRow",
    "Circular",
    "ClearingMessageReceived",
    "ClearingPosition",
    "ClearingRecord",
    "ClearingSide",
    "ClearingTrade",
    "ClearingTransaction",
    "Connection",
    "ConnectionUse",
    "Contact",
    "ContingencyRule",
    "CredentialRule",
    "Effect",
    "Endpoint",
    "Enquiry",
    "EnquiryPage",
    "EventsLost",
    "EventsRecovered",
    "ExclusiveWays",
    "FallbackPlan",
    "FieldKind",
    "FieldValue",
    "Fields",
    "Figure",
    "Form",
    "FormField",
    "GateDecision",
    "GatewayEvent",
    "GatewayStatus",
    "Grade",
    "Holding",
    "Incident",
    "IncidentMoment",
    "IndexStatus",
    "IndexTick",
    "Json",
    "JsonObject",
    "Language",
    "LinkLost",
    "LinkRestored",
    "ListedReport",
    "Listing",
    "LogoutImminent",
    "MomentKind",
    "Notification",
    "Occurrence",
    "Outcome",
    "PasswordChange",
    "Phase",
    "PhaseKind",
    "Prerequisite",
    "Receipt",
    "RecordKind",
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
    "Severity",
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
    "Transaction",
    "TransactionReceipt",
    "TransactionType",
    "Window",
    "format_event",
    "format_tick",
    "parse_published",
    "parse_tick",
    "plain",
    "tick_document",
    "tick_identity",
]
