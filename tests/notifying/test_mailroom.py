"""What is handed in is on disk before it is sent, sent once, and never when it may be out."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Sequence
from pathlib import Path

import pytest

from hkex_ops.errors import StoreError, UsageError
from hkex_ops.flows.notifying.mailroom import Mailroom
from hkex_ops.flows.notifying.postmark import Postmark
from hkex_ops.flows.notifying.standing import standing
from hkex_ops.flows.notifying.tables import OUTBOX_NAME
from hkex_ops.model import Audience, Language, Notification, Outcome, Receipt, Severity
from hkex_ops.notifications import DeliveryState, Telling
from hkex_ops.ports import Acknowledgement
from hkex_ops.testing import FakeNotifier
from tests.notifications.made import MORNING, escalating, minutes, occurrence, route
from tests.notifying.rooms import Room

DESK = "desk@broker.example"
BOTH = route(tell=(Telling("mail", (DESK, "b@broker.example")),))


def states(room: Mailroom) -> list[tuple[str, str, DeliveryState]]:
    return [
        (one.channel, one.receiver, one.state)
        for told in standing(room.outbox)
        for one in told.receivers
    ]


def outcomes(room: Mailroom) -> list[Outcome]:
    return [
        receipt.outcome
        for told in standing(room.outbox)
        for one in told.receivers
        for receipt in one.receipts
    ]


async def test_what_is_handed_in_is_delivered_and_shown_with_its_receipt(tmp_path: Path) -> None:
    room = Room(tmp_path, BOTH)
    with room.open() as mailroom:
        mailroom.hand_in(occurrence())
        assert await mailroom.deliver()
        (told,) = standing(mailroom.outbox)
    assert [DESK, "b@broker.example"] == room.arrived()
    assert ["fake 1", "fake 2"] == [one.receipts[0].reference for one in told.receivers]
    assert ["mail", "mail"] == [one.receipts[0].channel for one in told.receivers]
    assert (("missing 1 > desk", "reached"),) == told.cases


async def test_it_is_on_disk_before_anything_is_sent(tmp_path: Path) -> None:
    room = Room(tmp_path, BOTH)
    with room.open() as mailroom:
        mailroom.hand_in(occurrence())
    assert [] == room.arrived()
    with room.open() as another:
        await another.deliver()
    assert [DESK, "b@broker.example"] == room.arrived()


async def test_one_key_is_sent_once_however_often_it_is_handed_in(tmp_path: Path) -> None:
    room = Room(tmp_path, BOTH)
    for _ in range(3):
        with room.open() as mailroom:
            mailroom.hand_in(occurrence())
            await mailroom.deliver()
            await mailroom.deliver()
    assert [DESK, "b@broker.example"] == room.arrived()


async def test_two_routes_to_one_receiver_are_one_message(tmp_path: Path) -> None:
    """Whoever has a key's words is not sent them again by another route, and both cases know."""
    room = Room(tmp_path, route("one"), route("two"))
    with room.open() as mailroom:
        mailroom.hand_in(occurrence())
        await mailroom.deliver()
        (told,) = standing(mailroom.outbox)
    assert [DESK] == room.arrived()
    assert [("missing 1 > one", "reached"), ("missing 1 > two", "reached")] == list(told.cases)


async def test_an_escalation_to_who_has_it_already_is_settled_at_once(tmp_path: Path) -> None:
    room = Room(tmp_path, route("one"), escalating("two"))
    with room.open() as mailroom:
        mailroom.hand_in(occurrence())
        await mailroom.deliver()
        room.later(minutes=10)
        await mailroom.deliver()
    assert [DESK] == room.arrived()
    assert ["head"] == room.arrived("sms")


async def test_what_was_not_taken_is_tried_again_when_it_is_due(tmp_path: Path) -> None:
    room = Room(tmp_path, BOTH)
    room.exchanges["mail"].is_up = False
    with room.open() as mailroom:
        mailroom.hand_in(occurrence())
        await mailroom.deliver()
        assert room.clock.now() < (mailroom.due() or MORNING)
        room.exchanges["mail"].is_up = True
        await mailroom.deliver()
        assert [] == room.arrived(), "it is not due yet"
        room.later(seconds=5)
        await mailroom.deliver()
        assert [Outcome.DEFERRED, Outcome.TAKEN] * 2 == outcomes(mailroom)
    assert [DESK, "b@broker.example"] == room.arrived()


