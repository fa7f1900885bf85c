"""A session from its beginning to its end, with the gateway killed in each of its states."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from oapi_benches import StandInBench, needs_compiler, open_bench
from oapi_desk import ENQUIRIES, desk_options

from hkex_ops.errors import (
    AuthRefused,
    Busy,
    ConfigError,
    HkexOpsError,
    PermanentError,
    Rejected,
    TimedOut,
    TransientError,
    Unreachable,
    UsageError,
    WireError,
)
from hkex_ops.model import Enquiry, EnquiryPage, PasswordChange, SiteRole, Transaction
from hkex_ops.ports import OapiGateway, SupportsHeartbeat, SupportsOneGateway, SupportsTransact
from hkex_ops.testing.oapi_gateway_asking import noticed, see
from hkex_ops_oapi.options import EnquiryOptions, Paging
from hkex_ops_oapi.statuses import NEVER_RETRY
from hkex_ops_simulator.oapi.faults import PasswordState, Scripted

pytestmark = [pytest.mark.asyncio, needs_compiler]

PRIMARY, SECONDARY = SiteRole.PRIMARY, SiteRole.SECONDARY


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[StandInBench]:
    async with open_bench(tmp_path) as bench:
        yield bench


async def pages(gateway: OapiGateway, code: str) -> list[EnquiryPage]:
    return [page async for page in gateway.enquire(Enquiry(code))]


async def whole_day(bench: StandInBench, options: object, seen: list[EnquiryPage]) -> None:
    """Everything a session does, in its order."""
    async with bench.offer.open(options, PRIMARY) as gateway:
        await gateway.status()
        async for page in gateway.enquire(Enquiry("CQ3")):
            seen.append(page)
        assert isinstance(gateway, SupportsHeartbeat)
        await gateway.heartbeat()
        bench.stand_in.house.lose_events()
        bench.stand_in.house.tell_text("heard")
        async for _ in gateway.events():
            break


async def nobody_is_in(bench: StandInBench) -> bool:
    """The house notices a little later that a session has ended."""
    return await noticed(lambda: bench.sessions() == 0)


STATES = [
    *("login", "info-1", "info-2", "UQ12", "info-4", "info-11", "CQ3", "info-14"),
    *("show", "subscribe", "poll"),
]


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("whole_site", [False, True], ids=["one-gateway", "the-site"])
async def test_a_gateway_killed_in_any_state_is_told_in_time(
    bench: StandInBench, state: str, whole_site: bool
) -> None:
    """Before the session is ready the backup gateway takes over; afterwards the loss is told."""
    if whole_site:
        await bench.take_down(1)
    bench.stand_in.faults.cut_at = state
    seen: list[EnquiryPage] = []
    before_ready = state in ("login", "info-1", "info-2")
    options = bench.options()
    async with asyncio.timeout(15):
        if before_ready and not whole_site:
            async with bench.offer.open(options, PRIMARY) as gateway:
                status = await gateway.status()
            assert bench.gateways[1] == status.gateway
            return
        with pytest.raises(TransientError) as caught:
            await whole_day(bench, options, seen)
    assert str(caught.value).isprintable()
    if state == "CQ3":
        assert not any(page.is_last for page in seen)
    assert await nobody_is_in(bench)


async def test_a_gateway_killed_at_the_log_out_costs_nothing(bench: StandInBench) -> None:
    bench.stand_in.faults.cut_at = "logout"
    async with bench.offer.open(bench.options(), PRIMARY) as gateway:
        await gateway.status()
    assert await nobody_is_in(bench)


@pytest.mark.parametrize("moment", ["login", "info-1", "info-2", "UQ12", "CQ3"])
async def test_a_call_that_hangs_is_given_up_in_time(bench: StandInBench, moment: str) -> None:
    bench.stand_in.faults.slow[moment] = 4
    options = desk_options(bench.stand_in, bench.folder, call_timeout_s=2)
    async with asyncio.timeout(20):
        if moment == "login":
            with pytest.raises(Unreachable, match="no gateway of the site lets anybody in"):
                await whole_day(bench, options, [])
        elif moment.startswith("info"):
            with pytest.raises(TransientError):
                await whole_day(bench, options, [])
        else:
            with pytest.raises(TimedOut, match="has not come back from enquiry"):
                await whole_day(bench, options, [])
            # The call is still under way: nothing is made in its place.
            assert [] == [one for one in bench.received() if one == "never"]


async def test_a_hanging_call_does_not_hold_the_end_of_the_program(bench: StandInBench) -> None:
    """A process of its own, whose library hangs for a minute, ends by itself at once."""
    bench.stand_in.faults.slow["CQ3"] = 60
    endpoint, layouts = bench.gateways[0], bench.folder / "layouts.toml"
    desk_options(bench.stand_in, bench.folder)
    program = f"""
