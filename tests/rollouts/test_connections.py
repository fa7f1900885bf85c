"""Where must my client point: by site during a session, to the primary one afterwards."""

from __future__ import annotations

import attrs
import pytest

from hkex_ops.model import SiteRole
from hkex_ops.rollouts import production_connections, session_connections
from tests.rollouts.papers import RRS_2023

PRIMARY = ["10.151.14.121:10022", "10.151.14.122:10022"]
SECONDARY = ["10.152.14.121:10022", "10.152.14.122:10022"]


@pytest.mark.parametrize(
    ("expected", "site"), [(PRIMARY, SiteRole.PRIMARY), (SECONDARY, SiteRole.SECONDARY)]
)
def test_a_session_uses_the_addresses_of_its_site_in_the_papers_order(
    expected: list[str], site: SiteRole
) -> None:
    found = session_connections(RRS_2023, "RRS", site)
    assert expected == [f"{one.host}:{one.port}" for one in found]


def test_production_ends_on_the_primary_addresses() -> None:
    found = production_connections(RRS_2023, "RRS")
    assert PRIMARY == [f"{one.host}:{one.port}" for one in found]
    assert session_connections(RRS_2023, "RRS", SiteRole.PRIMARY) == found


def test_the_papers_order_holds_in_whatever_order_the_file_lists_them() -> None:
    turned = attrs.evolve(RRS_2023, connections=RRS_2023.connections[::-1])
    assert production_connections(RRS_2023, "RRS") == production_connections(turned, "RRS")
    for site in SiteRole:
        expected = session_connections(RRS_2023, "RRS", site)
        assert expected == session_connections(turned, "RRS", site)


def test_a_service_that_the_paper_states_no_connection_for_has_none() -> None:
    assert () == session_connections(RRS_2023, "OAPI", SiteRole.PRIMARY)
    assert () == production_connections(RRS_2023, "OAPI")
