"""Every fault that ships beside a port: the contract of the port notices it, or it does no harm."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import pytest

from hkex_ops.errors import HkexOpsError
from hkex_ops.ports import (
    MarketFeed,
    SupportsRetransmission,
)
from hkex_ops.testing import (
    FakeIndexFeedBench,
    FakeIndexPublisherBench,
    FakeMarketFeedBench,
    FakeNotifierBench,
    FakeOapiGatewayBench,
    FakeProbeBench,
    IndexFeedContract,
    IndexPublisherContract,
    MarketFeedContract,
    NotifierContract,
    OapiGatewayContract,
    ProbeContract,
    index_feed_faults,
    index_publisher_faults,
    market_feed_faults,
    notifier_faults,
    oapi_gateway_faults,
    probe_faults,
)
from hkex_ops.testing.faulty import faulty

QUICK_S = 0.2

market = MarketFeedContract()
publishing = IndexPublisherContract()
hearing = IndexFeedContract()
telling = NotifierContract()
looking = ProbeContract()
asking = OapiGatewayContract()


def behind(kind: type[Any], fault: object) -> Any:
    """A quick bench of ``kind`` whose adapter is behind a fault."""
    offer = property(lambda bench: faulty(kind.offer.fget(bench), fault))  # type: ignore[arg-type]
    return type(kind.__name__, (kind,), {"offer": offer, "time_limit_s": QUICK_S})()


NOTICED: list[tuple[type[Any], Callable[..., object], Callable[..., Any]]] = [
    (FakeMarketFeedBench, market_feed_faults.Truncating, market.test_m01_what_is_sent_is_heard),
    (FakeMarketFeedBench, market_feed_faults.Stalling, market.test_m01_what_is_sent_is_heard),
    (FakeMarketFeedBench, market_feed_faults.Reordering, market.test_m01_what_is_sent_is_heard),
    (FakeMarketFeedBench, market_feed_faults.Duplicating, market.test_m01_what_is_sent_is_heard),
    (FakeMarketFeedBench, market_feed_faults.Losing, market.test_m01_what_is_sent_is_heard),
    (FakeMarketFeedBench, market_feed_faults.Disconnecting, market.test_m01_what_is_sent_is_heard),
    (FakeMarketFeedBench, market_feed_faults.Refusing, market.test_m21_one_message_is_a_range),
    (
        FakeIndexPublisherBench,
        index_publisher_faults.Truncating,
        publishing.test_i01_what_was_published_comes_out,
    ),
    (
        FakeIndexPublisherBench,
        partial(index_publisher_faults.Stalling, after=0),
        publishing.test_i08_a_far_side_that_is_down_is_told_in_time,
    ),
    (
        FakeIndexPublisherBench,
        index_publisher_faults.Reordering,
        publishing.test_i01_what_was_published_comes_out,
    ),
    (
        FakeIndexPublisherBench,
        index_publisher_faults.Refusing,
        publishing.test_i01_what_was_published_comes_out,
    ),
    (
        FakeIndexPublisherBench,
        index_publisher_faults.Disconnecting,
        publishing.test_i03_moments_keep_their_order,
    ),
    (
        FakeIndexFeedBench,
        index_feed_faults.Truncating,
        hearing.test_f02_every_digit_and_word_is_heard,
    ),
    (FakeIndexFeedBench, index_feed_faults.Stalling, hearing.test_f01_what_is_put_is_heard),
    (FakeIndexFeedBench, index_feed_faults.Reordering, hearing.test_f01_what_is_put_is_heard),
    (FakeIndexFeedBench, index_feed_faults.Duplicating, hearing.test_f01_what_is_put_is_heard),
    (FakeIndexFeedBench, index_feed_faults.Losing, hearing.test_f01_what_is_put_is_heard),
    (FakeIndexFeedBench, index_feed_faults.Disconnecting, hearing.test_f01_what_is_put_is_heard),
    (FakeNotifierBench, notifier_faults.Truncating, telling.test_n03_the_words_arrive),
    (
        FakeNotifierBench,
        partial(notifier_faults.Stalling, after=0),
        telling.test_n01_each_receiver_has_it_once,
    ),
    (
        FakeNotifierBench,
        notifier_faults.Reordering,
        telling.test_n02_receipts_are_in_order_and_say_when,
    ),
    (FakeNotifierBench, notifier_faults.Duplicating, telling.test_n01_each_receiver_has_it_once),
    (FakeNotifierBench, notifier_faults.Refusing, telling.test_n01_each_receiver_has_it_once),
    (FakeNotifierBench, notifier_faults.Disconnecting, telling.test_n01_each_receiver_has_it_once),
    (
        FakeProbeBench,
        partial(probe_faults.Stalling, after=0),
        looking.test_p01_a_right_far_side_has_answered,
    ),
    (FakeProbeBench, probe_faults.Refusing, looking.test_p01_a_right_far_side_has_answered),
    (FakeProbeBench, probe_faults.Disconnecting, looking.test_p01_a_right_far_side_has_answered),
    (
        FakeOapiGatewayBench,
        oapi_gateway_faults.Truncating,
        asking.test_o07_an_answer_is_what_the_books_hold,
    ),
    (
        FakeOapiGatewayBench,
        partial(oapi_gateway_faults.Stalling, after=0),
        asking.test_o10_an_answer_for_a_part_is_no_answer,
    ),
    (
        FakeOapiGatewayBench,
        oapi_gateway_faults.Reordering,
        asking.test_o08_pages_are_counted_and_the_last_says_so,
    ),
    (
        FakeOapiGatewayBench,
        oapi_gateway_faults.Duplicating,
        asking.test_o08_pages_are_counted_and_the_last_says_so,
    ),
    (
        FakeOapiGatewayBench,
        oapi_gateway_faults.Refusing,
        asking.test_o07_an_answer_is_what_the_books_hold,
    ),
    (
        FakeOapiGatewayBench,
        oapi_gateway_faults.Disconnecting,
        asking.test_o07_an_answer_is_what_the_books_hold,
    ),
]


def named(value: object) -> str:
    """A fault by its module and name, whatever was laid down with it."""
    made = getattr(value, "func", value)
    return f"{getattr(made, '__module__', '').rpartition('.')[2]}.{getattr(made, '__name__', '')}"


@pytest.mark.parametrize(("bench", "fault", "clause"), NOTICED, ids=named)
async def test_the_contract_notices_a_fault(
    bench: type[Any],
    fault: object,
    clause: Callable[[object], Awaitable[None]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("hkex_ops.testing.index_publisher_contract.NOTICE_TIMEOUT_S", QUICK_S)
    with pytest.raises((AssertionError, pytest.fail.Exception, HkexOpsError, TimeoutError)):
        async with asyncio.timeout(5):
            await clause(behind(bench, fault))


def test_every_fault_of_every_port_is_noticed_or_known_to_be_harmless() -> None:
    harmless = {"index_publisher_faults.Duplicating"}  # what every far side must bear
    ports = (
        index_feed_faults,
        index_publisher_faults,
        market_feed_faults,
        notifier_faults,
        oapi_gateway_faults,
        probe_faults,
    )
    ship = {named(getattr(port, name)) for port in ports for name in port.__all__}
    wrong = {one for one in ship if not one.endswith(".Faulty")}
    assert wrong == {named(fault) for _, fault, _ in NOTICED} | harmless


async def test_a_publisher_that_publishes_twice_keeps_its_contract() -> None:
    """The far side takes the same index and time once."""
    bench = behind(FakeIndexPublisherBench, index_publisher_faults.Duplicating)
    await publishing.test_i03_moments_keep_their_order(bench)


@pytest.mark.parametrize(
    ("bench", "port", "clause"),
    [
        (FakeMarketFeedBench, market_feed_faults, market.test_m02_both_lines_are_heard_apart),
        (
            FakeIndexPublisherBench,
            index_publisher_faults,
            publishing.test_i03_moments_keep_their_order,
        ),
        (FakeIndexFeedBench, index_feed_faults, hearing.test_f03_a_slow_reader_loses_nothing),
        (FakeNotifierBench, notifier_faults, telling.test_n03_the_words_arrive),
        (FakeProbeBench, probe_faults, looking.test_p01_a_right_far_side_has_answered),
        (
            FakeOapiGatewayBench,
            oapi_gateway_faults,
            asking.test_o07_an_answer_is_what_the_books_hold,
        ),
    ],
    ids=named,
)
async def test_an_adapter_behind_no_fault_is_the_adapter(
    bench: type[Any], port: Any, clause: Callable[[object], Awaitable[None]]
) -> None:
    await clause(behind(bench, port.Faulty))


def test_a_feed_behind_a_fault_has_a_retransmission_server_only_where_the_fault_is_that() -> None:
    def is_asked(fault: Callable[[MarketFeed], MarketFeed]) -> bool:
        bench = FakeMarketFeedBench()
        return isinstance(fault(bench.make(bench.options())), SupportsRetransmission)

    assert is_asked(market_feed_faults.Refusing)
    assert not is_asked(market_feed_faults.Losing)
