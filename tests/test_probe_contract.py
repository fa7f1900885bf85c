"""The contract of probes passes what is right and fails what is wrong."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
from attrs import evolve

from hkex_ops.errors import ConfigError, Unreachable
from hkex_ops.model import Connection, SiteRole
from hkex_ops.ports import ProbeResult
from hkex_ops.testing import (
    FakeDoor,
    FakeProbe,
    FakeProbeBench,
    FakeProbeOptions,
    ProbeBench,
    ProbeContract,
    open_fake_probe,
)


class TestFakeProbe(ProbeContract):
    """The fake of the kit keeps the contract in every clause."""

    @pytest.fixture
    def bench(self) -> FakeProbeBench:
        return FakeProbeBench()


class Pessimistic(FakeProbe):
    """Never finds anybody."""

    async def probe(self, connection: Connection) -> ProbeResult:
        return ProbeResult(connection, False, False, f"{connection.host}: nobody")


class Substituting(FakeProbe):
    """Tells of another connection than the one it was asked about."""

    async def probe(self, connection: Connection) -> ProbeResult:
        found = await super().probe(connection)
        return evolve(found, connection=evolve(connection, host="another.example"))


class Careless(FakeProbe):
    """Does not look at the certificate."""

    async def probe(self, connection: Connection) -> ProbeResult:
        return evolve(await super().probe(connection), certificate=None)


class Raising(FakeProbe):
    """Takes a far side that is down for an accident."""

    async def probe(self, connection: Connection) -> ProbeResult:
        found = await super().probe(connection)
        if not found.reached:
            raise Unreachable(found.detail)
        return found


class Content(FakeProbe):
    """Is content once somebody takes the connection."""

    async def probe(self, connection: Connection) -> ProbeResult:
        found = await super().probe(connection)
        return evolve(found, answered=found.reached)


class Wordless(FakeProbe):
    """Says nothing about what it found."""

    async def probe(self, connection: Connection) -> ProbeResult:
        return evolve(await super().probe(connection), detail="")


class Talkative(FakeProbe):
    """Says its greeting before it looks at the certificate."""

    async def probe(self, connection: Connection) -> ProbeResult:
        self.options.doors[self.site].heard += b"hello"
        return await super().probe(connection)


class Obliging(FakeProbe):
    """Looks at any site that it is asked about."""

    async def probe(self, connection: Connection) -> ProbeResult:
        return await FakeProbe(self.options, connection.site).probe(connection)


class Guessing(FakeProbe):
    """Takes a port that it was not told."""

    async def probe(self, connection: Connection) -> ProbeResult:
        return await super().probe(evolve(connection, port=connection.port or 443))


class Crossing(FakeProbe):
    """Goes on to the other site when one is down."""

    async def probe(self, connection: Connection) -> ProbeResult:
        found = await super().probe(connection)
        if found.reached:
            return found
        other = self.options.doors[self.site.other]
        return evolve(
            await FakeProbe(self.options, other.site).probe(other.connection), connection=connection
        )


class Remembering(FakeProbe):
    """Answers what it found the first time."""

    first: ProbeResult | None = None

    async def probe(self, connection: Connection) -> ProbeResult:
        self.first = self.first or await super().probe(connection)
        return self.first


class LingeringBench(FakeProbeBench):
    """Its adapter never hangs up."""

    def visitors(self, site: SiteRole) -> int:
        return self.visits(site)


Clause = Callable[[ProbeBench], Awaitable[None]]

clauses = ProbeContract()


@pytest.mark.parametrize(
    ("bench", "clause"),
    [
        (FakeProbeBench(Pessimistic), clauses.test_p01_a_right_far_side_has_answered),
        (FakeProbeBench(Substituting), clauses.test_p02_the_result_is_of_the_connection_given),
        (FakeProbeBench(Careless), clauses.test_p03_the_certificate_is_told),
        (FakeProbeBench(Content), clauses.test_p05_a_wrong_answer_is_no_answer),
        (FakeProbeBench(Content), clauses.test_p06_silence_ends_in_time),
        (FakeProbeBench(Wordless), clauses.test_p07_the_detail_is_one_printable_sentence),
        (FakeProbeBench(Content), clauses.test_p08_another_certificate_is_no_answer),
        (FakeProbeBench(Talkative), clauses.test_p09_another_certificate_is_told_nothing),
        (FakeProbeBench(Obliging), clauses.test_p10_the_other_site_is_refused),
        (FakeProbeBench(Guessing), clauses.test_p15_an_unknown_port_is_refused),
        (FakeProbeBench(Crossing), clauses.test_p11_the_other_site_is_never_tried),
        (FakeProbeBench(Remembering), clauses.test_p12_a_far_side_that_is_back_is_found),
        (FakeProbeBench(Pessimistic), clauses.test_p13_many_at_once_are_all_told),
        (LingeringBench(), clauses.test_p14_nothing_stays_open),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
async def test_a_broken_probe_fails_its_clause(
    bench: ProbeBench, clause: Clause, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hkex_ops.testing.probe_contract.NOTICE_TIMEOUT_S", 0.1)
    with pytest.raises((AssertionError, pytest.fail.Exception)):
        await clause(bench)


async def test_a_probe_that_raises_fails_its_clause() -> None:
    with pytest.raises(Unreachable):
        await clauses.test_p04_a_far_side_that_is_down_is_a_result(FakeProbeBench(Raising))


class BareBench(FakeProbeBench):
    """A bench whose far side cannot be silent."""

    async def fall_silent(self, site: SiteRole) -> None:
        await ProbeBench.fall_silent(self, site)


async def test_a_clause_the_bench_cannot_stage_is_skipped_with_its_reason() -> None:
    with pytest.raises(pytest.skip.Exception, match="nothing to wait for"):
        await clauses.test_p06_silence_ends_in_time(BareBench())


async def test_a_fake_door_that_is_not_there_is_a_fault_of_the_options() -> None:
    options = FakeProbeOptions({SiteRole.PRIMARY: FakeDoor(SiteRole.PRIMARY)})
    with pytest.raises(ConfigError, match="no site secondary; known: primary"):
        async with open_fake_probe(options, SiteRole.SECONDARY):
            pass


def test_nobody_has_answered_without_being_reached() -> None:
    connection = FakeDoor(SiteRole.PRIMARY).connection
    with pytest.raises(ValueError, match="cannot have answered and not been reached"):
        ProbeResult(connection, False, True, "a miracle")
