"""The contract of ``Probe``: numbered clauses that every adapter of the port must pass.

Inherit the class in a test module and give it a fixture ``bench``::

    class TestMyProbe(ProbeContract):
        @pytest.fixture
        async def bench(self, tmp_path):
            async with MyBench(tmp_path) as bench:
                yield bench

A clause states its prerequisite, its action and when it passes. Numbers are never reused.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from attrs import evolve

from hkex_ops.errors import UsageError
from hkex_ops.model import SiteRole
from hkex_ops.ports import ProbeResult
from hkex_ops.testing.probe_bench import ProbeBench

__all__ = ["ProbeContract"]

PRIMARY = SiteRole.PRIMARY
SECONDARY = SiteRole.SECONDARY

# As many looks as a desk would ever take at once.
MANY = 20

# A far side notices a farewell a little later than the visitor says it.
NOTICE_TIMEOUT_S = 5
NOTICE_INTERVAL_S = 0.01


async def _look(bench: ProbeBench, *, options: object = None) -> ProbeResult:
    """Open the adapter at the primary site, probe its connection once, in time."""
    given = bench.options() if options is None else options
    async with (
        asyncio.timeout(bench.time_limit_s),
        bench.offer.open(given, PRIMARY) as probe,
    ):
        return await probe.probe(bench.connection(PRIMARY))


async def _noticed(fact: Callable[[], bool]) -> bool:
    """Whether the far side comes to show ``fact`` within a short while."""
    for _ in range(int(NOTICE_TIMEOUT_S / NOTICE_INTERVAL_S)):
        if fact():
            return True
        await asyncio.sleep(NOTICE_INTERVAL_S)
    return False


class ProbeContract:
    """Inherit and provide a fixture ``bench`` that yields a fresh `ProbeBench`."""

    pytestmark: pytest.MarkDecorator = pytest.mark.asyncio

    # -- what is found -----------------------------------------------------------------------

    async def test_p01_a_right_far_side_has_answered(self, bench: ProbeBench) -> None:
        """P1. Prerequisite: a right far side. Action: probe. Pass: reached, answered, visited."""
        found = await _look(bench)
        assert (True, True) == (found.reached, found.answered), found.detail
        assert bench.visits(PRIMARY) >= 1

    async def test_p02_the_result_is_of_the_connection_given(self, bench: ProbeBench) -> None:
        """P2. Action: probe. Pass: the result bears the very connection that was asked about."""
        assert bench.connection(PRIMARY) == (await _look(bench)).connection

    async def test_p03_the_certificate_is_told(self, bench: ProbeBench) -> None:
        """P3. Prerequisite: a protocol with certificates. Pass: the back door's fingerprint."""
        expected = bench.certificate(PRIMARY)
        if expected is None:
            pytest.skip("this protocol has no certificates")
        assert expected == (await _look(bench)).certificate

    async def test_p04_a_far_side_that_is_down_is_a_result(self, bench: ProbeBench) -> None:
        """P4. Prerequisite: site down. Pass: not reached, and the detail names host and port."""
        await bench.take_down(PRIMARY)
        found = await _look(bench)
        assert (False, False) == (found.reached, found.answered)
        connection = bench.connection(PRIMARY)
        assert connection.host in found.detail
        assert str(connection.port) in found.detail

    async def test_p05_a_wrong_answer_is_no_answer(self, bench: ProbeBench) -> None:
        """P5. Prerequisite: nonsense is answered. Pass: reached, not answered."""
        await bench.talk_nonsense(PRIMARY)
        found = await _look(bench)
        assert (True, False) == (found.reached, found.answered)

    async def test_p06_silence_ends_in_time(self, bench: ProbeBench) -> None:
        """P6. Prerequisite: the far side says nothing. Pass: reached, not answered, in time."""
        await bench.fall_silent(PRIMARY)
        found = await _look(bench)
        assert (True, False) == (found.reached, found.answered)

    async def test_p07_the_detail_is_one_printable_sentence(self, bench: ProbeBench) -> None:
        """P7. Prerequisite: up, then down. Pass: each detail is one line that can be printed."""
        up = await _look(bench)
        await bench.take_down(PRIMARY)
        for found in (up, await _look(bench)):
            assert found.detail
            assert found.detail.isprintable()

    # -- the certificate ---------------------------------------------------------------------

    async def test_p08_another_certificate_is_no_answer(self, bench: ProbeBench) -> None:
        """P8. Prerequisite: another certificate is right. Pass: reached, not answered."""
        found = await _look(bench, options=bench.options_with_other_certificate())
        assert (True, False) == (found.reached, found.answered)

    async def test_p09_another_certificate_is_told_nothing(self, bench: ProbeBench) -> None:
        """P9. Prerequisite: as P8. Action: probe. Pass: the far side heard not one byte."""
        await _look(bench, options=bench.options_with_other_certificate())
        assert b"" == bench.heard(PRIMARY)

    # -- manners -----------------------------------------------------------------------------

    async def test_p10_the_other_site_is_refused(self, bench: ProbeBench) -> None:
        """P10. Action: ask a probe of the primary site about the secondary. Pass: UsageError."""
        async with bench.offer.open(bench.options(), PRIMARY) as probe:
            with pytest.raises(UsageError):
                await probe.probe(bench.connection(SECONDARY))
        assert 0 == bench.visits(SECONDARY)

    async def test_p15_an_unknown_port_is_refused(self, bench: ProbeBench) -> None:
        """P15. Prerequisite: a connection whose port the paper does not say. Pass: UsageError."""
        async with bench.offer.open(bench.options(), PRIMARY) as probe:
            with pytest.raises(UsageError):
                await probe.probe(evolve(bench.connection(PRIMARY), port=None))
        assert 0 == bench.visits(PRIMARY)

    async def test_p11_the_other_site_is_never_tried(self, bench: ProbeBench) -> None:
        """P11. Prerequisite: primary down, secondary up. Pass: secondary untouched."""
        await bench.take_down(PRIMARY)
        await _look(bench)
        assert 0 == bench.visits(SECONDARY)

    async def test_p12_a_far_side_that_is_back_is_found(self, bench: ProbeBench) -> None:
        """P12. Action: probe while down and, with the same probe, once up. Pass: both are told."""
        connection = bench.connection(PRIMARY)
        async with bench.offer.open(bench.options(), PRIMARY) as probe:
            await bench.take_down(PRIMARY)
            down = await probe.probe(connection)
            await bench.bring_up(PRIMARY)
            up = await probe.probe(connection)
        assert [False, True] == [down.answered, up.answered], up.detail

    async def test_p13_many_at_once_are_all_told(self, bench: ProbeBench) -> None:
        """P13. Action: many probes of one connection at once. Pass: each has its result."""
        connection = bench.connection(PRIMARY)
        async with bench.offer.open(bench.options(), PRIMARY) as probe:
            found = await asyncio.gather(*(probe.probe(connection) for _ in range(MANY)))
        assert [True] * MANY == [one.answered for one in found]

    async def test_p14_nothing_stays_open(self, bench: ProbeBench) -> None:
        """P14. Action: probe, leave. Pass: the far side has no visitor any more."""
        await _look(bench)
        assert await _noticed(lambda: bench.visitors(PRIMARY) == 0)
