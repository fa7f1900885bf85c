"""The stand-in library through plain ctypes: its conventions, its traps, every variant of it."""

from __future__ import annotations

import asyncio
import ctypes
import struct
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from time import sleep

import oapi_calls
import pytest
from oapi_calls import SHOW, Session, needs_compiler

from hkex_ops.model import SiteRole
from hkex_ops_simulator.oapi import stand_in
from hkex_ops_simulator.oapi.build import build_library
from hkex_ops_simulator.oapi.faults import Faults, PasswordState, Scripted
from hkex_ops_simulator.oapi.house import PASSWORD
from hkex_ops_simulator.oapi.stand_in import OapiStandIn, Variant

PRIMARY, SECONDARY = SiteRole.PRIMARY, SiteRole.SECONDARY


pytestmark = needs_compiler


@asynccontextmanager
async def logged_in(
    *, faults: Faults | None = None, variant: Variant = Variant.PLAIN
) -> AsyncIterator[tuple[OapiStandIn, Session, int]]:
    """A stand-in, a session that is logged in at its first gateway, and the facilities' base."""
    async with stand_in.open(7, variant=variant, faults=faults) as it:
        session = Session(it.library)
        try:
            assert session.log_in(it.sites[PRIMARY][0]) >= 0
            yield it, session, session.ready()
        finally:
            session.close()


async def test_a_session_asks_for_its_user_until_the_network_is_ready() -> None:
    async with stand_in.open(7, faults=Faults(not_ready=2)) as it:
        session = Session(it.library)
        assert 0 == session.log_in(it.sites[PRIMARY][0])
        assert [(-2, b""), (-2, b""), (0, b"ZZSYN01BO801")] == [session.info(1) for _ in range(3)]
        assert 170 == session.ready()
        assert 0 == session.log_out()
        assert (-5, b"") == session.info(1)
        session.close()


async def test_both_ids_are_eight_bytes_whatever_their_type_says() -> None:
    async with logged_in() as (_, session, base):
        told = session.query(base, session.head("DQ8") + struct.pack("=H", 1))
        untouched = [place for place, byte in enumerate(told.ids) if byte == oapi_calls.GUARD]
        assert [8, 9, 18, 19] == untouched


@pytest.mark.parametrize("variant", [Variant.PLAIN, Variant.SWAPPED])
async def test_trades_go_on_from_the_last_sequence_number_and_positions_in_segments(
    variant: Variant,
) -> None:
    async with logged_in(variant=variant) as (it, session, base):
        day, found = it.house.business_date, list[tuple[int, int, int]]()
        for group in session.ask_groups(base):
            first = 1
            while trades := session.trades_of(session.ask_trades(base, group, day, first).data):
                found += trades
                first = trades[-1][1] + 1
        held = [one for one in it.house.books.trades if one.business_date == day]
        assert sorted((one.number, one.sequence, one.quantity) for one in held) == sorted(found)

        numbers, items, segment = list[int](), 0, 1
        while not numbers or numbers[-1]:
            told = session.ask_positions(base, segment)
            spelt, count = struct.unpack_from(f"{session.order}HH", told.data, 36)
            assert len(told.data) == 40 + 92 * count
            numbers, items, segment = [*numbers, spelt], items + count, segment + 1
        assert [1, 2, 3, 4, 0] == numbers
        assert len(it.house.books.positions(day)) == items


async def test_a_length_is_in_and_out_and_a_short_buffer_is_truncated() -> None:
    async with logged_in(faults=Faults(show_length=200)) as (_, session, base):
        assert (-13, b"") == session.read(199, SHOW)
        status, listed = session.read(200, SHOW)
        assert (0, 200) == (status, len(listed))
        assert b"1,2,3,4,5,7,8,1001" == listed.rstrip()
        told = session.query(base, session.head("DQ8") + struct.pack("=H", 1), room=20)
        assert (-13, 20) == (told.status, len(told.data))


async def test_nothing_waiting_is_not_found_and_the_last_event_says_all_are_collected() -> None:
    async with logged_in() as (it, session, _):
        assert [0, 1, -30] == [session.subscribe(one) for one in (1, 1, 77)]
        assert (-26, b"") == session.read()
        it.house.tell_text("SYNTHETIC: one")
        it.house.tell_text("SYNTHETIC: two")
        (first, one), (second, two) = (session.read(many=0) for _ in range(2))
        assert (0, 4) == (first, second)
        assert [405, 405] == [struct.unpack_from("=H", data)[0] for data in (one, two)]
        assert b"BI" == one[2:4]
        assert b"" == one[407:].strip(b"\0")


