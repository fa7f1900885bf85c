"""Where must my client point now, over all papers: sessions, failover, production, and why."""

from __future__ import annotations

from datetime import datetime

import attrs
import pytest
from hypothesis import given, strategies as st

from hkex_ops.errors import UsageError
from hkex_ops.model import Bound, Certainty, Circular, Grade, Rollout, SiteRole, Window
from hkex_ops.rollouts import Directions, directions, host_table, services_of
from tests.rollouts.papers import RRS_2023
from tests.rollouts.shipped import SHIPPED, at, instants

PRIMARY = ["10.151.14.121", "10.151.14.122"]
SECONDARY = ["10.152.14.121", "10.152.14.122"]
PS2 = ("OTP-C", "OTP-CSC", "OMD-C", "OMD-CC")


def pointed(
    service: str,
    instant: str,
    *,
    rollouts: list[Rollout] | None = None,
    audience: str | None = None,
) -> Directions:
    known = list(SHIPPED.values()) if rollouts is None else rollouts
    return directions(known, service, at(instant), audience=audience)


def hosts(found: Directions) -> list[str]:
    return [one.host for one in found.connections]


@pytest.mark.parametrize(
    ("site", "addresses", "session", "instant"),
    [
        (SiteRole.PRIMARY, PRIMARY, None, "2023-04-10T10:00"),
        (SiteRole.PRIMARY, PRIMARY, None, "2023-04-15T14:29:59"),
        (SiteRole.SECONDARY, SECONDARY, "session-1", "2023-04-15T14:30"),
        (SiteRole.SECONDARY, SECONDARY, "session-1", "2023-04-15T15:29:59"),
        (SiteRole.PRIMARY, PRIMARY, None, "2023-04-15T15:30"),
        (SiteRole.PRIMARY, PRIMARY, "session-2", "2023-04-15T16:30"),
        (SiteRole.PRIMARY, PRIMARY, None, "2023-04-15T17:30"),
        (SiteRole.PRIMARY, PRIMARY, None, "2026-01-01"),
    ],
)
def test_the_report_retrieval_points_to_the_secondary_site_in_session_1_only(
    site: SiteRole, addresses: list[str], session: str | None, instant: str
) -> None:
    found = pointed("rrs", instant)
    assert (site, addresses, session, "RRS") == (
        found.site,
        hosts(found),
        found.session,
        found.service,
    )


@pytest.mark.parametrize("service", PS2)
@pytest.mark.parametrize(
    ("site", "session", "instant"),
    [
        (SiteRole.PRIMARY, None, "2023-11-25T07:59"),
        (SiteRole.PRIMARY, "ps2-primary", "2023-11-25T08:00"),
        (None, "ps2-failover", "2023-11-25T10:00"),
        (None, "ps2-failover", "2023-11-25T10:59:59"),
        (SiteRole.SECONDARY, "ps2-backup", "2023-11-25T11:00"),
        (SiteRole.SECONDARY, "ps2-backup", "2023-11-25T12:09"),
        (SiteRole.PRIMARY, None, "2023-11-25T12:10"),
    ],
)
def test_practice_session_2_goes_from_primary_over_no_site_to_the_backup_site(
    service: str, site: SiteRole | None, session: str | None, instant: str
) -> None:
    found = pointed(service, instant)
    assert (site, session, ()) == (found.site, found.session, found.connections)


def test_during_the_failover_it_says_that_no_site_can_be_used_and_that_11_is_about() -> None:
    why = pointed("OMD-C", "2023-11-25T10:30").why
    assert "no site can be used" in why
    assert "10:00 to ~11:00" in why
    assert "counts as stated" in why


def test_where_no_paper_states_an_address_it_says_so() -> None:
    found = pointed("OTP-CSC", "2024-06-01")
    assert (SiteRole.PRIMARY, ()) == (found.site, found.connections)
    assert "backbone-ps2-2023 states no address of OTP-CSC" in found.why


def test_an_address_of_a_later_paper_is_not_put_into_an_earlier_time() -> None:
    found = pointed("RRS", "2019-05-10")
    assert (SiteRole.PRIMARY, (), "hkats-dcass-2019") == (
        found.site,
        found.connections,
        found.rollout,
    )
    assert "the first paper that does is rrs-2023, on 2023-03-23" in found.why


def test_before_its_only_paper_the_nearest_one_answers_and_says_that_it_is_later() -> None:
    found = pointed("RRS", "2023-01-01", rollouts=[RRS_2023])
    assert PRIMARY == hosts(found)
    assert "whose first date is 2023-03-23" in found.why


def test_the_verification_of_2019_has_four_gateways_with_names_for_the_host_table() -> None:
    found = pointed("dcass-ONLINE", "2019-05-05T10:00")
    assert [
        "10.151.14.155 pgencdw001.hkex.com.hk",
        "10.151.14.156 pgencdw002.hkex.com.hk",
        "10.151.14.101 pgenrgw001.hkex.com.hk",
        "10.151.14.102 pgenrgw002.hkex.com.hk",
    ] == list(host_table(found.connections))
    assert {8082} == {one.port for one in found.connections}
    assert "https://pgencdw001.hkex.com.hk:8082/login" == found.connections[0].url


