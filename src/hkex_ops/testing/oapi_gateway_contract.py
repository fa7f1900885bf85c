"""The contract of ``OapiGateway``: numbered clauses that every adapter of the port must pass.

Inherit the class in a test module and give it a fixture ``bench``::

    class TestMyGateway(OapiGatewayContract):
        @pytest.fixture
        async def bench(self, tmp_path):
            async with MyBench(tmp_path) as bench:
                yield bench

A clause states its prerequisite, its action and when it passes. Numbers are never reused.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest

from hkex_ops.errors import (
    AuthRefused,
    Denied,
    RemoteError,
    TimedOut,
    TransientError,
    Unreachable,
    UsageError,
    WireError,
)
from hkex_ops.model import (
    Enquiry,
    EnquiryPage,
    PasswordChange,
    SiteRole,
    TransactionType,
)
from hkex_ops.ports import SupportsTransact
from hkex_ops.testing.oapi_gateway_acts import OapiGatewayActs
from hkex_ops.testing.oapi_gateway_asking import (
    all_pages,
    failure,
    items_of,
    noticed,
    open_and_leave,
    see,
    several,
)
from hkex_ops.testing.oapi_gateway_bench import OapiGatewayBench

__all__ = ["OapiGatewayContract"]

PRIMARY = SiteRole.PRIMARY

VARIANTS = (256, 2048, 256 + 2048)


class OapiGatewayContract(OapiGatewayActs):
    """Inherit and provide a fixture ``bench`` that yields a fresh `OapiGatewayBench`."""

    pytestmark: pytest.MarkDecorator = pytest.mark.asyncio

    # -- who and where -----------------------------------------------------------------------

    async def test_o01_the_status_tells_where_one_is(self, bench: OapiGatewayBench) -> None:
        """O1. Action: open, ask the status. Pass: site, first gateway, user, business date."""
        async with bench.offer.open(bench.options(), PRIMARY) as gateway:
            status = await gateway.status()
            assert 1 == bench.sessions()
        assert (PRIMARY, bench.gateways[0], bench.business_date, PasswordChange.NONE) == (
            status.site,
            status.gateway,
            status.business_date,
            status.password_change,
        )
        assert status.user_code

    async def test_o02_leaving_logs_out(self, bench: OapiGatewayBench) -> None:
        """O2. Action: enquire, leave; fail, leave. Pass: nobody is logged in afterwards."""
        async with bench.offer.open(bench.options(), PRIMARY) as gateway:
            await all_pages(gateway, bench.held()[0].enquiry)
        assert await noticed(lambda: bench.sessions() == 0)
        with pytest.raises(ZeroDivisionError):
            async with bench.offer.open(bench.options(), PRIMARY):
                raise ZeroDivisionError
        assert await noticed(lambda: bench.sessions() == 0)

    async def test_o03_the_backup_gateway_is_tried(self, bench: OapiGatewayBench) -> None:
        """O3. Prerequisite: the first gateway is down. Pass: logged in at the second, and said."""
        await bench.take_down(0)
        async with bench.offer.open(bench.options(), PRIMARY) as gateway:
            status = await gateway.status()
        assert bench.gateways[1] == status.gateway
        assert status.findings

    async def test_o04_the_other_site_is_never_tried(self, bench: OapiGatewayBench) -> None:
        """O4. Prerequisite: every gateway of the site is down. Pass: `Unreachable`."""
        for place in range(len(bench.gateways)):
            await bench.take_down(place)
        error = await failure(bench, open_and_leave(bench, bench.options()))
        assert isinstance(error, Unreachable)
        assert 0 == bench.sessions()

    async def test_o05_an_unknown_user_is_refused(self, bench: OapiGatewayBench) -> None:
        """O5. Prerequisite: a user who is not known. Pass: `AuthRefused`, without the secret."""
        error = await failure(bench, open_and_leave(bench, bench.options_unknown()))
        assert isinstance(error, AuthRefused)

    async def test_o06_a_password_is_never_changed(self, bench: OapiGatewayBench) -> None:
        """O6. Prerequisite: it must be changed. Pass: said, nothing answered, nothing changed."""
        await bench.require_password_change()
        async with bench.offer.open(bench.options(), PRIMARY) as gateway:
            status = await gateway.status()
            error = await failure(bench, all_pages(gateway, bench.held()[0].enquiry))
        assert (PasswordChange.REQUIRED, 0) == (status.password_change, bench.password_changes())
        assert isinstance(error, AuthRefused)

    # -- answers -----------------------------------------------------------------------------

    async def test_o07_an_answer_is_what_the_books_hold(self, bench: OapiGatewayBench) -> None:
        """O7. Action: every enquiry. Pass: the items of the books, each once, in their order."""
        async with bench.offer.open(bench.options(), PRIMARY) as gateway:
            for held in bench.held():
                pages = await all_pages(gateway, held.enquiry)
                assert [dict(item) for item in held.items] == [
                    dict(item) for item in items_of(pages)
                ]

    async def test_o08_pages_are_counted_and_the_last_says_so(
        self, bench: OapiGatewayBench
    ) -> None:
        """O8. Action: an enquiry of several pages. Pass: 1, 2, 3 and so on; only the last is."""
        async with bench.offer.open(bench.options(), PRIMARY) as gateway:
            pages = await all_pages(gateway, several(bench).enquiry)
        assert len(pages) > 1
        assert list(range(1, len(pages) + 1)) == [page.number for page in pages]
        assert [*[False] * (len(pages) - 1), True] == [page.is_last for page in pages]
        assert all(page.enquiry == several(bench).enquiry for page in pages)

    async def test_o09_enquiries_at_once_do_not_mix(self, bench: OapiGatewayBench) -> None:
        """O9. Action: all enquiries at once, twice. Pass: each has its own answer."""
        twice = [*bench.held(), *bench.held()]
        async with bench.offer.open(bench.options(), PRIMARY) as gateway:
            answers = await asyncio.gather(*(all_pages(gateway, held.enquiry) for held in twice))
        assert [[dict(one) for one in held.items] for held in twice] == [
            [dict(one) for one in items_of(pages)] for pages in answers
        ]

    async def test_o10_an_answer_for_a_part_is_no_answer(self, bench: OapiGatewayBench) -> None:
        """O10. Prerequisite: a partition answers for itself. Pass: an error, no last page."""
        enquiry, seen = several(bench).enquiry, list[EnquiryPage]()
        await bench.answer_in_part(enquiry)
        async with bench.offer.open(bench.options(), PRIMARY) as gateway:
            error = await failure(bench, see(gateway, enquiry, seen))
        assert isinstance(error, RemoteError)
        assert not any(page.is_last for page in seen)

    async def test_o11_an_answer_cut_short_is_no_answer(self, bench: OapiGatewayBench) -> None:
        """O11. Prerequisite: the answer lacks its end. Pass: an error, no last page."""
        enquiry, seen = several(bench).enquiry, list[EnquiryPage]()
        await bench.cut_short(enquiry)
        async with bench.offer.open(bench.options(), PRIMARY) as gateway:
            error = await failure(bench, see(gateway, enquiry, seen))
        assert isinstance(error, RemoteError | WireError)
        assert not any(page.is_last for page in seen)

    async def test_o12_a_session_that_is_lost_is_told(self, bench: OapiGatewayBench) -> None:
        """O12. Action: enquire after the gateway went down. Pass: `TransientError`, in time."""
        async with bench.offer.open(bench.options(), PRIMARY) as gateway:
            await bench.take_down(0)
            error = await failure(bench, all_pages(gateway, bench.held()[0].enquiry))
            again = await failure(bench, all_pages(gateway, bench.held()[0].enquiry))
        assert isinstance(error, TransientError)
        assert isinstance(again, TransientError)

    async def test_o13_silence_ends_in_time(self, bench: OapiGatewayBench) -> None:
        """O13. Prerequisite: no answer comes. Pass: `TimedOut`, in time, and leaving is in time."""
        enquiry = bench.held()[0].enquiry
        await bench.fall_silent(enquiry)
        async with asyncio.timeout(3 * bench.time_limit_s):
            async with bench.offer.open(bench.options(), PRIMARY) as gateway:
                error = await failure(bench, all_pages(gateway, enquiry))
        assert isinstance(error, TimedOut)

    async def test_o14_what_was_given_up_can_be_asked_again(self, bench: OapiGatewayBench) -> None:
        """O14. Action: give an enquiry up at many points, then ask. Pass: the whole answer."""
        held = several(bench)
        async with bench.offer.open(bench.options(), PRIMARY) as gateway:
            for turns in (0, 1, 2, 3, 5, 8, 13):
                asked = asyncio.ensure_future(all_pages(gateway, held.enquiry))
                for _ in range(turns):
                    await asyncio.sleep(0)
                asked.cancel()
                with suppress(asyncio.CancelledError):
                    await asked
            pages = await all_pages(gateway, held.enquiry)
        assert [dict(item) for item in held.items] == [dict(item) for item in items_of(pages)]

    async def test_o15_a_field_that_is_none_is_refused(self, bench: OapiGatewayBench) -> None:
        """O15. Action: state a field that the layout lacks. Pass: `UsageError`, nothing sent."""
        enquiry = Enquiry(bench.held()[0].enquiry.code, {"no_such_field": 1})
        async with bench.offer.open(bench.options(), PRIMARY) as gateway:
            before = len(bench.received())
            error = await failure(bench, all_pages(gateway, enquiry))
            assert before == len(bench.received())
        assert isinstance(error, UsageError)

    # -- the gate ----------------------------------------------------------------------------

    async def test_o16_nothing_that_changes_anything_is_sent(self, bench: OapiGatewayBench) -> None:
        """O16. Action: each changing code as an enquiry. Pass: `Denied`; refused and kept."""
        async with bench.offer.open(bench.options(), PRIMARY) as gateway:
            before = len(bench.received())
            for code in bench.changing():
                error = await failure(bench, all_pages(gateway, Enquiry(code)))
                assert isinstance(error, Denied), code
            refused = {one.code for one in gateway.decisions() if not one.allowed}
            assert set(bench.changing()) == refused
            assert before == len(bench.received())
        assert [] == list(bench.changed())

    async def test_o17_variants_of_an_enquiry_are_refused(self, bench: OapiGatewayBench) -> None:
        """O17. Action: +256, +2048, both. Pass: `Denied`, nothing sent."""
        async with bench.offer.open(bench.options(), PRIMARY) as gateway:
            before = len(bench.received())
            for held in bench.held():
                base = TransactionType.parse(held.enquiry.code)
                for variant in VARIANTS:
                    code = str(TransactionType(base.module, base.server, base.number + variant))
                    error = await failure(bench, all_pages(gateway, Enquiry(code)))
                    assert isinstance(error, Denied), code
            assert before == len(bench.received())

    async def test_o18_every_message_has_its_decision(self, bench: OapiGatewayBench) -> None:
        """O18. Action: every enquiry. Pass: as many allowed messages as the house received."""
        async with bench.offer.open(bench.options(), PRIMARY) as gateway:
            for held in bench.held():
                await all_pages(gateway, held.enquiry)
            decisions = gateway.decisions()
        received = list(bench.received())
        for code in {held.enquiry.code for held in bench.held()}:
            allowed = sum(one.times for one in decisions if one.code == code and one.allowed)
            assert received.count(code) == allowed
        assert list(range(1, len(decisions) + 1)) == [one.number for one in decisions]

    async def test_o19_changing_anything_is_not_even_offered(self, bench: OapiGatewayBench) -> None:
        """O19. Prerequisite: enquiries only. Pass: the gateway has no way to transact."""
        async with bench.offer.open(bench.options(), PRIMARY) as gateway:
            assert not isinstance(gateway, SupportsTransact)