async def test_events_subscribed_by_a_list_have_handles_and_forced_ones_have_none() -> None:
    async with logged_in() as (it, session, _):
        assert 0 == session.subscribe(1, struct.pack("=i", 24) + bytes(20))
        it.house.tell_heartbeat()
        it.house.tell_network(1, -208002, "lost")
        _, data = session.read()
        handle, length = struct.unpack_from("=IH", data)
        assert (0xFFFFFFFF, 8, b"BI") == (handle, length, data[6:8])
        (forced,) = struct.unpack_from("=H", data, 14)
        assert (b"BN", 1, -208002) == struct.unpack_from("=2sHi", data, 16)
        assert b"" == data[16 + forced :].strip(b"\0")


async def test_events_beyond_the_room_are_lost_and_the_next_read_says_so() -> None:
    async with logged_in(faults=Faults(event_room=3)) as (it, session, _):
        session.subscribe(1)
        for _ in range(5):
            it.house.tell_heartbeat()
        status, data = session.read()
        assert (3, 3) == (status, data.count(b"BI"))
        it.house.lose_events()
        assert (3, b"") == (session.read()[0], session.read()[1])


async def test_a_new_log_in_has_subscribed_to_nothing() -> None:
    async with logged_in() as (it, session, _):
        session.subscribe(1)
        session.log_out()
        session.log_in(it.sites[PRIMARY][1])
        it.house.tell_heartbeat()
        assert (-26, b"") == session.read()


async def test_a_user_has_one_session_and_a_forced_log_in_puts_the_first_one_out() -> None:
    async with logged_in() as (it, first, _):
        second = Session(it.library)
        assert -2048 == second.log_in(it.sites[PRIMARY][1])
        assert 0 == second.log_in(it.sites[PRIMARY][1], forced=True)
        assert (-5, b"") == first.info(14)
        assert 0 == second.info(14)[0]
        second.close()


async def test_who_is_logged_out_can_still_read_why_and_nothing_else() -> None:
    async with logged_in() as (it, session, _):
        it.force_out()
        status, data = session.read()
        assert (4, b"BN", 4, 4004) == (status, *struct.unpack_from("=2sHi", data, 2))
        assert [-5, -5] == [session.read()[0], session.info(14)[0]]


async def test_who_says_nothing_for_too_long_is_hung_up_on() -> None:
    async with logged_in() as (it, session, _):
        it.faults.patience_s = 0.05
        session.info(14)  # from now on
        await asyncio.to_thread(_until, lambda: not it.house.queues)
        assert [-53, -5] == [session.info(14)[0], session.info(14)[0]]


@pytest.mark.parametrize(
    ("user", "password", "status"),
    [
        ("BO_CSYN801", "another", -2024),
        ("nobody", PASSWORD, -2024),
        ("x" * 32, PASSWORD, -2030),
        ("BO_CSYN801", "50%-forbidden", -2029),
    ],
)
async def test_a_log_in_is_refused(user: str, password: str, status: int) -> None:
    async with stand_in.open(7) as it:
        session = Session(it.library)
        assert status == session.log_in(it.sites[PRIMARY][0], user=user, password=password)
        session.close()


@pytest.mark.parametrize(
    ("state", "status", "then"),
    [
        (PasswordState.MUST_CHANGE, 2027, -2038),
        (PasswordState.ABOUT_TO_EXPIRE, 2028, 0),
        (PasswordState.EXPIRED, -40, -5),
    ],
)
async def test_a_password_may_have_to_be_changed(
    state: PasswordState, status: int, then: int
) -> None:
    async with stand_in.open(7, faults=Faults(password=state)) as it:
        session = Session(it.library)
        assert (status, then) == (session.log_in(it.sites[PRIMARY][0]), session.info(14)[0])
        session.close()


async def test_a_password_that_was_changed_lets_the_session_go_on() -> None:
    async with stand_in.open(7, faults=Faults(password=PasswordState.MUST_CHANGE)) as it:
        session = Session(it.library)
        session.log_in(it.sites[PRIMARY][0])
        pair = struct.pack("=32s32s", PASSWORD.encode(), b"Synthetic-2020")
        txstat = ctypes.c_int32(0)
        changed = session.library.omniapi_set_newpwd_ex(session.handle, ctypes.byref(txstat), pair)
        assert (0, 0) == (changed, session.info(14)[0])
        assert "Synthetic-2020" == it.house.users[it.user].password
        session.close()


async def test_the_site_that_is_not_in_service_takes_nobody() -> None:
    async with stand_in.open(7) as it:
        session = Session(it.library)
        assert -2023 == session.log_in(it.sites[SECONDARY][0])
        it.fail_over()
        assert (-2023, 0) == (
            session.log_in(it.sites[PRIMARY][0]),
            session.log_in(it.sites[SECONDARY][0]),
        )
        session.close()


