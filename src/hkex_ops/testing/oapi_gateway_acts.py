"""The clauses of ``OapiGateway`` on events and on what not every gateway can.

Part of :mod:`~.oapi_gateway_contract`, which is what an author inherits.
"""

from __future__ import annotations

import pytest

from hkex_ops.errors import Denied, RemoteError, TimedOut
from hkex_ops.model import ClearingMessageReceived, EventsLost, SiteRole
from hkex_ops.ports import SupportsHeartbeat, SupportsTransact
from hkex_ops.testing.oapi_gateway_asking import failure, first_event, is_text, started
from hkex_ops.testing.oapi_gateway_bench import OapiGatewayBench

__all__ = ["OapiGatewayActs"]

PRIMARY = SiteRole.PRIMARY


class OapiGatewayActs:
    """Clauses 20 to 26 of the contract."""

    # -- events ------------------------------------------------------------------------------

    async def test_o20_clearing_messages_are_heard(self, bench: OapiGatewayBench) -> None:
        """O20. Action: two messages are told. Pass: both are heard, in their order, each once."""
        async with bench.offer.open(bench.options(), PRIMARY) as gateway:
            events, first = await started(bench, gateway)
            await bench.tell("one")
            await bench.tell("two")
            heard = await first_event(bench, events, is_text("two"))
        texts = [one.text for one in heard if isinstance(one, ClearingMessageReceived)]
        assert ["one", "two"] == [text for text in texts if text != first]

    async def test_o21_what_was_lost_is_told_and_made_up_for(self, bench: OapiGatewayBench) -> None:
        """O21. Action: a message is lost, one follows. Pass: the loss, then both, each once."""
        async with bench.offer.open(bench.options(), PRIMARY) as gateway:
            events, _ = await started(bench, gateway)
            await bench.tell_unheard("lost")
            heard = await first_event(bench, events, is_text("lost"))
            await bench.tell("after")
            heard += await first_event(bench, events, is_text("after"))
        places = [place for place, one in enumerate(heard) if isinstance(one, EventsLost)]
        texts = [one.text for one in heard if isinstance(one, ClearingMessageReceived)]
        assert places, "the loss is not told"
        # What was told before the session began may come as well, and is not counted here.
        assert ["lost", "after"] == [text for text in texts if text in ("lost", "after")]
        recovered = [one for one in heard if is_text("lost")(one)]
        assert places[0] < heard.index(recovered[0])

    async def test_o22_events_end_with_the_session(self, bench: OapiGatewayBench) -> None:
        """O22. Action: the gateway goes down while it is heard. Pass: `RemoteError`, in time."""
        async with bench.offer.open(bench.options(), PRIMARY) as gateway:
            events, _ = await started(bench, gateway)
            await bench.take_down(0)
            error = await failure(bench, first_event(bench, events, lambda _: False))
        assert isinstance(error, RemoteError)

    # -- what not every gateway can ----------------------------------------------------------

    async def test_o23_a_heartbeat_is_harmless(self, bench: OapiGatewayBench) -> None:
        """O23. Prerequisite: `SupportsHeartbeat`. Pass: nothing received; told when lost."""
        async with bench.offer.open(bench.options(), PRIMARY) as gateway:
            if not isinstance(gateway, SupportsHeartbeat):
                pytest.skip("this gateway needs no heartbeat")
            before = len(bench.received())
            await gateway.heartbeat()
            assert before == len(bench.received())
            await bench.take_down(0)
            error = await failure(bench, gateway.heartbeat())
        assert isinstance(error, RemoteError)

    async def test_o24_a_transaction_is_sent_once(self, bench: OapiGatewayBench) -> None:
        """O24. Prerequisite: `SupportsTransact`. Pass: done once, and decided on."""
        transaction = bench.transaction()
        async with bench.offer.open(bench.options_transacting(), PRIMARY) as gateway:
            assert isinstance(gateway, SupportsTransact)
            receipt = await gateway.transact(transaction)
            decisions = [one for one in gateway.decisions() if one.code == transaction.code]
        assert transaction.code == receipt.code
        assert [transaction.code] == list(bench.changed())
        assert [(True, 1)] == [(one.allowed, one.times) for one in decisions]

    async def test_o25_an_unknown_outcome_is_never_sent_again(
        self, bench: OapiGatewayBench
    ) -> None:
        """O25. Prerequisite: no answer comes. Pass: `TimedOut`; it reached the house once."""
        transaction = bench.transaction()
        async with bench.offer.open(bench.options_transacting(), PRIMARY) as gateway:
            assert isinstance(gateway, SupportsTransact)
            await bench.forget_to_answer()
            error = await failure(bench, gateway.transact(transaction))
        assert isinstance(error, TimedOut)
        assert [transaction.code] == [code for code in bench.received() if code == transaction.code]

    async def test_o26_only_what_is_listed_can_be_sent(self, bench: OapiGatewayBench) -> None:
        """O26. Action: send each changing code not listed. Pass: `Denied`, nothing done."""
        listed = bench.transaction()
        async with bench.offer.open(bench.options_transacting(), PRIMARY) as gateway:
            assert isinstance(gateway, SupportsTransact)
            for code in bench.changing():
                if code != listed.code:
                    other = type(listed)(code, listed.parameters)
                    error = await failure(bench, gateway.transact(other))
                    assert isinstance(error, Denied), code
        assert [] == list(bench.changed())
