"""The contract of the port ``Notifier``, as numbered clauses.

Inherit :class:`NotifierContract` in a test module of your own and give it a fixture ``bench``, a
:class:`NotifierBench` of your adapter. What is at stake: nobody is told twice, nobody is believed
to know who does not, and where it cannot be known the receipt says so.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime

import pytest

from hkex_ops.errors import PermanentError, RemoteError, TransientError, UsageError
from hkex_ops.model import (
    HONG_KONG,
    Audience,
    Language,
    Notification,
    Outcome,
    Receipt,
    Severity,
    SiteRole,
)
from hkex_ops.ports import (
    Notifier,
    SupportsAcknowledgement,
    SupportsInquiry,
    SupportsPreflight,
)
from hkex_ops.testing.notifier_bench import NotifierBench

__all__ = ["NotifierContract"]

NOTICE_TIMEOUT_S = 5

_AT = datetime(2026, 2, 2, 10, 5, tzinfo=HONG_KONG)
_WORDS = "37 of 38 reports, TP002 missing"
_CHINESE = "報告 37/38 份，欠 TP002"


def _notification(key: str, *, language: Language = Language.ENGLISH) -> Notification:
    is_chinese = language is Language.CHINESE
    return Notification(
        key=key,
        audience=Audience.DESK,
        severity=Severity.MAJOR,
        event="reports/missing",
        subject=_CHINESE if is_chinese else _WORDS,
        body=f"{_CHINESE if is_chinese else _WORDS}\n\nSecond paragraph, and a dot:\n.\nend",
        at=_AT,
        language=language,
        template="reports/missing en version 1",
    )


async def _tell(notifier: Notifier, key: str, receivers: Sequence[str]) -> tuple[Receipt, ...]:
    return await notifier.notify(_notification(key), receivers)


async def _told(bench: NotifierBench, key: str) -> list[Outcome] | RemoteError:
    """What came of telling everybody: the outcomes, or what was raised."""
    async with asyncio.timeout(bench.time_limit_s):
        try:
            async with bench.offer.open(bench.options(), SiteRole.PRIMARY) as notifier:
                return [one.outcome for one in await _tell(notifier, key, bench.receivers())]
        except RemoteError as error:
            return error


async def _noticed(seen: Callable[[], bool]) -> bool:
    for _ in range(NOTICE_TIMEOUT_S * 100):
        if seen():
            return True
        await asyncio.sleep(0.01)
    return seen()


def _has_none(text: str, secrets: Sequence[str]) -> bool:
    return not any(secret in text for secret in secrets)


class NotifierContract:
    """Every notifier keeps these clauses."""

    async def test_n01_each_receiver_has_it_once(self, bench: NotifierBench) -> None:
        """N01. Action: tell two receivers. Pass: each has it once, and the receipts say so."""
        receivers = bench.receivers()
        assert [Outcome.TAKEN] * len(receivers) == await _told(bench, "n01")
        assert sorted(receivers) == sorted(one.receiver for one in await bench.arrived())

    async def test_n02_receipts_are_in_order_and_say_when(self, bench: NotifierBench) -> None:
        """N02. Action: tell. Pass: one receipt each, in order, dated, no channel, one line each."""
        receivers = bench.receivers()
        async with bench.offer.open(bench.options(), SiteRole.PRIMARY) as notifier:
            receipts = await _tell(notifier, "n02", receivers)
        assert list(receivers) == [one.receiver for one in receipts]
        assert [""] * len(receivers) == [one.channel for one in receipts]
        for one in receipts:
            assert one.at.tzinfo is not None
            assert (one.reference + one.detail).isprintable()

    async def test_n03_the_words_arrive(self, bench: NotifierBench) -> None:
        """N03. Action: tell in English, then in Chinese. Pass: subject and body arrive whole."""
        first, *_ = bench.receivers()
        async with bench.offer.open(bench.options(), SiteRole.PRIMARY) as notifier:
            for language in Language:
                await notifier.notify(_notification(f"n03 {language}", language=language), [first])
        english, chinese = (one.text for one in await bench.arrived())
        assert _WORDS in english
        assert "Second paragraph" in english
        assert _CHINESE in chinese

    async def test_n04_a_repetition_can_be_told(self, bench: NotifierBench) -> None:
        """N04. Action: one key twice, another once. Pass: the same identity twice, then another.

        Skip when the far side has no identity to go by.
        """
        first, *_ = bench.receivers()
        async with bench.offer.open(bench.options(), SiteRole.PRIMARY) as notifier:
            for key in ("n04", "n04", "n04 other"):
                await _tell(notifier, key, [first])
        arrived = [one.identity for one in await bench.arrived()]
        if not any(arrived):
            pytest.skip("this far side has no identity of a message")
        # A far side may drop the repetition by itself.
        assert 2 == len(set(arrived))
        assert arrived[-1] not in arrived[:-1]

    async def test_n05_a_far_side_that_is_down_takes_nothing(self, bench: NotifierBench) -> None:
        """N05. Action: tell while it is down. Pass: a transient error or *deferred*."""
        await bench.take_down()
        told = await _told(bench, "n05")
        await bench.bring_up()
        assert isinstance(told, TransientError) or {Outcome.DEFERRED} == set(_list(told))
        assert [] == list(await bench.arrived())

    async def test_n06_a_far_side_that_is_back_is_used(self, bench: NotifierBench) -> None:
        """N06. Action: down, then up, one opening. Pass: the second attempt is taken."""
        receivers = bench.receivers()
        async with bench.offer.open(bench.options(), SiteRole.PRIMARY) as notifier:
            await bench.take_down()
            with suppress(TransientError):
                await _tell(notifier, "n06", receivers)
            await bench.bring_up()
            receipts = await _tell(notifier, "n06", receivers)
        assert [Outcome.TAKEN] * len(receivers) == [one.outcome for one in receipts]
        assert sorted(receivers) == sorted(one.receiver for one in await bench.arrived())

    async def test_n07_silence_ends_in_time(self, bench: NotifierBench) -> None:
        """N07. Action: a far side that answers nothing. Pass: an end in time, and nobody taken."""
        await bench.fall_silent()
        told = await _told(bench, "n07")
        await bench.bring_up()
        assert isinstance(told, TransientError) or Outcome.TAKEN not in _list(told)

    async def test_n08_a_lost_answer_is_unknown(self, bench: NotifierBench) -> None:
        """N08. Action: the far side takes it and hangs up. Pass: *unknown*, nothing sent twice."""
        await bench.take_and_hang_up()
        told = await _told(bench, "n08")
        await bench.bring_up()
        assert {Outcome.UNKNOWN} == set(_list(told))
        names = [one.receiver for one in await bench.arrived()]
        assert len(set(names)) == len(names)

    async def test_n09_a_refusal_is_for_good(self, bench: NotifierBench) -> None:
        """N09. Action: the far side refuses. Pass: *refused* or a permanent error."""
        await bench.refuse()
        told = await _told(bench, "n09")
        assert isinstance(told, PermanentError) or {Outcome.REFUSED} == set(_list(told))
        assert [] == list(await bench.arrived())

    async def test_n10_not_now_is_not_for_good(self, bench: NotifierBench) -> None:
        """N10. Action: the far side says: not now. Pass: *deferred* or a transient error."""
        await bench.fill_up()
        told = await _told(bench, "n10")
        assert isinstance(told, TransientError) or {Outcome.DEFERRED} == set(_list(told))
        assert [] == list(await bench.arrived())

    async def test_n11_one_refused_receiver_costs_the_others_nothing(
        self, bench: NotifierBench
    ) -> None:
        """N11. Action: one receiver is refused. Pass: told for that one alone; the others have
        it."""
        first, *others = bench.receivers()
        await bench.refuse_receiver(first)
        told = await _told(bench, "n11")
        assert [Outcome.REFUSED, *[Outcome.TAKEN] * len(others)] == told
        assert sorted(others) == sorted(one.receiver for one in await bench.arrived())

    async def test_n12_secrets_are_never_told(self, bench: NotifierBench) -> None:
        """N12. Action: refusals that repeat our secrets. Pass: no receipt and no error does."""
        await bench.refuse()
        secrets = bench.secrets()
        try:
            async with bench.offer.open(bench.options(), SiteRole.PRIMARY) as notifier:
                for one in await _tell(notifier, "n12", bench.receivers()):
                    assert _has_none(one.reference + one.detail, secrets)
        except RemoteError as error:
            whole: BaseException | None = error
            while whole is not None:
                assert _has_none(f"{whole!s} {whole.args!r}", secrets)
                whole = whole.__cause__
        assert _has_none(repr(bench.options()), secrets)

    async def test_n13_a_login_that_is_not_known_is_refused(self, bench: NotifierBench) -> None:
        """N13. Action: another secret. Pass: refused for good; nobody has it."""
        options = bench.options_unknown()
        try:
            async with bench.offer.open(options, SiteRole.PRIMARY) as notifier:
                receipts = await _tell(notifier, "n13", bench.receivers())
            assert {Outcome.REFUSED} == {one.outcome for one in receipts}
        except PermanentError:
            pass
        assert [] == list(await bench.arrived())

    async def test_n14_an_unknown_receiver_is_a_mistake_of_the_caller(
        self, bench: NotifierBench
    ) -> None:
        """N14. Action: somebody whom it cannot know, among others. Pass: nobody is told."""
        receivers = [*bench.receivers(), bench.unknown_receiver()]
        async with bench.offer.open(bench.options(), SiteRole.PRIMARY) as notifier:
            with pytest.raises(UsageError):
                await _tell(notifier, "n14", receivers)
        assert [] == list(await bench.arrived())

    async def test_n15_a_preflight_sends_nothing(self, bench: NotifierBench) -> None:
        """N15. Action: check a route that lives. Pass: one sentence, and nothing arrived.

        Skip when it cannot be tried without telling.
        """
        async with bench.offer.open(bench.options(), SiteRole.PRIMARY) as notifier:
            if not isinstance(notifier, SupportsPreflight):
                pytest.skip("this notifier cannot be tried without telling somebody")
            found = await notifier.check(bench.receivers())
        assert found.strip()
        assert found.isprintable()
        assert _has_none(found, bench.secrets())
        assert [] == list(await bench.arrived())

    async def test_n16_a_preflight_finds_a_dead_route(self, bench: NotifierBench) -> None:
        """N16. Action: check while it is down. Pass: an error of the other side."""
        await bench.take_down()
        with pytest.raises(RemoteError):
            async with bench.offer.open(bench.options(), SiteRole.PRIMARY) as notifier:
                if not isinstance(notifier, SupportsPreflight):
                    pytest.skip("this notifier cannot be tried without telling somebody")
                await notifier.check(bench.receivers())

    async def test_n17_who_can_be_asked_knows(self, bench: NotifierBench) -> None:
        """N17. Action: ask for what was told and what was not. Pass: *taken* and *deferred*."""
        receivers = bench.receivers()
        async with bench.offer.open(bench.options(), SiteRole.PRIMARY) as notifier:
            if not isinstance(notifier, SupportsInquiry):
                pytest.skip("this notifier cannot find out afterwards")
            await _tell(notifier, "n17", receivers)
            told = await notifier.inquire(_notification("n17"), receivers)
            untold = await notifier.inquire(_notification("n17 never"), receivers)
        assert [Outcome.TAKEN] * len(receivers) == [one.outcome for one in told]
        assert [Outcome.DEFERRED] * len(receivers) == [one.outcome for one in untold]

    async def test_n18_an_acknowledgement_is_heard(self, bench: NotifierBench) -> None:
        """N18. Action: tell, let one receiver acknowledge. Pass: that, and nothing else."""
        first, *_ = bench.receivers()
        async with bench.offer.open(bench.options(), SiteRole.PRIMARY) as notifier:
            if not isinstance(notifier, SupportsAcknowledgement):
                pytest.skip("nobody can acknowledge by this notifier")
            await _tell(notifier, "n18", bench.receivers())
            assert () == await notifier.acknowledgements(["n18"])
            await bench.acknowledge("n18", first)
            heard = await notifier.acknowledgements(["n18", "n18 other"])
        assert [("n18", first)] == [(one.key, one.receiver) for one in heard]

    async def test_n19_nothing_stays_open(self, bench: NotifierBench) -> None:
        """N19. Action: tell, leave. Pass: the far side has no visitor any more."""
        await _told(bench, "n19")
        assert await _noticed(lambda: bench.visitors() == 0)


def _list(told: list[Outcome] | RemoteError) -> list[Outcome]:
    """The outcomes; a clause that wants them fails with what was raised instead."""
    if isinstance(told, RemoteError):
        pytest.fail(f"raised {type(told).__name__}: {told}")
    return told
