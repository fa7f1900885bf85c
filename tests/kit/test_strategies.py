"""A strategy for every value of the model, made from its class."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

import attrs
import pytest
from hypothesis import HealthCheck, given, settings

from hkex_ops import model
from hkex_ops.model import Notification
from hkex_ops.testing.strategies import aware_datetimes, decimals, texts, values_of

NOUNS = [
    kind
    for name in model.__all__
    if isinstance(kind := getattr(model, name), type)
    and (attrs.has(kind) or hasattr(kind, "_fields"))
]


def test_the_model_has_nouns() -> None:
    assert {"Rollout", "IndexTick", "ClearingTrade", "Notification"} <= {
        kind.__name__ for kind in NOUNS
    }


@pytest.mark.parametrize("kind", NOUNS, ids=lambda kind: kind.__name__)
def test_values_of_every_noun_are_drawn(kind: type[object]) -> None:
    @settings(max_examples=3, deadline=None, suppress_health_check=list(HealthCheck))
    @given(values_of(kind))
    def drawn(value: object) -> None:
        assert isinstance(value, kind)

    drawn()


@given(aware_datetimes(), decimals(), texts())
def test_what_is_drawn_is_of_the_house(instant: datetime, number: Decimal, text: str) -> None:
    assert timedelta(hours=8) == instant.utcoffset()
    assert number.is_finite()
    assert text.isprintable()


def test_a_class_of_which_nothing_is_known_is_told() -> None:
    @attrs.frozen
    class Odd:
        socket: complex

    with pytest.raises(TypeError, match="nothing is known of complex"):
        values_of(Odd).validate()


def test_what_is_drawn_differs() -> None:
    subjects: set[str] = set()

    @settings(max_examples=20, suppress_health_check=list(HealthCheck))
    @given(values_of(Notification))
    def drawn(value: Notification) -> None:
        subjects.add(value.subject)

    drawn()
    assert len(subjects) > 3
