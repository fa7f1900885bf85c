"""Where a client points before its next use: at production as the papers state it, or not ready."""

from __future__ import annotations

from datetime import datetime

import pytest

from hkex_ops.config.shipped import load_calendar, load_rollouts
from hkex_ops.model import HONG_KONG, Endpoint, SiteRole
from hkex_ops.reports import first_use_after, judge_readiness
from hkex_ops.rollouts import directions

CALENDAR = load_calendar()
PAPERS = tuple(load_rollouts(CALENDAR).values())
PRIMARY = [Endpoint(f"10.151.14.{last}", 10022) for last in (121, 122)]
SECONDARY = [Endpoint(f"10.152.14.{last}", 10022) for last in (121, 122)]


def hong_kong(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=HONG_KONG)


MONDAY = hong_kong("2023-04-17T08:45")


@pytest.mark.parametrize(
    ("site", "addresses", "faults", "unknown"),
    [
        (SiteRole.PRIMARY, PRIMARY, [], 0),
        (
            SiteRole.SECONDARY,
            SECONDARY,
            ["the configuration points at the secondary site, primary is right"],
            0,
        ),
        (
            SiteRole.PRIMARY,
            SECONDARY,
            [
                "the primary site is configured as 10.152.14.121:10022 and 10.152.14.122:10022, "
                "the papers state 10.151.14.121:10022 and 10.151.14.122:10022"
            ],
            0,
        ),
        (SiteRole.PRIMARY, None, [], 1),
    ],
)
def test_the_papers_and_the_configuration_are_held_against_each_other(
    site: SiteRole, addresses: list[Endpoint] | None, faults: list[str], unknown: int
) -> None:
    """Site first, then its addresses; what cannot be told is no pass."""
    found = directions(PAPERS, "RRS", MONDAY)
    judged = judge_readiness("RRS", MONDAY, site, addresses, found)
    assert (faults, unknown) == (list(judged.faults), len(judged.unknown))
    assert judged.ready == (not faults and not unknown)


def test_a_service_that_no_paper_names_is_to_be_at_its_primary_site() -> None:
    """Its addresses are the operator's to know."""
    judged = judge_readiness("LCH", MONDAY, SiteRole.PRIMARY, SECONDARY, None)
    assert judged.ready
    assert not judge_readiness("LCH", MONDAY, SiteRole.SECONDARY, SECONDARY, None).ready


@pytest.mark.parametrize(
    ("now", "use"),
    [
        ("2023-04-15T18:00", "2023-04-17T08:45"),  # after Saturday's drill
        ("2023-04-17T08:44", "2023-04-17T08:45"),
        ("2023-04-17T08:45", "2023-04-18T08:45"),
        ("2023-04-06T20:00", "2023-04-11T08:45"),  # before Easter
    ],
)
def test_the_next_use_is_the_next_t_session(now: str, use: str) -> None:
    """Of a business day."""
    assert hong_kong(use) == first_use_after(CALENDAR, hong_kong(now))