import asyncio
from pathlib import Path
from hkex_ops.model import Enquiry, SiteRole
from hkex_ops.errors import TimedOut
from hkex_ops_oapi import hkex_ops_oapi_gateways
from hkex_ops_oapi.options import *
options = OapiOptions(
    library=Path({str(bench.stand_in.library)!r}), layouts=Path({str(layouts)!r}),
    user={bench.stand_in.user!r}, password_file=Path({str(bench.folder / "password")!r}),
    sites=GatewaySites(GatewaySite([GatewayAddress({endpoint.host!r}, {endpoint.port})])),
    enquiries={{"CQ3": EnquiryOptions(3, Paging.SEGMENTS)}}, call_timeout_s=1,
)
async def main():
    (offer,) = hkex_ops_oapi_gateways()
    async with offer.open(options, SiteRole.PRIMARY) as gateway:
        try:
            await anext(gateway.enquire(Enquiry("CQ3")))
        except TimedOut:
            print("timed out")
asyncio.run(main())
"""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, stdout=asyncio.subprocess.PIPE
    )
    async with asyncio.timeout(20):
        out, _ = await process.communicate()
    assert (b"timed out\n", 0) == (out, process.returncode)


async def test_the_user_code_is_polled_while_the_gateway_is_not_ready(bench: StandInBench) -> None:
    bench.stand_in.faults.not_ready = 7
    async with bench.offer.open(bench.options(), PRIMARY) as gateway:
        assert "ZZSYN01BO801" == (await gateway.status()).user_code
        calls = [one for one in gateway.decisions() if one.function == "omniapi_get_info_ex"]
    assert calls[0].times >= 8


async def test_a_gateway_that_never_becomes_ready_is_busy(bench: StandInBench) -> None:
    bench.stand_in.faults.not_ready = 1_000_000
    options = desk_options(bench.stand_in, bench.folder, ready_timeout_s=1)
    with pytest.raises((Busy, Unreachable), match="was not ready within 1 s"):
        await whole_day(bench, options.only(bench.gateways[0]), [])
    assert await nobody_is_in(bench)


@pytest.mark.parametrize("status", sorted(NEVER_RETRY))
async def test_what_may_lock_a_user_out_is_tried_once(bench: StandInBench, status: int) -> None:
    """Not even at the backup gateway."""
    moment = Scripted(status)
    bench.stand_in.faults.script("login", moment, moment, moment)
    with pytest.raises(AuthRefused, match="do not try again before"):
        await whole_day(bench, bench.options(), [])
    assert 2 == len(bench.stand_in.faults.scripted["login"])


async def test_a_wrong_password_is_tried_once_and_never_told(bench: StandInBench) -> None:
    with pytest.raises(AuthRefused) as caught:
        await whole_day(bench, bench.options_unknown(), [])
    assert "Nobody-Knows-1" not in f"{caught.value!r} {caught.value.__context__!r}"
    assert [0, 0] == [one.logins for one in bench.stand_in.gateways[PRIMARY]]


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (-2025, Unreachable),
        (-42, Unreachable),
        (-2012, Unreachable),
        (-2035, Rejected),
        (-2017, PermanentError),
        (-2029, ConfigError),
        (-9999, PermanentError),
        (4711, PermanentError),
    ],
)
async def test_every_way_a_log_in_fails_says_who_must_act(
    bench: StandInBench, status: int, error: type[HkexOpsError]
) -> None:
    bench.stand_in.faults.script("login", Scripted(status), Scripted(status))
    with pytest.raises(error) as caught:
        await whole_day(bench, bench.options(), [])
    assert str(status) in str(caught.value)
    assert await nobody_is_in(bench)


async def test_an_expiring_password_is_said(bench: StandInBench) -> None:
    bench.stand_in.faults.password = PasswordState.ABOUT_TO_EXPIRE
    bench.stand_in.faults.days_to_expiry = 3
    async with bench.offer.open(bench.options(), PRIMARY) as gateway:
        status = await gateway.status()
        assert (await pages(gateway, "DQ8"))[-1].is_last
    assert (PasswordChange.ADVISED, 3) == (status.password_change, status.days_to_password_expiry)
    assert (f"the password of {bench.stand_in.user} is about to expire",) == status.findings


async def test_an_expired_password_is_refused(bench: StandInBench) -> None:
    bench.stand_in.faults.password = PasswordState.EXPIRED
    with pytest.raises(AuthRefused, match="the password has expired"):
        await whole_day(bench, bench.options(), [])


async def test_a_base_of_facilities_that_is_not_expected_is_a_warning(bench: StandInBench) -> None:
    """170 is production, 180 test; HKEX may have other numbers, which are then stated."""
    bench.stand_in.house.facility_base = 180
    async with bench.offer.open(bench.options(), PRIMARY) as gateway:
        (finding,) = (await gateway.status()).findings
        assert (await pages(gateway, "CQ3"))[-1].is_last
    assert "counts facilities from 180, and 170 is what production lets expect" in finding
    options = desk_options(bench.stand_in, bench.folder, facility_base=180)
    async with bench.offer.open(options, PRIMARY) as gateway:
        assert () == (await gateway.status()).findings


async def test_a_trace_of_the_library_is_a_warning(
    bench: StandInBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OAPI_TRACE", "on")
    async with bench.offer.open(bench.options(), PRIMARY) as gateway:
        (finding,) = (await gateway.status()).findings
    assert finding.startswith("OAPI_TRACE is set: the library writes passwords")


async def test_the_other_site_is_used_on_a_word_only(bench: StandInBench) -> None:
    bench.stand_in.fail_over()
    with pytest.raises(AuthRefused, match="logging in is disabled"):
        await whole_day(bench, bench.options(), [])
    async with bench.offer.open(bench.options(), SECONDARY) as gateway:
        status = await gateway.status()
    assert (SECONDARY, bench.stand_in.sites[SECONDARY][0]) == (status.site, status.gateway)


async def test_each_gateway_can_be_asked_for_alone(bench: StandInBench) -> None:
    options = bench.options()
    assert isinstance(options, SupportsOneGateway)
    assert bench.offer.addresses(options, PRIMARY) == tuple(bench.gateways)
    for endpoint in bench.gateways:
        async with bench.offer.open(options.only(endpoint), PRIMARY) as gateway:
            assert endpoint == (await gateway.status()).gateway
    stranger = type(bench.gateways[0])("192.0.2.1", 1)
    with pytest.raises(UsageError, match="none of the gateways"):
        options.only(stranger)


async def test_a_second_session_of_the_same_user_is_busy(bench: StandInBench) -> None:
    """It is never forced in: that would end the other session."""
    async with bench.offer.open(bench.options(), PRIMARY) as gateway:
        with pytest.raises(TransientError, match="logged in from elsewhere"):
            await whole_day(bench, bench.options(), [])
        assert (await pages(gateway, "DQ8"))[-1].is_last


async def test_the_gateway_is_shown_that_somebody_is_there(bench: StandInBench) -> None:
    options = desk_options(bench.stand_in, bench.folder, keep_alive_s=1)
    async with bench.offer.open(options, PRIMARY) as gateway:
        before = sum(one.times for one in gateway.decisions())
        assert await noticed(lambda: sum(one.times for one in gateway.decisions()) > before)


@pytest.mark.parametrize(
    ("scripted", "error", "sentence"),
    [
        (Scripted(-12, -700101), Rejected, "SYNTHETIC: no such instrument group"),
        (Scripted(0, -300005), Rejected, "the central database refused it"),
        (Scripted(-18, 12), Rejected, "the field at byte 12 of the message is not valid"),
        (Scripted(-13), PermanentError, "cut short"),
        (Scripted(-21), TimedOut, "what became of it is unknown"),
        (Scripted(-2043), TransientError, "would not be whole"),
        (Scripted(-3), Rejected, "facility is out of range"),
        (Scripted(7, whole=True), PermanentError, "status 7 is not known here"),
        (Scripted(-777), PermanentError, "status -777 is not known here"),
        (Scripted(-12, -2033), AuthRefused, "the account is locked"),
    ],
)
async def test_every_way_an_enquiry_fails_is_said(
    bench: StandInBench, scripted: Scripted, error: type[HkexOpsError], sentence: str
) -> None:
    """An answer with numbers that are not plain success is no answer, even when it is whole."""
    bench.stand_in.faults.script("CQ3", scripted)
    async with bench.offer.open(bench.options(), PRIMARY) as gateway:
        with pytest.raises(error) as caught:
            await pages(gateway, "CQ3")
        assert sentence in str(caught.value)
        assert (await pages(gateway, "CQ3"))[-1].is_last


async def test_a_positive_status_of_the_central_system_is_no_failure(bench: StandInBench) -> None:
    bench.stand_in.faults.script("DQ8", Scripted(0, 5, whole=True))
    async with bench.offer.open(bench.options(), PRIMARY) as gateway:
        assert (await pages(gateway, "DQ8"))[-1].is_last


@pytest.mark.parametrize("place", range(4))
async def test_a_partition_that_is_lost_on_the_way_leaves_no_whole_answer(
    bench: StandInBench, place: int
) -> None:
    bench.stand_in.faults.script("CQ3", *[Scripted(0, whole=True)] * place, Scripted(-2044))
    seen: list[EnquiryPage] = []
    async with bench.offer.open(bench.options(), PRIMARY) as gateway:
        with pytest.raises(TransientError, match="would not be whole"):
            await see(gateway, Enquiry("CQ3"), seen)
    assert place == len(seen)
    assert not any(page.is_last for page in seen)


async def test_a_partition_that_answers_for_itself_is_told_with_its_bounds(
    bench: StandInBench,
) -> None:
    await bench.answer_in_part(Enquiry("CQ3"))
    market = bench.stand_in.house.books.groups[0].market
    async with bench.offer.open(bench.options(), PRIMARY) as gateway:
        with pytest.raises(TransientError, match="was answered for a part only"):
            await pages(gateway, "CQ3")
        # Who asks for that part alone has the whole of it.
        asked = Enquiry("CQ3", {"series.country_c": 99, "series.market_c": market})
        assert [page async for page in gateway.enquire(asked)][-1].is_last


async def test_an_empty_last_segment_ends_the_answer(bench: StandInBench) -> None:
    bench.stand_in.faults.empty_tail = True
    async with bench.offer.open(bench.options(), PRIMARY) as gateway:
        found = await pages(gateway, "CQ3")
    assert [*[False] * (len(found) - 1), True] == [page.is_last for page in found]
    assert () == found[-1].items


@pytest.mark.parametrize("fault", ["short", "long"])
@pytest.mark.parametrize("code", ["CQ3", "UQ12", "DQ8", "CQ38"])
async def test_layouts_that_do_not_fit_an_answer_are_said(
    bench: StandInBench, fault: str, code: str
) -> None:
    getattr(bench.stand_in.faults, fault).add(code)
    async with bench.offer.open(bench.options(), PRIMARY) as gateway:
        with pytest.raises(WireError, match="of another release"):
            await pages(gateway, code)


async def test_more_pages_than_anybody_reads_are_refused(bench: StandInBench) -> None:
    options = desk_options(bench.stand_in, bench.folder, pages_most=2)
    async with bench.offer.open(options, PRIMARY) as gateway:
        with pytest.raises(PermanentError, match="more than 2 pages"):
            await pages(gateway, "CQ3")


async def test_an_enquiry_without_a_facility_is_the_operators_to_add(bench: StandInBench) -> None:
    async with bench.offer.open(bench.options(), PRIMARY) as gateway:
        with pytest.raises(ConfigError, match="enquiry UQ1 has no facility"):
            await pages(gateway, "UQ1")


async def test_a_transaction_whose_call_hangs_is_of_unknown_outcome(bench: StandInBench) -> None:
    bench.stand_in.faults.slow["CD28"] = 6
    async with bench.offer.open(bench.options_transacting(), PRIMARY) as gateway:
        assert isinstance(gateway, SupportsTransact)
        with pytest.raises(TimedOut, match="what became of it is unknown"):
            await gateway.transact(bench.transaction())
        with pytest.raises(TransientError):
            await gateway.transact(bench.transaction())
    assert bench.changed() in ([], ["CD28"])


async def test_a_transaction_on_a_link_that_is_lost_is_of_unknown_outcome(
    bench: StandInBench,
) -> None:
    bench.stand_in.faults.cut_at = "CD28"
    async with bench.offer.open(bench.options_transacting(), PRIMARY) as gateway:
        assert isinstance(gateway, SupportsTransact)
        with pytest.raises(TimedOut, match="what became of CD28 is unknown"):
            await gateway.transact(bench.transaction())


async def test_a_transaction_that_is_refused_was_not_done(bench: StandInBench) -> None:
    bench.stand_in.faults.script("CD28", Scripted(-12, -700101))
    async with bench.offer.open(bench.options_transacting(), PRIMARY) as gateway:
        assert isinstance(gateway, SupportsTransact)
        with pytest.raises(Rejected, match="no such instrument group"):
            await gateway.transact(Transaction("CD28", {}))
    assert [] == bench.changed()


async def test_a_facility_that_is_refused_is_told_with_its_source(bench: StandInBench) -> None:
    """The offset is the operator's, out of a manual that nobody here can read."""
    enquiries = {
        **ENQUIRIES,
        "CQ3": EnquiryOptions(9, Paging.SEGMENTS, source="our manual, page 41"),
    }
    options = desk_options(bench.stand_in, bench.folder, enquiries=enquiries)
    async with bench.offer.open(options, PRIMARY) as gateway:
        with pytest.raises(Rejected) as caught:
            await pages(gateway, "CQ3")
    assert "enquiry CQ3 at facility 179 (offset 9 by our manual, page 41): " in str(caught.value)


async def test_both_ids_of_a_transaction_are_told_in_full(bench: StandInBench) -> None:
    """Eight bytes each, whatever the interface declares: four would have been written over."""
    async with bench.offer.open(bench.options_transacting(), PRIMARY) as gateway:
        assert isinstance(gateway, SupportsTransact)
        receipt = await gateway.transact(bench.transaction())
    number = int.from_bytes(bytes.fromhex(receipt.transaction_id), sys.byteorder)
    assert (16, 16) == (len(receipt.transaction_id), len(receipt.order_id))
    assert number > 2**32