async def test_what_is_never_taken_is_given_up_and_somebody_hears_of_it(tmp_path: Path) -> None:
    room = Room(tmp_path, route(), route("all", events=("notify/*",), tell=(SMS,)))
    room.exchanges["mail"].is_up = False
    with room.open() as mailroom:
        mailroom.hand_in(occurrence())
        for _ in range(3):
            await mailroom.deliver()
            room.later(seconds=60)
        assert [
            ("mail", DESK, DeliveryState.GIVEN_UP),
            ("sms", "head", DeliveryState.TAKEN),
        ] == states(mailroom)
    (complaint,) = room.exchanges["sms"].arrived
    assert "Nobody was reached" in complaint.text


SMS = Telling("sms", ("head",))


async def test_a_refusal_brings_the_fallback_in_the_same_round(tmp_path: Path) -> None:
    room = Room(tmp_path, escalating())
    room.exchanges["mail"].refused.add(DESK)
    with room.open() as mailroom:
        mailroom.hand_in(occurrence())
        await mailroom.deliver()
    assert ([], ["duty"]) == (room.arrived(), room.arrived("sms"))


async def test_what_may_be_out_waits_for_a_person(tmp_path: Path) -> None:
    room = Room(tmp_path, BOTH)
    room.exchanges["mail"].loses_answers = True
    with room.open() as mailroom:
        mailroom.hand_in(occurrence())
        await mailroom.deliver()
        room.exchanges["mail"].loses_answers = False
        room.later(minutes=60)
        await mailroom.deliver()
        assert [Outcome.UNKNOWN] * 2 == outcomes(mailroom)
        (told,) = standing(mailroom.outbox)
        assert told.wants_a_person
        assert 1 == mailroom.again("missing 1", DESK, "A. Chan")
        told_by_phone = Receipt(
            "phone", "b@broker.example", MORNING, Outcome.TAKEN, told_by="A. Chan"
        )
        mailroom.told("missing 1", told_by_phone)
        await mailroom.deliver()
        (told,) = standing(mailroom.outbox)
        assert not told.wants_a_person
        assert (told_by_phone,) == told.by_hand
    assert [DESK, "b@broker.example", DESK] == room.arrived(), "again on a person's word alone"


async def test_what_may_be_out_is_sent_again_where_repeats_are_dropped(tmp_path: Path) -> None:
    room = Room(tmp_path, route(), drops_repeats=True)
    room.exchanges["mail"].loses_answers = True
    with room.open() as mailroom:
        mailroom.hand_in(occurrence())
        await mailroom.deliver()
        room.exchanges["mail"].loses_answers = False
        room.later(seconds=5)
        await mailroom.deliver()
        assert [Outcome.UNKNOWN, Outcome.TAKEN] == outcomes(mailroom)
    first, second = room.exchanges["mail"].arrived
    assert first.identity == second.identity


class Dying(FakeNotifier):
    """Tells everybody and is killed before it can say so."""

    told = asyncio.Event()

    async def notify(
        self, notification: Notification, receivers: Sequence[str]
    ) -> tuple[Receipt, ...]:
        await super().notify(notification, receivers)
        self.told.set()
        await asyncio.Event().wait()
        raise AssertionError("nobody waits so long")


class Dumb:
    """A notifier without any capability; ``inner`` is what it uses."""

    def __init__(self, inner: FakeNotifier) -> None:
        self.inner = inner

    async def notify(
        self, notification: Notification, receivers: Sequence[str]
    ) -> tuple[Receipt, ...]:
        return await self.inner.notify(notification, receivers)


async def killed_while_sending(room: Room) -> None:
    with room.open() as mailroom:
        mailroom.hand_in(occurrence())
        Dying.told = asyncio.Event()
        delivering = asyncio.create_task(mailroom.deliver())
        await Dying.told.wait()
        delivering.cancel()
        with pytest.raises(asyncio.CancelledError):
            await delivering


async def test_who_is_killed_while_sending_leaves_an_honest_unknown(tmp_path: Path) -> None:
    room = Room(tmp_path, BOTH, make={"mail": lambda options: Dumb(Dying(options))})
    await killed_while_sending(room)
    with room.open() as another:
        await another.deliver()
        assert [Outcome.UNKNOWN] * 2 == outcomes(another)
        assert "notify told" in standing(another.outbox)[0].receivers[0].receipts[0].detail
    assert [DESK, "b@broker.example"] == room.arrived(), "nobody was told again"


