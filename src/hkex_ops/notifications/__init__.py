"""Who is told what, by which channel, and what became of it: routing, digests, escalation.

`switchboard` decides, `routing` and `templates` are what it decides by, both of them data that an
operator writes; `deliveries` says what becomes of one message to one receiver. Nothing here sends
anything: `flows.notifying` does.
"""

from hkex_ops.notifications.cases import TRANSITIONS, Case, CaseInput, CaseState
from hkex_ops.notifications.catalogue import (
    COMMON_FACTS,
    DIGEST,
    EVENT_KINDS,
    MESSAGE,
    EventKind,
    matches,
)
from hkex_ops.notifications.check import faults_of_routing
from hkex_ops.notifications.deliveries import (
    DELIVERY_TRANSITIONS,
    Delivery,
    DeliveryRules,
    DeliveryState,
)
from hkex_ops.notifications.events import (
    Acknowledge,
    CaseAcknowledged,
    CaseEscalated,
    CaseFellBack,
    CaseReached,
    CaseUnanswered,
    CaseUnreached,
    OccurrenceHeld,
    OccurrenceRepeated,
    OccurrenceTaken,
    OccurrenceUnrouted,
    Settle,
    SwitchboardEvent,
    SwitchboardInput,
    TellingOrdered,
)
from hkex_ops.notifications.routing import (
    BusinessDays,
    DayChoice,
    EscalationStep,
    Hours,
    QuietHours,
    Route,
    Routing,
    Telling,
)
from hkex_ops.notifications.snapshots import (
    case_document,
    held_document,
    read_case,
    read_held,
    read_notification,
    read_occurrence,
    restore,
    snapshot,
)
from hkex_ops.notifications.switchboard import Held, Switchboard
from hkex_ops.notifications.templates import (
    CHINESE_FACT,
    Template,
    Templates,
    TemplatesFile,
    faults_of_templates,
)

__all__ = [
    "CHINESE_FACT",
    "COMMON_FACTS",
    "DELIVERY_TRANSITIONS",
    "DIGEST",
    "EVENT_KINDS",
    "MESSAGE",
    "TRANSITIONS",
    "Acknowledge",
    "BusinessDays",
    "Case",
    "CaseAcknowledged",
    "CaseEscalated",
    "CaseFellBack",
    "CaseInput",
    "CaseReached",
    "CaseState",
    "CaseUnanswered",
    "CaseUnreached",
    "DayChoice",
    "Delivery",
    "DeliveryRules",
    "DeliveryState",
    "EscalationStep",
    "EventKind",
    "Held",
    "Hours",
    "OccurrenceHeld",
    "OccurrenceRepeated",
    "OccurrenceTaken",
    "OccurrenceUnrouted",
    "QuietHours",
    "Route",
    "Routing",
    "Settle",
    "Switchboard",
    "SwitchboardEvent",
    "SwitchboardInput",
    "Telling",
    "TellingOrdered",
    "Template",
    "Templates",
    "TemplatesFile",
    "case_document",
    "faults_of_routing",
    "faults_of_templates",
    "held_document",
    "matches",
    "read_case",
    "read_held",
    "read_notification",
    "read_occurrence",
    "restore",
    "snapshot",
]
