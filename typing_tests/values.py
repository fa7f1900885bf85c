"""A caller's file: values are frozen, what may be absent is looked at, a clock can be swapped."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import assert_type

from hkex_ops import Clock, ManualClock, SystemClock
from hkex_ops.errors import Denied
from hkex_ops.model import Bound, Listing, SiteRole, Window


def a_value_is_frozen(window: Window, listing: Listing) -> None:
    window.until = Bound()  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]
    listing.count = 3  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]


def a_bound_may_have_no_instant(bound: Bound) -> None:
    assert_type(bound.at, datetime | None)
    bound.at + timedelta(hours=1)  # type: ignore[operator]  # pyright: ignore[reportOptionalOperand, reportUnusedExpression]


def a_denial_may_have_no_end(denied: Denied) -> None:
    assert_type(denied.until, datetime | None)


def a_site_is_a_role_and_not_a_text() -> SiteRole:
    return "primary"  # type: ignore[return-value]  # pyright: ignore[reportReturnType]


def whoever_knows_the_time_is_a_clock() -> list[Clock]:
    class Stopped:
        def now(self) -> datetime:
            raise NotImplementedError

    return [SystemClock(), Stopped()]


def a_clock_cannot_be_turned_unless_it_is_manual(clock: Clock, manual: ManualClock) -> None:
    manual.advance(timedelta(hours=1))
    clock.advance(timedelta(hours=1))  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