async def test_nothing_beyond_loopback_is_ever_connected_to() -> None:
    async with stand_in.open(7) as it:
        session = Session(it.library)
        away = it.sites[PRIMARY][0].__class__("10.151.5.81", it.sites[PRIMARY][0].port)
        assert -2010 == session.log_in(away)
        session.close()


async def test_completion_and_transaction_status_are_two_numbers() -> None:
    async with logged_in() as (it, session, base):
        it.faults.script("CQ3", Scripted(0, -700042), Scripted(-21), Scripted(0, 5, whole=True))
        told = [session.ask_positions(base, 1) for _ in range(3)]
        assert [(0, -700042, 0), (-21, 0, 0), (0, 5, 3720)] == [
            (one.status, one.txstat, len(one.data)) for one in told
        ]


async def test_a_message_of_another_length_is_refused_with_the_place() -> None:
    async with logged_in() as (_, session, base):
        told = session.query(base, session.head("DQ8") + bytes(7))
        assert (-18, 6) == (told.status, told.txstat)
        assert [-3, -17] == [
            session.query(one, session.head("DQ8")).status for one in (20, base + 1)
        ]


async def test_a_partition_answers_for_itself_or_cannot_be_reached() -> None:
    async with logged_in() as (it, session, base):
        whole = session.ask_positions(base, 1)
        assert bytes(12) + b"\xff" * 12 == whole.data[4:28]
        it.faults.partition_alone = 62
        alone = session.ask_positions(base, 1)
        assert (bytes((99, 62)), bytes((99, 62))) == (alone.data[4:6], alone.data[16:18])
        it.faults.partition_alone, it.faults.partition_lost = None, 62
        statuses = [session.ask_positions(base, number).status for number in range(1, 6)]
        assert ([0, -2044], True) == (
            list(dict.fromkeys(statuses)),
            statuses == sorted(statuses, reverse=True),
        )


async def test_the_last_segment_may_be_one_with_nothing_in_it() -> None:
    async with logged_in(faults=Faults(empty_tail=True)) as (_, session, base):
        told = [session.ask_positions(base, number).data[36:40] for number in (5, 6)]
        assert [(5, 31), (0, 0)] == [struct.unpack("=HH", one) for one in told]


CODES = ("CD28", "CD35", "CD5", "CD34", "CD54", "CC13", "CC14", "CC15", "CC22", "CC38", "CC40")


@pytest.mark.parametrize("code", CODES)
async def test_what_changes_something_changes_it_through_every_function(code: str) -> None:
    """Whoever's gate lets one through sees it in the house's books."""
    async with logged_in() as (it, session, base):
        number = it.house.books.trades[-1].number
        body = session.head(code) + struct.pack(
            "=12si21s21sq11s", bytes(12), number, b" " * 21, b"ZZSYN01MM01".ljust(21), 77, b""
        )
        seals = [it.house.books.digest()]
        for call in (session.query, session.tx_response, session.transact):
            call(base + 3, body)
            seals.append(it.house.books.digest())
        functions = [one.function for one in it.house.changed if one.code == code]
        assert ["query_ex", "tx_response_ex", "tx_ex"] == functions
        assert 4 == len(set(seals))


async def test_an_enquiry_changes_nothing() -> None:
    async with logged_in() as (it, session, base):
        before = it.house.books.digest()
        session.ask_groups(base)
        session.ask_positions(base, 1)
        assert ([], before) == (it.house.changed, it.house.books.digest())


@pytest.mark.parametrize(
    "moment", ["login", "info-1", "show", "subscribe", "poll", "DQ8", "logout"]
)
async def test_a_gateway_dies_in_any_state_of_a_session(moment: str) -> None:
    async with stand_in.open(7, faults=Faults(cut_at=moment, not_ready=0)) as it:
        session = Session(it.library)
        steps: list[Callable[[], int]] = [
            lambda: session.log_in(it.sites[PRIMARY][0]),
            lambda: session.info(1)[0],
            lambda: session.read(kind=SHOW)[0],
            lambda: session.subscribe(1),
            lambda: session.read()[0],
            lambda: session.query(170, session.head("DQ8") + struct.pack("=H", 1)).status,
            session.log_out,
        ]
        statuses = [step() for step in steps]
        cut = ["login", "info-1", "show", "subscribe", "poll", "DQ8", "logout"].index(moment)
        before = [-26 if place == 4 else 0 for place in range(cut)]
        assert [*before, -53, *[-5] * (6 - cut)] == statuses
        assert -2012 == session.log_in(it.sites[PRIMARY][0])
        assert 0 == session.log_in(it.sites[PRIMARY][1])
        it.revive(PRIMARY)
        session.log_out()
        assert 0 == session.log_in(it.sites[PRIMARY][0])
        session.close()


