"""How the reports of a business date stand: expected against held, one state for each.

What is held comes from the ledger, what the server shows from the last listing. A report that has
parts is held when every part is. Nothing here looks at modification times.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from enum import StrEnum

from attrs import Factory, define, frozen

from hkex_ops.calendars import TimeOfDay
from hkex_ops.model import HONG_KONG, ReportIdentity
from hkex_ops.reports.cadence import Cadence
from hkex_ops.reports.catalogue import Catalogue, NameReading
from hkex_ops.reports.expected import ExpectedReport

__all__ = ["HeldReport", "ReportStanding", "ReportState", "stand"]


class ReportState(StrEnum):
    """How a report of a business date stands."""

    EXPECTED = "expected"  # not due yet
    HELD = "held"
    LATE = "late"  # past its cut-off, within its grace
    MISSING = "missing"  # past its grace
    NOT_PRODUCED = "not-produced"  # past its grace, and "if applicable"
    UNEXPECTED = "unexpected"  # held, and nothing says that it comes
    CHANGED = "changed"  # held in several versions
    DUPLICATED = "duplicated"  # held under several names


@frozen
class HeldReport:
    """A file that is held: what its name means, and the version of it."""

    name: str
    reading: NameReading
    version: int
    sha256: str
    fetched_at: datetime


@frozen
class ReportStanding:
    """One report and how it stands.

    ``expected`` is unknown for what nothing expects, ``identity`` for what is not held at all.
    ``missing_parts`` are those of a set that is not whole; ``on_server`` says that the last listing
    showed a file of it that is not held.
    """

    state: ReportState
    expected: ExpectedReport | None = None
    identity: ReportIdentity | None = None
    names: tuple[str, ...] = ()
    versions: int = 0
    missing_parts: tuple[str, ...] = ()
    on_server: bool = False
    fetched_at: datetime | None = None

    @property
    def session(self) -> str | None:
        """The session it is of, as the catalogue or its name says."""
        if self.expected is not None and self.expected.session is not None:
            return self.expected.session
        return None if self.identity is None else self.identity.session

    def __str__(self) -> str:
        what = str(self.identity if self.expected is None else self.expected)
        match self.state:
            case ReportState.MISSING if self.missing_parts:
                return f"{what}: the set is not whole, {' and '.join(self.missing_parts)} missing"
            case ReportState.MISSING if self.on_server:
                return f"{what}: is on the server and not held, fetch it"
            case ReportState.CHANGED:
                return f"{what}: {self.versions} versions of {', '.join(self.names)}"
            case ReportState.DUPLICATED:
                return f"{what}: under several names, {', '.join(self.names)}"
            case state:
                return f"{what}: {state.value}"


@define
class _Holding:
    """Everything held of one identity."""

    identity: ReportIdentity
    files: list[HeldReport] = Factory(list[HeldReport])

    @property
    def parts(self) -> set[str | None]:
        return {one.reading.part for one in self.files}

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(one.name for one in self.files))

    @property
    def versions(self) -> int:
        return max(one.version for one in self.files)

    @property
    def state(self) -> ReportState:
        names_of: dict[str | None, set[str]] = {}
        for one in self.files:
            names_of.setdefault(one.reading.part, set()).add(one.name)
        if any(len(names) > 1 for names in names_of.values()):
            return ReportState.DUPLICATED
        return ReportState.CHANGED if self.versions > 1 else ReportState.HELD

    @property
    def fetched_at(self) -> datetime:
        return max(one.fetched_at for one in self.files)


def stand(
    expected: Sequence[ExpectedReport],
    held: Iterable[HeldReport],
    catalogue: Catalogue,
    now: datetime,
    *,
    listed: Iterable[NameReading] = (),
) -> tuple[ReportStanding, ...]:
    """Each report of a business date with its state at ``now``: the expected ones in their order,
    then what else is held.

    ``listed`` is what the server last showed of that date.
    """
    holdings: dict[ReportIdentity, _Holding] = {}
    for one in held:
        identity = one.reading.identity
        holdings.setdefault(identity, _Holding(identity)).files.append(one)
    shown = {(one.identity, one.part) for one in listed}
    unheld = {
        identity
        for identity, part in shown
        if identity not in holdings or part not in holdings[identity].parts
    }
    given = _assigned(expected, [*holdings, *(one for one in unheld if one not in holdings)])
    found = [
        _standing(one, given.get(place), holdings, unheld, now)
        for place, one in enumerate(expected)
    ]
    taken = set(given.values())
    rest = [holding for identity, holding in holdings.items() if identity not in taken]
    return (*found, *(_left_over(one, catalogue) for one in rest))


def _standing(
    one: ExpectedReport,
    identity: ReportIdentity | None,
    holdings: Mapping[ReportIdentity, _Holding],
    unheld: set[ReportIdentity],
    now: datetime,
) -> ReportStanding:
    holding = None if identity is None else holdings.get(identity)
    parts = set(one.parts)
    missing = tuple(part for part in one.parts if holding is not None and part not in holding.parts)
    if holding is not None and not missing:
        return ReportStanding(
            holding.state,
            one,
            identity,
            holding.names,
            holding.versions,
            fetched_at=holding.fetched_at,
        )
    if now < one.due_at:
        state = ReportState.EXPECTED
    elif now < one.missing_at:
        state = ReportState.LATE
    elif one.if_applicable and holding is None and identity not in unheld:
        state = ReportState.NOT_PRODUCED
    else:
        state = ReportState.MISSING
    return ReportStanding(
        state,
        one,
        identity,
        () if holding is None else holding.names,
        missing_parts=missing if parts else (),
        on_server=identity in unheld,
    )


def _left_over(holding: _Holding, catalogue: Catalogue) -> ReportStanding:
    state = holding.state
    if state is ReportState.HELD and not _may_come(holding, catalogue):
        state = ReportState.UNEXPECTED
    return ReportStanding(
        state,
        None,
        holding.identity,
        holding.names,
        holding.versions,
        fetched_at=holding.fetched_at,
    )


def _may_come(holding: _Holding, catalogue: Catalogue) -> bool:
    """Whether the catalogue says that such a report comes when it comes, or says nothing."""
    identity = holding.identity
    rule = holding.files[0].reading.rule
    return not rule.due or any(
        due.on is Cadence.UNSCHEDULED
        and (not due.codes or identity.code in due.codes)
        and (not due.houses or identity.house in due.houses)
        for due in rule.due
    )


# -- which of what is held is which of what is expected -------------------------------------------


def _assigned(
    expected: Sequence[ExpectedReport], identities: Iterable[ReportIdentity]
) -> dict[int, ReportIdentity]:
    """What each expected report, by its place, is matched with.

    Sets of a day are gone through in the order of their times and each takes the earliest that is
    left and near enough: as their windows are alike, no other choice would match more.
    """
    left = sorted(identities, key=lambda one: (one.instance or "", one.session or ""))
    given: dict[int, ReportIdentity] = {}
    # Those that say most go first: what names a session or an instance leaves the rest to others.
    places = sorted(range(len(expected)), key=lambda place: (_vagueness(expected[place]), place))
    for place in places:
        found = next(iter(_fitting(expected[place], left)), None)
        if found is not None:
            given[place] = found
            left.remove(found)
    return given


def _vagueness(one: ExpectedReport) -> int:
    return (one.session is None) + (one.instance is None)


def _fitting(one: ExpectedReport, identities: Iterable[ReportIdentity]) -> Iterator[ReportIdentity]:
    for identity in identities:
        if (identity.service, identity.house, identity.code, identity.business_date) != (
            one.service,
            one.house,
            one.code,
            one.business_date,
        ):
            continue
        if one.session is not None and identity.session not in (None, one.session):
            continue
        if one.session is None and identity.session is not None and one.instance is None:
            # A rule whose names tell the session and whose cadence does not: any session fits.
            yield identity
            continue
        if _instance_fits(one, identity):
            yield identity


def _instance_fits(one: ExpectedReport, identity: ReportIdentity) -> bool:
    if one.instance is None or identity.instance is None:
        return True
    if one.earliest is None or one.latest is None:
        return identity.instance == one.instance
    return any(
        one.earliest <= at <= one.latest for at in _times(identity.instance, one.business_date)
    )


def _times(instance: str, day: date) -> Iterator[datetime]:
    """The instants that a name's ``hhmm`` or ``hhmmss`` may mean: of the day, or after midnight."""
    if not instance.isdigit() or len(instance) not in (4, 6):
        return
    hour, minute, second = int(instance[:2]), int(instance[2:4]), int(instance[4:] or 0)
    if hour > 23 or minute > 59 or second > 59:
        return
    at = TimeOfDay(hour * 60 + minute).on(day).astimezone(HONG_KONG) + timedelta(seconds=second)
    yield at
    yield at + timedelta(days=1)
