"""The conformance kit for authors of adapters: contracts, benches, fakes, and what goes wrong.

A *contract* is a class of numbered clauses that an author inherits in a test module. A *bench* is
what the author provides: the adapter, and a back door to the far side, so that the adapter is never
its own witness. A clause that a bench cannot stage is skipped with the reason. *Fakes* are adapters
that keep everything in memory and pass the contract; use them to test what stands on a port.

Modules of their own have what else there is: ``faults`` and ``*_faults`` (one for each port),
``simulation`` (days drawn from a seed), ``golden`` (answers that are known), ``strategies``,
``plugin_check`` and ``scaffold``.

Nothing else in the library imports this package. It needs the extra ``hkex-ops[testing]``; the
clauses are coroutines and run under pytest-asyncio.
"""

from __future__ import annotations

import pytest

# Before the modules are imported, or a failed clause would not show the values it compared.
pytest.register_assert_rewrite(
    "hkex_ops.testing.fetched",
    "hkex_ops.testing.index_feed_contract",
    "hkex_ops.testing.index_publisher_contract",
    "hkex_ops.testing.market_feed_contract",
    "hkex_ops.testing.market_feed_recovery",
    "hkex_ops.testing.notifier_contract",
    "hkex_ops.testing.oapi_gateway_acts",
    "hkex_ops.testing.oapi_gateway_asking",
    "hkex_ops.testing.oapi_gateway_contract",
    "hkex_ops.testing.probe_contract",
    "hkex_ops.testing.report_source_contract",
    "hkex_ops.testing.report_upload_contract",
)

from hkex_ops.testing.benches import ReportSourceBench, Stored  # noqa: E402
from hkex_ops.testing.fakes import (  # noqa: E402
    FakeOptions,
    FakeReportSource,
    FakeReportSourceBench,
    FakeSite,
    FakeUploadSource,
    open_fake,
)
from hkex_ops.testing.fetched import Fetched, collect  # noqa: E402
from hkex_ops.testing.index_feed_bench import IndexFeedBench  # noqa: E402
from hkex_ops.testing.index_feed_contract import IndexFeedContract  # noqa: E402
from hkex_ops.testing.index_feed_fakes import (  # noqa: E402
    FakeIndexFeed,
    FakeIndexFeedBench,
    FakeIndexFeedOptions,
    open_fake_index_feed,
)
from hkex_ops.testing.index_publisher_bench import IndexPublisherBench  # noqa: E402
from hkex_ops.testing.index_publisher_contract import IndexPublisherContract  # noqa: E402
from hkex_ops.testing.index_publisher_fakes import (  # noqa: E402
    FakeIndexOptions,
    FakeIndexPublisher,
    FakeIndexPublisherBench,
    FakeTape,
    open_fake_index_publisher,
)
from hkex_ops.testing.market_feed_bench import MarketFeedBench, Sent  # noqa: E402
from hkex_ops.testing.market_feed_contract import MarketFeedContract  # noqa: E402
from hkex_ops.testing.market_feed_fakes import (  # noqa: E402
    FakeFeedOptions,
    FakeMarket,
    FakeMarketFeed,
    FakeMarketFeedBench,
    open_fake_feed,
)
from hkex_ops.testing.notifier_bench import Arrived, NotifierBench  # noqa: E402
from hkex_ops.testing.notifier_contract import NotifierContract  # noqa: E402
from hkex_ops.testing.notifier_fakes import (  # noqa: E402
    FakeExchange,
    FakeNotifier,
    FakeNotifierBench,
    FakeNotifierOptions,
    open_fake_notifier,
)
from hkex_ops.testing.oapi_gateway_bench import Held, OapiGatewayBench  # noqa: E402
from hkex_ops.testing.oapi_gateway_contract import OapiGatewayContract  # noqa: E402
from hkex_ops.testing.oapi_gateway_fakes import (  # noqa: E402
    FakeClearingHouse,
    FakeOapiGateway,
    FakeOapiGatewayBench,
    FakeOapiOptions,
    FakeTransactingGateway,
    open_fake_oapi_gateway,
)
from hkex_ops.testing.probe_bench import ProbeBench  # noqa: E402
from hkex_ops.testing.probe_contract import ProbeContract  # noqa: E402
from hkex_ops.testing.probe_fakes import (  # noqa: E402
    FakeDoor,
    FakeProbe,
    FakeProbeBench,
    FakeProbeOptions,
    open_fake_probe,
)
from hkex_ops.testing.report_source_contract import ReportSourceContract  # noqa: E402
from hkex_ops.testing.report_upload_contract import (  # noqa: E402
    ReportUploadBench,
    ReportUploadContract,
)

__all__ = [
    "Arrived",
    "FakeClearingHouse",
    "FakeDoor",
    "FakeExchange",
    "FakeFeedOptions",
    "FakeIndexFeed",
    "FakeIndexFeedBench",
    "FakeIndexFeedOptions",
    "FakeIndexOptions",
    "FakeIndexPublisher",
    "FakeIndexPublisherBench",
    "FakeMarket",
    "FakeMarketFeed",
    "FakeMarketFeedBench",
    "FakeNotifier",
    "FakeNotifierBench",
    "FakeNotifierOptions",
    "FakeOapiGateway",
    "FakeOapiGatewayBench",
    "FakeOapiOptions",
    "FakeOptions",
    "FakeProbe",
    "FakeProbeBench",
    "FakeProbeOptions",
    "FakeReportSource",
    "FakeReportSourceBench",
    "FakeSite",
    "FakeTape",
    "FakeTransactingGateway",
    "FakeUploadSource",
    "Fetched",
    "Held",
    "IndexFeedBench",
    "IndexFeedContract",
    "IndexPublisherBench",
    "IndexPublisherContract",
    "MarketFeedBench",
    "MarketFeedContract",
    "NotifierBench",
    "NotifierContract",
    "OapiGatewayBench",
    "OapiGatewayContract",
    "ProbeBench",
    "ProbeContract",
    "ReportSourceBench",
    "ReportSourceContract",
    "ReportUploadBench",
    "ReportUploadContract",
    "Sent",
    "Stored",
    "collect",
    "open_fake",
    "open_fake_feed",
    "open_fake_index_feed",
    "open_fake_index_publisher",
    "open_fake_notifier",
    "open_fake_oapi_gateway",
    "open_fake_probe",
]
