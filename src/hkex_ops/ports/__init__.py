"""The places where the world is touched, each one small typed protocol, and how they are offered.

An adapter implements a port; a plug-in *offers* it with :class:`Offer`; the operator picks an
offer by name in the configuration. A port speaks in model values and raises only the errors of
:mod:`hkex_ops.errors`: every exception of an adapter's engine is translated inside the adapter.

=================== ==================================================================
``ReportSource``    lists a report folder and fetches from it
``Probe``           says whether a connection can be reached and answers as it should
``MarketFeed``      gives the packets of market data channels
``IndexPublisher``  publishes index ticks
``IndexFeed``       hears the index ticks that somebody publishes
``OapiGateway``     asks a clearing house, and hears what it tells
``Notifier``        tells people something, with a receipt of each
=================== ==================================================================

What not every adapter can do is a *capability*, a protocol named ``Supports…`` that the opened
adapter is asked for with `isinstance`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hkex_ops.fronts import front

if TYPE_CHECKING:
    from hkex_ops.ports.clearing import (
        OapiGateway,
        SupportsHeartbeat,
        SupportsOneGateway,
        SupportsTransact,
    )
    from hkex_ops.ports.index import IndexFeed, IndexPublisher, SupportsEvents, SupportsSnapshot
    from hkex_ops.ports.market import (
        FeedLine,
        LineHealth,
        MarketFeed,
        PacketBatch,
        SupportsHealth,
        SupportsPause,
        SupportsRefresh,
        SupportsRetransmission,
    )
    from hkex_ops.ports.notifying import (
        Acknowledgement,
        Notifier,
        SupportsAcknowledgement,
        SupportsInquiry,
        SupportsPreflight,
    )
    from hkex_ops.ports.offers import CommandOffer, Offer, RolloutDocument
    from hkex_ops.ports.probes import Probe, ProbeResult
    from hkex_ops.ports.reports import (
        Delivery,
        ReportChunk,
        ReportEnd,
        ReportFailed,
        ReportSource,
        SupportsResume,
        SupportsUpload,
        UploadEnd,
    )
else:
    __getattr__, __dir__ = front(
        __name__,
        {
            "clearing": "OapiGateway SupportsHeartbeat SupportsOneGateway SupportsTransact",
            "index": "IndexFeed IndexPublisher SupportsEvents SupportsSnapshot",
            "market": (
                "FeedLine LineHealth MarketFeed PacketBatch SupportsHealth SupportsPause "
                "SupportsRefresh SupportsRetransmission"
            ),
            "notifying": (
                "Acknowledgement Notifier SupportsAcknowledgement SupportsInquiry SupportsPreflight"
            ),
            "offers": "CommandOffer Offer RolloutDocument",
            "probes": "Probe ProbeResult",
            "reports": (
                "Delivery ReportChunk ReportEnd ReportFailed ReportSource SupportsResume "
                "SupportsUpload UploadEnd"
            ),
        },
    )

__all__ = [
    "Acknowledgement",
    "CommandOffer",
    "Delivery",
    "FeedLine",
    "IndexFeed",
    "IndexPublisher",
    "LineHealth",
    "MarketFeed",
    "Notifier",
    "OapiGateway",
    "Offer",
    "PacketBatch",
    "Probe",
    "ProbeResult",
    "ReportChunk",
    "ReportEnd",
    "ReportFailed",
    "ReportSource",
    "RolloutDocument",
    "SupportsAcknowledgement",
    "SupportsEvents",
    "SupportsHealth",
    "SupportsHeartbeat",
    "SupportsInquiry",
    "SupportsOneGateway",
    "SupportsPause",
    "SupportsPreflight",
    "SupportsRefresh",
    "SupportsResume",
    "SupportsRetransmission",
    "SupportsSnapshot",
    "SupportsTransact",
    "SupportsUpload",
    "UploadEnd",
]