async def test_what_a_killed_sender_left_is_no_longer_said_to_be_sent(tmp_path: Path) -> None:
    """Until somebody delivers again it would have been shown as under way, for ever."""
    room = Room(tmp_path, BOTH, make={"mail": lambda options: Dumb(Dying(options))})
    with room.open() as mailroom:
        mailroom.hand_in(occurrence())
        Dying.told = asyncio.Event()
        delivering = asyncio.create_task(mailroom.deliver())
        await Dying.told.wait()
        with room.open() as another:
            assert [False] * 2 == [
                one.is_abandoned for one in standing(another.outbox)[0].receivers
            ]
        delivering.cancel()
        with pytest.raises(asyncio.CancelledError):
            await delivering
    with room.open() as another:
        [message] = standing(another.outbox)
        assert [True] * 2 == [one.is_abandoned for one in message.receivers]
        assert message.wants_a_person
        await another.deliver()
        assert not any(one.is_abandoned for one in standing(another.outbox)[0].receivers)


async def test_a_channel_that_can_be_asked_is_asked(tmp_path: Path) -> None:
    """Whoever has it is settled as such; who has not is told, once."""
    room = Room(tmp_path, BOTH, make={"mail": Dying})
    await killed_while_sending(room)
    room.exchanges["mail"].arrived.pop()
    room.correspondence = Room(tmp_path, BOTH).correspondence
    for channel in room.correspondence.channels.values():
        object.__setattr__(channel.options, "exchange", room.exchanges[channel.name])
    with room.open() as another:
        await another.deliver()
        room.later(seconds=60)
        await another.deliver()
        assert [Outcome.TAKEN, Outcome.DEFERRED, Outcome.TAKEN] == outcomes(another)
    assert [DESK, "b@broker.example"] == room.arrived()


class Exploding(FakeNotifier):
    """Has a bug, after it has told everybody."""

    async def notify(
        self, notification: Notification, receivers: Sequence[str]
    ) -> tuple[Receipt, ...]:
        await super().notify(notification, receivers)
        raise ZeroDivisionError("a bug")


class Confused(FakeNotifier):
    """Gives receipts of somebody else."""

    async def notify(
        self, notification: Notification, receivers: Sequence[str]
    ) -> tuple[Receipt, ...]:
        return await super().notify(notification, ["somebody else" for _ in receivers])


@pytest.mark.parametrize("make", [Exploding, Confused])
async def test_a_notifier_that_breaks_its_contract_leaves_it_unknown(
    tmp_path: Path, make: type[FakeNotifier]
) -> None:
    room = Room(tmp_path, route(), make={"mail": make})
    with room.open() as mailroom:
        mailroom.hand_in(occurrence())
        await mailroom.deliver()
        assert [Outcome.UNKNOWN] == outcomes(mailroom)
        assert "a bug" not in standing(mailroom.outbox)[0].receivers[0].receipts[0].detail


class Slow(FakeNotifier):
    """Answers when it is let."""

    let = asyncio.Event()

    async def notify(
        self, notification: Notification, receivers: Sequence[str]
    ) -> tuple[Receipt, ...]:
        await self.let.wait()
        return await super().notify(notification, receivers)


class Quick(FakeNotifier):
    """Says that it has told."""

    told = asyncio.Event()

    async def notify(
        self, notification: Notification, receivers: Sequence[str]
    ) -> tuple[Receipt, ...]:
        receipts = await super().notify(notification, receivers)
        self.told.set()
        return receipts


async def test_a_slow_channel_delays_no_other(tmp_path: Path) -> None:
    room = Room(
        tmp_path,
        route(tell=(Telling("mail", (DESK,)), Telling("sms", ("duty",)))),
        make={"mail": Slow, "sms": Quick},
    )
    Slow.let, Quick.told = asyncio.Event(), asyncio.Event()
    with room.open() as mailroom:
        mailroom.hand_in(occurrence())
        delivering = asyncio.create_task(mailroom.deliver())
        async with asyncio.timeout(5):
            await Quick.told.wait()
        assert [] == room.arrived()
        Slow.let.set()
        await delivering
    assert [DESK] == room.arrived()