def test_the_oapi_gateways_have_addresses_and_no_port() -> None:
    found = pointed("DCASS-OAPI", "2019-05-05T10:00")
    assert [("10.151.5.81", None), ("10.151.5.82", None)] == [
        (one.host, one.port) for one in found.connections
    ]


def test_a_connection_without_a_name_has_no_line_in_the_host_table() -> None:
    assert () == host_table(RRS_2023.connections)


def test_a_session_for_others_does_not_move_the_client() -> None:
    [session, *_] = RRS_2023.sessions
    for_ep = attrs.evolve(RRS_2023, sessions=(attrs.evolve(session, audience=("EP",)),))
    for audience, site in {"EP": SiteRole.SECONDARY, "CP": SiteRole.PRIMARY}.items():
        found = pointed("RRS", "2023-04-15T15:00", rollouts=[for_ep], audience=audience)
        assert site is found.site


def test_a_session_that_is_not_necessary_moves_nobody() -> None:
    [session, *_] = RRS_2023.sessions
    idle = attrs.evolve(session, grade=Grade.NOT_NECESSARY)
    found = pointed("RRS", "2023-04-15T15:00", rollouts=[attrs.evolve(RRS_2023, sessions=(idle,))])
    assert (SiteRole.PRIMARY, None) == (found.site, found.session)


def test_who_stays_away_from_an_optional_session_is_told_where_he_stays() -> None:
    assert "it is optional" in pointed("RRS", "2023-04-15T15:00").why
    assert "stays" not in pointed("DCASS-Online", "2019-05-05T10:00").why


def test_a_session_without_a_site_leaves_the_client_on_production() -> None:
    [session, *_] = RRS_2023.sessions
    nowhere = attrs.evolve(RRS_2023, sessions=(attrs.evolve(session, site=None),))
    found = pointed("RRS", "2023-04-15T15:00", rollouts=[nowhere])
    assert (SiteRole.PRIMARY, PRIMARY) == (found.site, hosts(found))
    assert "names no site" in found.why


def test_the_innermost_of_nested_windows_decides_even_without_part_of() -> None:
    [outer, *_] = RRS_2023.sessions
    inner = attrs.evolve(
        outer,
        id="inner",
        site=SiteRole.PRIMARY,
        window=Window(Bound(at("2023-04-15T14:45")), Bound(at("2023-04-15T14:50"))),
    )
    for order in ((outer, inner), (inner, outer)):
        nested = attrs.evolve(RRS_2023, sessions=order)
        for instant, session in {
            "2023-04-15T14:44": "session-1",
            "2023-04-15T14:45": "inner",
            "2023-04-15T14:50": "session-1",
        }.items():
            assert session == pointed("RRS", instant, rollouts=[nested]).session


def test_a_session_whose_time_is_unknown_moves_nobody() -> None:
    [session, *_] = RRS_2023.sessions
    unknown = Bound(None, Certainty.UNKNOWN)
    someday = attrs.evolve(session, window=Window(unknown, unknown))
    found = pointed(
        "RRS", "2023-04-15T15:00", rollouts=[attrs.evolve(RRS_2023, sessions=(someday,))]
    )
    assert SiteRole.PRIMARY is found.site


def moved(day: str, host: str) -> Rollout:
    """A later paper that moves the production addresses."""
    [circular, *_] = RRS_2023.circulars
    later: Circular = attrs.evolve(circular, issued=at(day).date())
    connections = tuple(
        attrs.evolve(one, host=host) if one.site is SiteRole.PRIMARY else one
        for one in RRS_2023.connections
    )
    return attrs.evolve(
        RRS_2023, id=f"moved-{day}", circulars=(later,), connections=connections, sessions=()
    )


def test_the_last_paper_issued_by_then_decides() -> None:
    papers = [moved("2025-03-01", "192.0.2.2"), RRS_2023, moved("2024-03-01", "192.0.2.1")]
    for instant, expected in {
        "2023-06-01": PRIMARY,
        "2024-03-01": ["192.0.2.1"] * 2,
        "2025-02-28": ["192.0.2.1"] * 2,
        "2025-03-01": ["192.0.2.2"] * 2,
    }.items():
        assert expected == hosts(pointed("RRS", instant, rollouts=papers)), instant
    assert (
        "the last issued by then of the 3 that do"
        in pointed("RRS", "2026-01-01", rollouts=papers).why
    )


def test_a_misspelt_service_is_answered_with_the_nearest() -> None:
    with pytest.raises(UsageError, match=r"service 'DCAS-Online'; did you mean DCASS-Online\?"):
        pointed("DCAS-Online", "2023-04-15")


# -- promises that hold at any instant ------------------------------------------------------------


@given(st.sampled_from(services_of(SHIPPED.values())), instants())
def test_every_address_is_of_the_site_that_is_named_and_there_is_always_a_reason(
    service: str, instant: datetime
) -> None:
    found = directions(SHIPPED.values(), service, instant)
    assert found.why
    assert {one.site for one in found.connections} <= {found.site}
    assert {one.service for one in found.connections} <= {service}
    if found.site is None:
        assert "no site can be used" in found.why


@given(st.sampled_from(services_of(SHIPPED.values())), instants())
def test_outside_every_session_no_client_leaves_the_primary_site(
    service: str, instant: datetime
) -> None:
    found = directions(SHIPPED.values(), service, instant)
    assert found.session is not None or found.site is SiteRole.PRIMARY
