"""The contract of ``IndexPublisher``: numbered clauses that every adapter of the port must pass.

Inherit the class in a test module and give it a fixture ``bench``::

    class TestMyPublisher(IndexPublisherContract):
        @pytest.fixture
        async def bench(self, tmp_path):
            async with MyBench(tmp_path) as bench:
                yield bench

A clause states its prerequisite, its action and when it passes. Numbers are never reused.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from attrs import evolve

from hkex_ops.errors import AuthRefused, Busy, HkexOpsError, PermanentError, TransientError
from hkex_ops.model import (
    HONG_KONG,
    IndexStatus,
    IndexTick,
    JsonObject,
    SiteRole,
    TickKind,
    tick_identity,
)
from hkex_ops.ports import IndexPublisher, SupportsEvents, SupportsSnapshot
from hkex_ops.testing.index_publisher_bench import IndexPublisherBench

__all__ = ["IndexPublisherContract"]

PRIMARY = SiteRole.PRIMARY

INDEXES = ("0000100", "0001400", "0208300")

# As many moments as contingency values cover in five minutes.
MANY = 20

# How far into a call it is given up, in turns of the event loop.
GIVEN_UP_AFTER = (0, 1, 2, 3, 5, 8, 13, 21)

# Users may hear a little later than the publisher is done.
NOTICE_TIMEOUT_S = 5
NOTICE_INTERVAL_S = 0.01

_OPENED = datetime(2010, 1, 22, 10, 0, tzinfo=HONG_KONG)


def _ticks(moment: int, *, kind: TickKind = TickKind.REAL_TIME) -> list[IndexTick]:
    """One tick of each index at the ``moment``-th interval; no two values are alike."""
    return [
        IndexTick(
            index,
            _OPENED + timedelta(seconds=15 * moment),
            Decimal(2_000_000 + 1_000 * place + moment).scaleb(-2),
            kind=kind,
            engine="conformance",
            site=PRIMARY,
        )
        for place, index in enumerate(INDEXES)
    ]


def _every_kind() -> list[list[IndexTick]]:
    """Moments that between them use every field, every status and every kind."""
    full = evolve(
        _ticks(0)[0],
        value=Decimal("20726.10"),
        high=Decimal("20800.00"),
        low=Decimal("20700.01"),
        opening=Decimal("20750.00"),
        closing=Decimal("20726.10"),
        previous_close=Decimal("20862.67"),
        stale=(5, 388, 99999),
    )
    moments = [evolve(full, status=status) for status in IndexStatus]
    moments += [evolve(full, kind=kind) for kind in TickKind if kind is not full.kind]
    return [
        [evolve(tick, at=_OPENED + timedelta(seconds=15 * moment))]
        for moment, tick in enumerate(moments)
    ]


def _once(ticks: Sequence[IndexTick]) -> list[IndexTick]:
    """Each tick where it first came; `AssertionError` when a copy says something else."""
    first: dict[str, IndexTick] = {}
    for tick in ticks:
        assert tick == first.setdefault(tick_identity(tick), tick), "a copy says something else"
    return list(first.values())


async def _heard(bench: IndexPublisherBench, expected: Sequence[IndexTick]) -> list[IndexTick]:
    """What came out, each once, as soon as all of ``expected`` can have arrived."""
    for _ in range(int(NOTICE_TIMEOUT_S / NOTICE_INTERVAL_S)):
        heard = _once(await bench.published())
        if len(heard) >= len(expected):
            return heard
        await asyncio.sleep(NOTICE_INTERVAL_S)
    return _once(await bench.published())


async def _noticed(fact: Callable[[], bool]) -> bool:
    """Whether the far side comes to show ``fact`` within a short while."""
    for _ in range(int(NOTICE_TIMEOUT_S / NOTICE_INTERVAL_S)):
        if fact():
            return True
        await asyncio.sleep(NOTICE_INTERVAL_S)
    return False


async def _publish(bench: IndexPublisherBench, *moments: Sequence[IndexTick]) -> list[IndexTick]:
    """Publish one moment after the other; what the far side should have heard then."""
    async with bench.offer.open(bench.options(), PRIMARY) as publisher:
        for ticks in moments:
            await publisher.publish(ticks)
    return [bench.carried(tick) for ticks in moments for tick in ticks]


async def _publish_as(bench: IndexPublisherBench, options: object) -> None:
    async with bench.offer.open(options, PRIMARY) as publisher:
        await publisher.publish(_ticks(0))


async def _failure(bench: IndexPublisherBench, publishing: Awaitable[None]) -> HkexOpsError:
    """The error with which a call ends; it must end in time, and with one of ours."""
    with pytest.raises(HkexOpsError) as caught:
        async with asyncio.timeout(bench.time_limit_s):
            await publishing
    text = str(caught.value)
    assert text.isprintable(), "the error is not one printable sentence"
    for secret in bench.secrets():
        assert secret not in text, "the error repeats a secret"
    return caught.value


def _with_events(publisher: IndexPublisher) -> SupportsEvents:
    if not isinstance(publisher, SupportsEvents):
        pytest.skip("this publisher carries no events")
    return publisher


def _with_snapshot(publisher: IndexPublisher) -> SupportsSnapshot:
    if not isinstance(publisher, SupportsSnapshot):
        pytest.skip("this publisher has nothing for a late-comer")
    return publisher


class IndexPublisherContract:
    """Inherit and provide a fixture ``bench`` that yields a fresh `IndexPublisherBench`."""

    pytestmark: pytest.MarkDecorator = pytest.mark.asyncio

    # -- what comes out ----------------------------------------------------------------------

    async def test_i01_what_was_published_comes_out(self, bench: IndexPublisherBench) -> None:
        """I1. Action: publish one moment. Pass: its ticks, in their order, and nothing else."""
        expected = await _publish(bench, _ticks(0))
        assert expected == await _heard(bench, expected)

    async def test_i02_every_digit_and_word_comes_out(self, bench: IndexPublisherBench) -> None:
        """I2. Action: every field, status and kind. Pass: the same, to the last zero."""
        expected = await _publish(bench, *_every_kind())
        heard = await _heard(bench, expected)
        assert expected == heard
        assert [str(tick.value) for tick in expected] == [str(tick.value) for tick in heard]

    async def test_i03_moments_keep_their_order(self, bench: IndexPublisherBench) -> None:
        """I3. Action: publish many moments. Pass: all of them, in their order."""
        expected = await _publish(bench, *map(_ticks, range(MANY)))
        assert expected == await _heard(bench, expected)

    async def test_i04_publishing_again_does_no_harm(self, bench: IndexPublisherBench) -> None:
        """I4. Action: the same moments again, from a second opening. Pass: as after the first."""
        expected = await _publish(bench, _ticks(0), _ticks(1))
        await _publish(bench, _ticks(0), _ticks(1))
        assert expected == await _heard(bench, expected)

    async def test_i05_kinds_of_one_moment_are_told_apart(self, bench: IndexPublisherBench) -> None:
        """I5. Action: contingency, then real-time values of one moment. Pass: both come out."""
        contingency = _ticks(0, kind=TickKind.CONTINGENCY)
        expected = await _publish(bench, contingency, _ticks(0))
        assert expected == await _heard(bench, expected)

    async def test_i06_nothing_to_publish_is_nothing(self, bench: IndexPublisherBench) -> None:
        """I6. Action: publish no ticks. Pass: no error, and nothing comes out."""
        await _publish(bench, [])
        assert [] == list(await bench.published())

    async def test_i07_callers_at_once_do_not_mix(self, bench: IndexPublisherBench) -> None:
        """I7. Action: publish several moments at once. Pass: all of every one, in its order."""
        moments = [_ticks(moment) for moment in range(8)]
        async with bench.offer.open(bench.options(), PRIMARY) as publisher:
            await asyncio.gather(*(publisher.publish(ticks) for ticks in moments))
        expected = [[bench.carried(tick) for tick in ticks] for ticks in moments]
        heard = await _heard(bench, [tick for ticks in expected for tick in ticks])
        assert expected == [
            [tick for tick in heard if tick.at == ticks[0].at] for ticks in expected
        ]

    # -- when it fails -----------------------------------------------------------------------

    async def test_i08_a_far_side_that_is_down_is_told_in_time(
        self, bench: IndexPublisherBench
    ) -> None:
        """I8. Prerequisite: down after opening. Action: publish. Pass: `TransientError`."""
        async with bench.offer.open(bench.options(), PRIMARY) as publisher:
            await bench.take_down()
            error = await _failure(bench, publisher.publish(_ticks(0)))
        assert isinstance(error, TransientError)

    async def test_i09_a_far_side_that_is_back_is_used_again(
        self, bench: IndexPublisherBench
    ) -> None:
        """I9. Action: publish up, down, up again, with one publisher. Pass: what succeeded."""
        async with bench.offer.open(bench.options(), PRIMARY) as publisher:
            await publisher.publish(_ticks(0))
            await bench.take_down()
            await _failure(bench, publisher.publish(_ticks(1)))
            await bench.bring_up()
            await publisher.publish(_ticks(1))
            await publisher.publish(_ticks(2))
        expected = [bench.carried(tick) for moment in range(3) for tick in _ticks(moment)]
        assert expected == await _heard(bench, expected)

    async def test_i10_silence_ends_in_time(self, bench: IndexPublisherBench) -> None:
        """I10. Prerequisite: no answer any more. Action: publish. Pass: `TransientError`."""
        async with bench.offer.open(bench.options(), PRIMARY) as publisher:
            await publisher.publish(_ticks(0))
            await bench.fall_silent()
            error = await _failure(bench, publisher.publish(_ticks(1)))
        assert isinstance(error, TransientError)

    async def test_i11_no_room_is_told_and_is_no_end(self, bench: IndexPublisherBench) -> None:
        """I11. Prerequisite: no room. Action: publish, again with room. Pass: `Busy`, then out."""
        async with bench.offer.open(bench.options(), PRIMARY) as publisher:
            await publisher.publish(_ticks(0))
            await bench.fill_up()
            error = await _failure(bench, publisher.publish(_ticks(1)))
            assert isinstance(error, Busy)
            await bench.bring_up()
            await publisher.publish(_ticks(1))
        expected = [bench.carried(tick) for moment in range(2) for tick in _ticks(moment)]
        assert expected == await _heard(bench, expected)

    async def test_i12_a_refusal_is_told_without_secrets(self, bench: IndexPublisherBench) -> None:
        """I12. Prerequisite: the far side refuses. Pass: `PermanentError`, no secret in it."""
        async with bench.offer.open(bench.options(), PRIMARY) as publisher:
            await bench.refuse()
            error = await _failure(bench, publisher.publish(_ticks(0)))
        assert isinstance(error, PermanentError)

    async def test_i13_an_unknown_user_is_told_without_secrets(
        self, bench: IndexPublisherBench
    ) -> None:
        """I13. Prerequisite: another secret. Action: open, publish. Pass: `AuthRefused`."""
        error = await _failure(bench, _publish_as(bench, bench.options_unknown()))
        assert isinstance(error, AuthRefused)
        assert [] == list(await bench.published())

    async def test_i14_what_was_given_up_can_be_done_again(
        self, bench: IndexPublisherBench
    ) -> None:
        """I14. Action: cancel calls at many points, then repeat. Pass: all out, none altered."""
        moments = [_ticks(moment) for moment in range(len(GIVEN_UP_AFTER))]
        async with bench.offer.open(bench.options(), PRIMARY) as publisher:
            for ticks, turns in zip(moments, GIVEN_UP_AFTER, strict=True):
                call = asyncio.ensure_future(publisher.publish(ticks))
                for _ in range(turns):
                    await asyncio.sleep(0)
                call.cancel()
                with suppress(asyncio.CancelledError):
                    await call
            for ticks in moments:
                await publisher.publish(ticks)
        expected = [bench.carried(tick) for ticks in moments for tick in ticks]
        heard = await _heard(bench, expected)
        assert sorted(map(tick_identity, expected)) == sorted(map(tick_identity, heard))
        assert {tick_identity(tick): tick for tick in expected} == {
            tick_identity(tick): tick for tick in heard
        }

    async def test_i15_nothing_stays_open(self, bench: IndexPublisherBench) -> None:
        """I15. Action: publish, fail, leave. Pass: nothing of this process is open there."""
        await _publish(bench, _ticks(0))
        assert await _noticed(lambda: bench.visitors() == 0)

    # -- what not every publisher can --------------------------------------------------------

    async def test_i16_events_come_out(self, bench: IndexPublisherBench) -> None:
        """I16. Prerequisite: `SupportsEvents`. Action: two events. Pass: they, in their order."""
        events: list[JsonObject] = [
            {"event": "contingency-began", "at": _OPENED.isoformat(), "silent": ["a", "b"]},
            {"event": "resumed", "at": (_OPENED + timedelta(minutes=33)).isoformat(), "by": None},
        ]
        async with bench.offer.open(bench.options(), PRIMARY) as publisher:
            carrier = _with_events(publisher)
            for event in events:
                await carrier.publish_event(event)
            assert [] == list(await bench.published())
        assert events == list(await bench.events())

    async def test_i17_a_late_comer_is_told_the_state(self, bench: IndexPublisherBench) -> None:
        """I17. Prerequisite: `SupportsSnapshot`. Pass: the latest of each index, and no other."""
        async with bench.offer.open(bench.options(), PRIMARY) as publisher:
            keeper = _with_snapshot(publisher)
            await publisher.publish(_ticks(0))
            await keeper.publish_snapshot(_ticks(1))
            await keeper.publish_snapshot(_ticks(1))
        expected = {tick.index: bench.carried(tick) for tick in _ticks(1)}
        assert expected == {tick.index: tick for tick in await bench.latest()}

    async def test_i18_an_old_snapshot_hides_nothing_new(self, bench: IndexPublisherBench) -> None:
        """I18. Action: a snapshot older than what is out. Pass: the newer is still the latest."""
        async with bench.offer.open(bench.options(), PRIMARY) as publisher:
            keeper = _with_snapshot(publisher)
            await publisher.publish(_ticks(5))
            await keeper.publish_snapshot(_ticks(2))
        expected = {tick.index: bench.carried(tick) for tick in _ticks(5)}
        assert expected == {tick.index: tick for tick in await bench.latest()}
