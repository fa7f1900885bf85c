"""Small promises of the values that everything else is made of."""

from __future__ import annotations

from datetime import date, datetime
from types import MappingProxyType

import attrs
import pytest

from hkex_ops import model
from hkex_ops.model import (
    ACTIONS,
    HONG_KONG,
    Endpoint,
    ListedReport,
    Listing,
    ReportIdentity,
    SiteRole,
    Source,
)

FRIDAY = date(2023, 4, 14)


def test_there_are_two_sites_and_each_is_the_others_other() -> None:
    assert SiteRole.SECONDARY is SiteRole.PRIMARY.other
    assert SiteRole.PRIMARY is SiteRole.SECONDARY.other


def test_a_source_reads_as_circular_and_place() -> None:
    source = Source("CD/OEC/HKCC/073/2023", "third paragraph, (ii)")
    assert "CD/OEC/HKCC/073/2023, third paragraph, (ii)" == str(source)


def test_an_endpoint_reads_as_address_and_port() -> None:
    assert "10.152.14.121:10022" == str(Endpoint("10.152.14.121", 10022, "SHA256:aa"))


def test_the_headline_of_a_listing_is_its_count() -> None:
    at = datetime(2023, 4, 14, 21, 0, tzinfo=HONG_KONG)
    reports = (ListedReport("a", 1), ListedReport("b", 0))
    endpoint = Endpoint("127.0.0.1", 22)
    assert 2 == Listing("RRS", SiteRole.PRIMARY, endpoint, at, FRIDAY, reports).count


@pytest.mark.parametrize(
    ("expected", "identity"),
    [
        ("HKCC TP001 of 2023-04-14", ReportIdentity("RRS", "HKCC", "TP001", FRIDAY)),
        (
            "SEOCH TP001 of 2023-04-14 T+1 2",
            ReportIdentity("RRS", "SEOCH", "TP001", FRIDAY, "T+1", "2"),
        ),
    ],
)
def test_a_report_is_told_by_what_it_is(expected: str, identity: ReportIdentity) -> None:
    assert expected == str(identity)


def test_what_tells_two_reports_apart_is_every_part_of_their_identity() -> None:
    one = ReportIdentity("RRS", "HKCC", "TP001", FRIDAY, "T", "1")
    others = [
        attrs.evolve(one, service="SDNET"),
        attrs.evolve(one, house="SEOCH"),
        attrs.evolve(one, code="TP002"),
        attrs.evolve(one, business_date=date(2023, 4, 17)),
        attrs.evolve(one, session=None),
        attrs.evolve(one, instance="2"),
    ]
    assert 7 == len({one, *others})


def test_every_action_says_what_it_is_and_none_can_be_slipped_in() -> None:
    assert all(ACTIONS.values())
    assert isinstance(ACTIONS, MappingProxyType)


def values() -> list[type[attrs.AttrsInstance]]:
    named = [getattr(model, name) for name in model.__all__]
    return [kind for kind in named if isinstance(kind, type) and attrs.has(kind)]


@pytest.mark.parametrize("kind", values(), ids=lambda kind: kind.__name__)
def test_a_value_is_frozen(kind: type[attrs.AttrsInstance]) -> None:
    value = kind.__new__(kind)
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        setattr(value, attrs.fields(kind)[0].name, None)
