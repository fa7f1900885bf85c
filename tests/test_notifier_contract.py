"""The contract of notifiers passes what is right and fails what is wrong."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

import pytest
from attrs import evolve

from hkex_ops.errors import Busy, Rejected, TransientError, Unreachable, UsageError
from hkex_ops.model import Notification, Outcome, Receipt
from hkex_ops.ports import Acknowledgement
from hkex_ops.testing import (
    Arrived,
    FakeNotifier,
    FakeNotifierBench,
    FakeNotifierOptions,
    NotifierBench,
    NotifierContract,
)
from hkex_ops.testing.notifier_fakes import _AT, FAKE_SECRET


class TestFakeNotifier(NotifierContract):
    """The fake of the kit keeps the contract in every clause."""

    @pytest.fixture
    def bench(self) -> FakeNotifierBench:
        return FakeNotifierBench()


class Repeating(FakeNotifier):
    """Tells everybody twice, to be on the safe side."""

    async def notify(
        self, notification: Notification, receivers: Sequence[str]
    ) -> tuple[Receipt, ...]:
        await super().notify(notification, receivers)
        return await super().notify(notification, receivers)


class Unordered(FakeNotifier):
    """Gives receipts as they come."""

    async def notify(
        self, notification: Notification, receivers: Sequence[str]
    ) -> tuple[Receipt, ...]:
        return tuple(reversed(await super().notify(notification, receivers)))


class Naming(FakeNotifier):
    """Thinks that it knows what it is called."""

    async def notify(
        self, notification: Notification, receivers: Sequence[str]
    ) -> tuple[Receipt, ...]:
        receipts = await super().notify(notification, receivers)
        return tuple(evolve(one, channel="fake") for one in receipts)


class Terse(FakeNotifier):
    """Tells the subject and leaves the rest."""

    async def notify(
        self, notification: Notification, receivers: Sequence[str]
    ) -> tuple[Receipt, ...]:
        return await super().notify(evolve(notification, body="…"), receivers)


class Numbering(FakeNotifier):
    """Gives each message an identity of its own, repetitions too."""

    async def notify(
        self, notification: Notification, receivers: Sequence[str]
    ) -> tuple[Receipt, ...]:
        numbered = f"{notification.key} {len(self.exchange.arrived)}"
        return await super().notify(evolve(notification, key=numbered), receivers)


class Optimistic(FakeNotifier):
    """Says *taken* whatever happens."""

    async def notify(
        self, notification: Notification, receivers: Sequence[str]
    ) -> tuple[Receipt, ...]:
        try:
            receipts = await super().notify(notification, receivers)
        except (Busy, Rejected, TransientError):
            at = notification.at
            return tuple(Receipt("", one, at, Outcome.TAKEN) for one in receivers)
        return tuple(evolve(one, outcome=Outcome.TAKEN) for one in receipts)


class Forgetting(FakeNotifier):
    """Takes a lost answer for a message that never arrived."""

    async def notify(
        self, notification: Notification, receivers: Sequence[str]
    ) -> tuple[Receipt, ...]:
        receipts = await super().notify(notification, receivers)
        if any(one.outcome is Outcome.UNKNOWN for one in receipts):
            raise Unreachable("the answer was lost")
        return receipts


class Hopeful(FakeNotifier):
    """Takes no refusal for good."""

    async def notify(
        self, notification: Notification, receivers: Sequence[str]
    ) -> tuple[Receipt, ...]:
        try:
            return await super().notify(notification, receivers)
        except Rejected as error:
            raise Busy(str(error)) from error


class Hopeless(FakeNotifier):
    """Takes every refusal for good."""

    async def notify(
        self, notification: Notification, receivers: Sequence[str]
    ) -> tuple[Receipt, ...]:
        try:
            return await super().notify(notification, receivers)
        except Busy as error:
            raise Rejected(str(error)) from error


class AllOrNothing(FakeNotifier):
    """Tells nobody when one is refused."""

    async def notify(
        self, notification: Notification, receivers: Sequence[str]
    ) -> tuple[Receipt, ...]:
        if self.exchange.refused & set(receivers):
            raise Rejected("one of them is not known here")
        return await super().notify(notification, receivers)


class Indiscreet(FakeNotifier):
    """Repeats its secret in its errors."""

    async def notify(
        self, notification: Notification, receivers: Sequence[str]
    ) -> tuple[Receipt, ...]:
        try:
            return await super().notify(notification, receivers)
        except Rejected as error:
            raise Rejected(f"{error}: {self.options.secret}") from error


class Credulous(FakeNotifier):
    """Lets anybody in."""

    def __init__(self, options: FakeNotifierOptions) -> None:
        super().__init__(evolve(options, secret=FAKE_SECRET))


class Obliging(FakeNotifier):
    """Tells those whom it knows, and finds out about the rest afterwards."""

    async def notify(
        self, notification: Notification, receivers: Sequence[str]
    ) -> tuple[Receipt, ...]:
        known = [one for one in receivers if not one.startswith("nobody")]
        receipts = await super().notify(notification, known)
        if known != list(receivers):
            raise UsageError("one of them is nobody")
        return receipts


class Trying(FakeNotifier):
    """Tries a route by telling somebody."""

    async def check(self, receivers: Sequence[str]) -> str:
        self.exchange.arrived += [Arrived(one, "test", "test") for one in receivers]
        return "the test was taken"


class Trusting(FakeNotifier):
    """Believes every route to be alive."""

    async def check(self, receivers: Sequence[str]) -> str:
        return "surely"


class Certain(FakeNotifier):
    """Believes that everything has arrived."""

    async def inquire(
        self, notification: Notification, receivers: Sequence[str]
    ) -> tuple[Receipt, ...]:
        receipts = await super().inquire(notification, receivers)
        return tuple(evolve(one, outcome=Outcome.TAKEN) for one in receipts)


class Assuming(FakeNotifier):
    """Takes everything for read."""

    async def acknowledgements(self, keys: Sequence[str]) -> tuple[Acknowledgement, ...]:
        return tuple(Acknowledgement(key, "desk", _AT) for key in keys)


class LingeringBench(FakeNotifierBench):
    """Its adapter never hangs up."""

    def visitors(self) -> int:
        return 1


Clause = Callable[[NotifierBench], Awaitable[None]]

clauses = NotifierContract()


@pytest.mark.parametrize(
    ("bench", "clause"),
    [
        (FakeNotifierBench(Repeating), clauses.test_n01_each_receiver_has_it_once),
        (FakeNotifierBench(Unordered), clauses.test_n02_receipts_are_in_order_and_say_when),
        (FakeNotifierBench(Naming), clauses.test_n02_receipts_are_in_order_and_say_when),
        (FakeNotifierBench(Terse), clauses.test_n03_the_words_arrive),
        (FakeNotifierBench(Numbering), clauses.test_n04_a_repetition_can_be_told),
        (FakeNotifierBench(Optimistic), clauses.test_n05_a_far_side_that_is_down_takes_nothing),
        (FakeNotifierBench(Repeating), clauses.test_n06_a_far_side_that_is_back_is_used),
        (FakeNotifierBench(Optimistic), clauses.test_n07_silence_ends_in_time),
        (FakeNotifierBench(Optimistic), clauses.test_n08_a_lost_answer_is_unknown),
        (FakeNotifierBench(Forgetting), clauses.test_n08_a_lost_answer_is_unknown),
        (FakeNotifierBench(Repeating), clauses.test_n08_a_lost_answer_is_unknown),
        (FakeNotifierBench(Hopeful), clauses.test_n09_a_refusal_is_for_good),
        (FakeNotifierBench(Hopeless), clauses.test_n10_not_now_is_not_for_good),
        (
            FakeNotifierBench(AllOrNothing),
            clauses.test_n11_one_refused_receiver_costs_the_others_nothing,
        ),
        (FakeNotifierBench(Indiscreet), clauses.test_n12_secrets_are_never_told),
        (FakeNotifierBench(Credulous), clauses.test_n13_a_login_that_is_not_known_is_refused),
        (
            FakeNotifierBench(Obliging),
            clauses.test_n14_an_unknown_receiver_is_a_mistake_of_the_caller,
        ),
        (FakeNotifierBench(Trying), clauses.test_n15_a_preflight_sends_nothing),
        (FakeNotifierBench(Trusting), clauses.test_n16_a_preflight_finds_a_dead_route),
        (FakeNotifierBench(Certain), clauses.test_n17_who_can_be_asked_knows),
        (FakeNotifierBench(Assuming), clauses.test_n18_an_acknowledgement_is_heard),
        (LingeringBench(), clauses.test_n19_nothing_stays_open),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
async def test_a_broken_notifier_fails_its_clause(
    bench: NotifierBench, clause: Clause, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hkex_ops.testing.notifier_contract.NOTICE_TIMEOUT_S", 0)
    with pytest.raises((AssertionError, pytest.fail.Exception)):
        await clause(bench)


class BareBench(FakeNotifierBench):
    """A bench that can stage next to nothing."""

    refuse = NotifierBench.refuse


async def test_a_clause_the_bench_cannot_stage_is_skipped_with_its_reason() -> None:
    with pytest.raises(pytest.skip.Exception, match="no way to refuse"):
        await clauses.test_n09_a_refusal_is_for_good(BareBench())