async def test_only_one_delivers_at_a_time(tmp_path: Path) -> None:
    room = Room(tmp_path, route())
    with room.open() as mailroom:
        mailroom.hand_in(occurrence())
        with Postmark(tmp_path) as mark:
            assert mark.is_ours
            assert not await mailroom.deliver()
        assert [] == room.arrived()
        assert await mailroom.deliver()
    assert [DESK] == room.arrived()


async def test_an_acknowledgement_by_the_channel_ends_the_chain(tmp_path: Path) -> None:
    room = Room(tmp_path, escalating())
    with room.open() as mailroom:
        mailroom.hand_in(occurrence())
        await mailroom.deliver()
        room.exchanges["mail"].acknowledged.append(
            Acknowledgement("missing 1", DESK, MORNING + minutes(2), "A. Chan")
        )
        await mailroom.hear()
        room.later(minutes=60)
        await mailroom.deliver()
        (told,) = standing(mailroom.outbox)
    assert ((MORNING + minutes(2), "A. Chan"),) == told.acknowledgements
    assert [] == room.arrived("sms")


async def test_an_acknowledgement_by_number_is_one_by_key(tmp_path: Path) -> None:
    room = Room(tmp_path, escalating())
    with room.open() as mailroom:
        mailroom.hand_in(occurrence())
        mailroom.acknowledge("1", "A. Chan")
        (told,) = standing(mailroom.outbox)
        assert [("missing 1 > desk", "acknowledged")] == list(told.cases)
        with pytest.raises(UsageError, match="nothing was told that bears the key 'lost'"):
            mailroom.acknowledge("lost", "A. Chan")
        with pytest.raises(UsageError, match="is unknown, refused or given up"):
            mailroom.again("missing 1", DESK, "A. Chan")


async def test_the_gravest_goes_first(tmp_path: Path) -> None:

    room = Room(tmp_path, route())
    with room.open() as mailroom:
        mailroom.hand_in(occurrence("small", severity=Severity.MINOR))
        mailroom.hand_in(occurrence("grave", severity=Severity.CRITICAL))
        await mailroom.deliver()
    assert ["grave en", "small en"] == [one.identity for one in room.exchanges["mail"].arrived]


async def test_two_languages_are_two_messages_with_receipts_of_their_own(tmp_path: Path) -> None:
    room = Room(tmp_path, route(languages=tuple(Language)))
    with room.open() as mailroom:
        mailroom.hand_in(occurrence())
        await mailroom.deliver()
        assert list(Language) == [one.notification.language for one in standing(mailroom.outbox)]
    assert [DESK, DESK] == room.arrived()


async def test_a_channel_that_was_taken_out_of_the_routing_is_a_failure_that_is_told(
    tmp_path: Path,
) -> None:
    room = Room(tmp_path, route(tell=(Telling("pigeon", ("desk",)),)))
    with room.open() as mailroom:
        mailroom.hand_in(occurrence())
        await mailroom.deliver()
        (told,) = standing(mailroom.outbox)
    assert "no [notifiers.pigeon]" in told.receivers[0].receipts[0].detail


def test_a_file_that_is_no_outbox_is_refused(tmp_path: Path) -> None:
    other = sqlite3.connect(tmp_path / OUTBOX_NAME)
    other.execute("CREATE TABLE something (id INTEGER)")
    other.close()
    with pytest.raises(StoreError, match="no outbox of hkex-ops"):
        Room(tmp_path, route()).open()


def test_the_audience_of_a_route_is_kept_with_the_words(tmp_path: Path) -> None:
    with Room(tmp_path, route("sfc", Audience.REGULATOR)).open() as mailroom:
        mailroom.hand_in(occurrence())
        (told,) = standing(mailroom.outbox)
    assert Audience.REGULATOR is told.notification.audience
    assert told.at == MORNING


async def test_what_wants_a_person_is_shown_however_old_it_is(tmp_path: Path) -> None:
    room = Room(tmp_path, route())
    with room.open() as mailroom:
        for number in range(5):
            room.exchanges["mail"].loses_answers = number == 1
            mailroom.hand_in(occurrence(f"number {number}"))
            await mailroom.deliver()
        told = standing(mailroom.outbox, most=2)
    assert ["number 1", "number 3", "number 4"] == [one.notification.key for one in told]
