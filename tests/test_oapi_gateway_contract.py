"""The contract of clearing gateways passes what is right and fails what is wrong."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import suppress

import pytest
from attrs import evolve

from hkex_ops.errors import Denied, HkexOpsError, TimedOut, Unreachable
from hkex_ops.model import (
    ClearingMessageReceived,
    Enquiry,
    EnquiryPage,
    Fields,
    GateDecision,
    GatewayEvent,
    GatewayStatus,
    Transaction,
    TransactionReceipt,
)
from hkex_ops.testing import (
    FakeOapiGateway,
    FakeOapiGatewayBench,
    FakeOapiOptions,
    FakeTransactingGateway,
    OapiGatewayBench,
    OapiGatewayContract,
)


class TestFakeOapiGateway(OapiGatewayContract):
    """The fake of the kit keeps the contract in every clause."""

    @pytest.fixture
    def bench(self) -> FakeOapiGatewayBench:
        return FakeOapiGatewayBench()


class Blind(FakeOapiGateway):
    """Does not say who is logged in."""

    async def status(self) -> GatewayStatus:
        return evolve(await super().status(), user_code="", findings=())


class Helpful(FakeOapiGateway):
    """Changes the password by itself."""

    async def status(self) -> GatewayStatus:
        self.house.password_changes += 1
        return await super().status()


class Forgetting(FakeOapiGateway):
    """Loses the last page."""

    async def enquire(self, enquiry: Enquiry) -> AsyncIterator[EnquiryPage]:
        async for page in super().enquire(enquiry):
            yield evolve(page, items=()) if page.is_last else page


class Miscounting(FakeOapiGateway):
    """Says of every page that it is the last."""

    async def enquire(self, enquiry: Enquiry) -> AsyncIterator[EnquiryPage]:
        async for page in super().enquire(enquiry):
            yield evolve(page, is_last=True)


class Mixing(FakeOapiGateway):
    """Answers whoever asks with what was asked last."""

    asked: tuple[Fields, ...] = ()

    async def enquire(self, enquiry: Enquiry) -> AsyncIterator[EnquiryPage]:
        self.asked = self.house.books.get(enquiry.code, ())
        async for page in super().enquire(enquiry):
            yield evolve(page, items=self.asked[:3] if page.items else ())


class Believing(FakeOapiGateway):
    """Takes whatever came for the whole answer."""

    async def enquire(self, enquiry: Enquiry) -> AsyncIterator[EnquiryPage]:
        page: EnquiryPage | None = None
        try:
            async for page in super().enquire(enquiry):
                yield page
        except (Denied, HkexOpsError):
            yield EnquiryPage(enquiry, "CA0", {}, (), page.number + 1 if page else 1, True)


class Obliging(FakeOapiGateway):
    """Has no gate."""

    async def enquire(self, enquiry: Enquiry) -> AsyncIterator[EnquiryPage]:
        if enquiry.code not in self.house.books:
            self.house.received.append(enquiry.code)
            self.house.changed.append(enquiry.code)
            yield EnquiryPage(enquiry, "CA0", {}, (), 1, True)
            return
        async for page in super().enquire(enquiry):
            yield page


class Unaccounted(FakeOapiGateway):
    """Keeps no decisions."""

    def decisions(self) -> Sequence[GateDecision]:
        return ()


class Careless(FakeOapiGateway):
    """Sends a question with a field that nobody knows."""

    async def enquire(self, enquiry: Enquiry) -> AsyncIterator[EnquiryPage]:
        async for page in super().enquire(Enquiry(enquiry.code)):
            yield page


class Deaf(FakeOapiGateway):
    """Hears every other text."""

    async def next_text(self) -> str | None:
        text = await super().next_text()
        return await super().next_text() if text == "one" else text


class Unworried(FakeOapiGateway):
    """Makes nothing up for what was lost."""

    async def recover(self) -> AsyncIterator[GatewayEvent]:
        yield ClearingMessageReceived("lost", {}, recovered=True)
        yield ClearingMessageReceived("lost", {}, recovered=True)


class Quiet(FakeOapiGateway):
    """Ends quietly when the session is lost."""

    async def events(self) -> AsyncIterator[GatewayEvent]:
        with suppress(Unreachable):
            async for event in super().events():
                yield event


class Numb(FakeOapiGateway):
    """Its heart beats without a body."""

    async def heartbeat(self) -> None:
        return


class Twice(FakeTransactingGateway):
    """Sends again what was not answered."""

    async def transact(self, transaction: Transaction) -> TransactionReceipt:
        try:
            return await super().transact(transaction)
        except TimedOut:
            return await super().transact(transaction)


class Eager(FakeTransactingGateway):
    """Sends whatever it is given."""

    async def transact(self, transaction: Transaction) -> TransactionReceipt:
        self.transactions = (*self.transactions, transaction.code)
        return await super().transact(transaction)


def simple(kind: type[FakeOapiGateway]) -> FakeOapiGatewayBench:
    return FakeOapiGatewayBench(lambda options, place: kind(options.house, place))


def transacting(kind: type[FakeTransactingGateway]) -> FakeOapiGatewayBench:
    return FakeOapiGatewayBench(
        lambda options, place: kind(options.house, place, options.transactions)
    )


class LingeringBench(FakeOapiGatewayBench):
    """Its adapter never logs out."""

    def sessions(self) -> int:
        return super().sessions() + 1


class OpenHouseBench(FakeOapiGatewayBench):
    """Its adapter lets anybody in."""

    def options_unknown(self) -> FakeOapiOptions:
        return self.options()


class FarBench(FakeOapiGatewayBench):
    """Its adapter goes elsewhere when the site is down."""

    async def take_down(self, place: int = 0) -> None:
        return


Clause = Callable[[OapiGatewayBench], Awaitable[None]]

clauses = OapiGatewayContract()


@pytest.mark.parametrize(
    ("bench", "clause"),
    [
        (simple(Blind), clauses.test_o01_the_status_tells_where_one_is),
        (LingeringBench(), clauses.test_o02_leaving_logs_out),
        (simple(Blind), clauses.test_o03_the_backup_gateway_is_tried),
        (FarBench(), clauses.test_o04_the_other_site_is_never_tried),
        (OpenHouseBench(), clauses.test_o05_an_unknown_user_is_refused),
        (simple(Helpful), clauses.test_o06_a_password_is_never_changed),
        (simple(Forgetting), clauses.test_o07_an_answer_is_what_the_books_hold),
        (simple(Miscounting), clauses.test_o08_pages_are_counted_and_the_last_says_so),
        (simple(Mixing), clauses.test_o09_enquiries_at_once_do_not_mix),
        (simple(Believing), clauses.test_o10_an_answer_for_a_part_is_no_answer),
        (simple(Believing), clauses.test_o11_an_answer_cut_short_is_no_answer),
        (simple(Believing), clauses.test_o12_a_session_that_is_lost_is_told),
        (simple(Believing), clauses.test_o13_silence_ends_in_time),
        (simple(Forgetting), clauses.test_o14_what_was_given_up_can_be_asked_again),
        (simple(Careless), clauses.test_o15_a_field_that_is_none_is_refused),
        (simple(Obliging), clauses.test_o16_nothing_that_changes_anything_is_sent),
        (simple(Unaccounted), clauses.test_o16_nothing_that_changes_anything_is_sent),
        (simple(Obliging), clauses.test_o17_variants_of_an_enquiry_are_refused),
        (simple(Unaccounted), clauses.test_o18_every_message_has_its_decision),
        (transacting(Eager), clauses.test_o19_changing_anything_is_not_even_offered),
        (simple(Deaf), clauses.test_o20_clearing_messages_are_heard),
        (simple(Unworried), clauses.test_o21_what_was_lost_is_told_and_made_up_for),
        (simple(Quiet), clauses.test_o22_events_end_with_the_session),
        (simple(Numb), clauses.test_o23_a_heartbeat_is_harmless),
        (simple(FakeOapiGateway), clauses.test_o24_a_transaction_is_sent_once),
        (transacting(Twice), clauses.test_o25_an_unknown_outcome_is_never_sent_again),
        (transacting(Eager), clauses.test_o26_only_what_is_listed_can_be_sent),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
async def test_a_broken_gateway_fails_its_clause(
    bench: OapiGatewayBench, clause: Clause, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each clause has a gateway that fails it, and none hangs on one."""
    monkeypatch.setattr("hkex_ops.testing.oapi_gateway_asking.NOTICE_TIMEOUT_S", 0.05)
    with pytest.raises((AssertionError, pytest.fail.Exception)):
        await clause(bench)