async def test_a_slow_call_ends_with_the_time_limit_of_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OAPI_TIMEOUT", "2")
    async with logged_in(faults=Faults(slow={"DQ8": 600.0})) as (it, session, base):
        told = session.query(base, session.head("DQ8") + struct.pack("=H", 1))
        assert (-54, -5) == (told.status, session.info(14)[0])
        it.kill(PRIMARY)


async def test_two_calls_at_once_are_refused_and_the_house_hears_of_it() -> None:
    async with logged_in(faults=Faults(slow={"DQ8": 600.0})) as (it, session, base):
        question = session.head("DQ8") + struct.pack("=H", 1)
        slow = asyncio.create_task(asyncio.to_thread(session.query, base, question))
        await asyncio.to_thread(_until, lambda: "DQ8" in it.house.moments)
        assert -2019 == session.info(14)[0]
        it.kill(PRIMARY)
        assert -53 == (await slow).status
        assert (0, 0) == (session.log_in(it.sites[PRIMARY][1]), session.info(14)[0])
        assert 1 == it.house.collisions


def _until(told: Callable[[], bool]) -> None:
    while not told():
        sleep(0.001)


# -- variants ------------------------------------------------------------------------------------

_LATER = (
    *("omniapi_login_ex", "omniapi_logout_ex", "omniapi_set_newpwd_ex", "omniapi_set_option_ex"),
    *("omniapi_set_info_ex", "omniapi_set_option_default", "omniapi_tx_response_ex"),
    "omniapi_read_event_block",
)


async def test_an_older_kit_lacks_calls_and_logs_in_by_a_message() -> None:
    async with stand_in.open(7, variant=Variant.OLD_KIT) as it:
        session = Session(it.library)
        assert [] == [name for name in _LATER if hasattr(session.library, name)]
        at = it.sites[PRIMARY][0]
        body = struct.pack(
            "=I32s32s32s129s21s18s",
            0,
            it.user.encode(),
            PASSWORD.encode(),
            b"",
            at.host.encode(),
            str(at.port).encode(),
            b"a test",
        )
        assert 268 == len(body)
        assert 0 == session.transact(1, body)
        assert 5 == len(session.ask_groups(session.ready()))
        assert (0, -5) == (session.transact(2, b""), session.info(14)[0])
        session.close()


def test_the_plain_kit_has_every_call() -> None:
    library = ctypes.CDLL(str(build_library()))
    assert [] == [name for name in _LATER if not hasattr(library, name)]


_LOADING = """
import ctypes, os, sys
path, preload, mode = sys.argv[1:]
if preload:
    ctypes.CDLL("libz.so.1", mode=ctypes.RTLD_GLOBAL)
try:
    ctypes.CDLL(path, mode=getattr(os, mode))
except OSError as error:
    print(str(error).rsplit(": ", 1)[-1])
else:
    print("loaded")
"""


@pytest.mark.skipif(
    "zlib" in sys.builtin_module_names, reason="this Python has zlib in itself, and lacks nothing"
)
@pytest.mark.parametrize(
    ("preload", "mode", "told"),
    [
        ("", "RTLD_NOW", "inflate"),
        ("", "RTLD_LAZY", "loaded"),
        ("libz", "RTLD_NOW", "loaded"),
    ],
)
def test_a_hidden_need_of_zlib_fails_at_once_unless_it_was_loaded_before_or_is_bound_later(
    preload: str, mode: str, told: str
) -> None:
    """In a process of its own: this one has zlib already."""
    library = build_library(Variant.HIDDEN_ZLIB)
    done = subprocess.run(
        [sys.executable, "-S", "-c", _LOADING, str(library), preload, mode],
        capture_output=True,
        text=True,
        check=True,
    )
    assert told in done.stdout or (told == "inflate" and "deflate" in done.stdout)


def test_another_products_library_of_the_same_name_has_no_sessions() -> None:
    library = ctypes.CDLL(str(build_library(Variant.OTHER_PRODUCT)))
    assert not hasattr(library, "omniapi_create_session")


@pytest.mark.parametrize("variant", [Variant.WRONG_MACHINE, Variant.WRONG_CLASS])
def test_a_library_of_another_architecture_cannot_be_loaded(variant: Variant) -> None:
    with pytest.raises(OSError, match=r"liboapi\.so"):
        ctypes.CDLL(str(build_library(variant)))


def test_a_library_that_swaps_says_so() -> None:
    swapped, plain = (
        ctypes.CDLL(str(build_library(one))) for one in (Variant.SWAPPED, Variant.PLAIN)
    )
    assert (0x0201, 0x0102) == (swapped.swapint16(0x0102), plain.swapint16(0x0102))
