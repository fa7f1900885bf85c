"""A small pack of invented work, and a reader of pages that is stricter than a browser."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, datetime
from html.parser import HTMLParser

from attrs import define, field

from hkex_ops.evidence import Head
from hkex_ops.model import (
    HONG_KONG,
    Bound,
    Certainty,
    Circular,
    Effect,
    Endpoint,
    Grade,
    ListedReport,
    Listing,
    Restriction,
    Rollout,
    Session,
    SiteRole,
    Source,
    Window,
)
from hkex_ops.render.pack import Outcome, Pack, PackFile, PackListing, PackStep
from hkex_ops.rundown import Verdict

__all__ = ["Node", "at", "listing", "pack_of", "page_of", "rollout_of", "session", "step"]

PAPER = Source("CD/1/2023", "paragraph 1")
_VOID = {"meta"}


def at(hour: int, minute: int = 0, day: int = 15) -> datetime:
    """An instant of April 2023 in Hong Kong."""
    return datetime(2023, 4, day, hour, minute, tzinfo=HONG_KONG)


def session(name: str, start: datetime, until: datetime, *, rough: bool = False) -> Session:
    """A session at the secondary site; ``rough`` is one whose end the paper only estimates."""
    certainty = Certainty.APPROXIMATE if rough else Certainty.EXACT
    return Session(
        id=name.casefold().replace(" ", "-"),
        name=name,
        kind="connectivity",
        window=Window(Bound(start), Bound(until, certainty)),
        services=("RRS",),
        grade=Grade.OPTIONAL,
        audience=("CP",),
        source=PAPER,
        site=SiteRole.SECONDARY,
    )


def step(id: str, outcome: Outcome, when: datetime | None, found: str = "") -> PackStep:
    """A step of Session 1."""
    return PackStep("session-1", id, f"do {id}", outcome, when, found, PAPER)


def listing(path: str, when: datetime, **sizes: int) -> PackListing:
    """A listing of the secondary site's folder."""
    reports = tuple(ListedReport(name, size) for name, size in sizes.items())
    endpoint = Endpoint("10.152.14.121", 10022)
    seen = Listing("RRS", SiteRole.SECONDARY, endpoint, when, date(2023, 4, 14), reports)
    return PackListing(path, seen)


def rollout_of(*sessions: Session, title: str = "An upgrade") -> Rollout:
    """A rollout with one circular and one restriction."""
    window = Window(Bound(at(0, day=17)), Bound(at(0, day=29)))
    return Rollout(
        id="rrs-2023",
        title=title,
        circulars=(Circular("The paper", "HKCC", PAPER, "CD/1/2023", date(2023, 3, 23)),),
        services=("RRS",),
        audience=("CP",),
        sessions=sessions,
        restrictions=(
            Restriction(
                "no-renewal",
                "renew-ssh-key",
                Effect.PROHIBITED,
                "CPs should NOT renew",
                window,
                ("CP",),
                PAPER,
            ),
        ),
    )


def pack_of(
    *steps: PackStep, rollout: Rollout | None = None, listings: tuple[PackListing, ...] = ()
) -> Pack:
    """A pack with two files beside its listings."""
    passed = all(one.outcome is Outcome.PASSED for one in steps)
    return Pack(
        rollout=rollout or rollout_of(session("Session 1", at(14, 30), at(15, 30))),
        verdict=Verdict.PASSED if passed else Verdict.FAILED,
        steps=steps,
        listings=listings,
        files=(PackFile("events.jsonl", "a" * 64, 1234), PackFile("rundown.json", "b" * 64, 56)),
        head=Head(7, "c" * 64),
        info=(("Bag-Software-Agent", "hkex-ops 0.1.0"),),
    )


@define
class Node:
    """An element of a page; ``content`` is its texts and elements, in the order of the page."""

    tag: str
    attributes: dict[str, str]
    content: list[Node | str] = field(factory=list["Node | str"])

    @property
    def children(self) -> list[Node]:
        """The elements directly in it."""
        return [one for one in self.content if isinstance(one, Node)]

    def all(self, tag: str) -> list[Node]:
        """Every element of that name below this one, in the order of the page."""
        return [one for one in self.walk() if one.tag == tag]

    def walk(self) -> Iterator[Node]:
        """Every element below this one."""
        for child in self.children:
            yield child
            yield from child.walk()

    @property
    def text(self) -> str:
        """Every text in it, spaces squeezed."""
        parts = [one if isinstance(one, str) else one.text for one in self.content]
        return re.sub(r"\s+", " ", " ".join(parts)).strip()


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.root = Node("", {})
        self._open = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        assert len(set(names)) == len(names), f"{tag} states an attribute twice"
        node = Node(tag, {name: value or "" for name, value in attrs})
        self._open[-1].content.append(node)
        if tag not in _VOID:
            self._open.append(node)

    def handle_endtag(self, tag: str) -> None:
        assert tag == self._open.pop().tag, f"{tag} closes what it did not open"

    def handle_data(self, data: str) -> None:
        self._open[-1].content.append(data)


def page_of(html: str) -> Node:
    """The elements of a page; fails where one is not closed in its place."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    assert [reader.root] == reader._open
    return reader.root