class BareBench(FakeOapiGatewayBench):
    """A bench that can only be up."""

    options_unknown = OapiGatewayBench.options_unknown  # type: ignore[assignment]
    options_transacting = OapiGatewayBench.options_transacting  # type: ignore[assignment]
    transaction = OapiGatewayBench.transaction
    take_down = OapiGatewayBench.take_down
    fall_silent = OapiGatewayBench.fall_silent
    answer_in_part = OapiGatewayBench.answer_in_part
    cut_short = OapiGatewayBench.cut_short
    require_password_change = OapiGatewayBench.require_password_change
    tell = OapiGatewayBench.tell
    tell_unheard = OapiGatewayBench.tell_unheard


@pytest.mark.parametrize(
    ("clause", "reason"),
    [
        (clauses.test_o03_the_backup_gateway_is_tried, "cannot take a gateway down"),
        (clauses.test_o05_an_unknown_user_is_refused, "knows no users"),
        (clauses.test_o06_a_password_is_never_changed, "do not age"),
        (clauses.test_o10_an_answer_for_a_part_is_no_answer, "has no partitions"),
        (clauses.test_o11_an_answer_cut_short_is_no_answer, "cannot cut"),
        (clauses.test_o13_silence_ends_in_time, "without an answer"),
        (clauses.test_o20_clearing_messages_are_heard, "sends no texts"),
        (clauses.test_o24_a_transaction_is_sent_once, "only enquires"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
async def test_a_clause_the_bench_cannot_stage_is_skipped_with_its_reason(
    clause: Clause, reason: str
) -> None:
    with pytest.raises(pytest.skip.Exception, match=reason):
        await clause(BareBench())
