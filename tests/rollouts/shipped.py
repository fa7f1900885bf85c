"""Every shipped rollout, and instants of the years they speak of."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from hypothesis import strategies as st

from hkex_ops.config.shipped import load_rollouts
from hkex_ops.model import HONG_KONG, Rollout
from tests.rollouts.papers import CALENDAR

__all__ = ["SHIPPED", "at", "instants"]

SHIPPED: Mapping[str, Rollout] = load_rollouts(CALENDAR)

_EARLIEST = datetime(2019, 1, 1, tzinfo=HONG_KONG)
_LATEST = datetime(2024, 6, 1, tzinfo=HONG_KONG)


def at(text: str) -> datetime:
    """An instant in Hong Kong."""
    return datetime.fromisoformat(text).replace(tzinfo=HONG_KONG)


def _edges() -> list[datetime]:
    """Every instant that a shipped paper states, where answers change."""
    bounds = [
        bound.at
        for rollout in SHIPPED.values()
        for window in (
            *(one.window for one in rollout.phases),
            *(one.window for one in rollout.sessions),
            *(one.window for one in rollout.restrictions),
            *(one.window for one in rollout.requirements),
        )
        for bound in (window.start, window.until)
        if bound.at is not None
    ]
    return sorted(set(bounds))


def instants() -> st.SearchStrategy[datetime]:
    """Any minute of those years, and every stated instant with the ones beside it."""
    minutes = (_LATEST - _EARLIEST) // timedelta(minutes=1)
    anywhere = st.integers(0, minutes).map(lambda n: _EARLIEST + timedelta(minutes=n))
    beside = st.builds(
        lambda edge, ticks: edge + timedelta(microseconds=ticks),
        st.sampled_from(_edges()),
        st.integers(-1, 1),
    )
    return anywhere | beside
