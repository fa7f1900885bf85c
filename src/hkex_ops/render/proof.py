"""The end of a summary: what was listed, which files there are, and how to check them by hand."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from urllib.parse import quote

from hkex_ops.model import Listing
from hkex_ops.render.html import Html, element, join
from hkex_ops.render.pack import Pack
from hkex_ops.render.tables import cell, row_head, table, when
from hkex_ops.reports import compare_folders

__all__ = ["files_section", "link", "listings_section", "verifying_section"]

MOST_NAMES = 12
"""Names that one difference lists; the listing itself holds them all."""

_CHECK = """\
sha256sum -c tagmanifest-sha256.txt
sha256sum -c manifest-sha256.txt
sha256sum tagmanifest-sha256.txt
find data -type f | wc -l
tail -n 1 data/events.jsonl
"""


def listings_section(pack: Pack) -> Iterator[Html]:
    """Every folder listing with its count, and how it differs from the one before."""
    if not pack.listings:
        return
    yield element("h2", "Folder listings")
    rows: list[tuple[Html, ...]] = []
    before: Listing | None = None
    for one in pack.listings:
        seen = one.listing
        where = f"{seen.service}, {seen.site} site, {seen.endpoint}"
        rows.append(
            (
                row_head("Listing", link(one.path)),
                when("Taken", seen.taken_at),
                cell("Where", where),
                cell("Business date", seen.business_date.isoformat(), kind="when"),
                cell("Files", str(seen.count), kind="number"),
                cell("Against the one before", *_differences(seen, before)),
            )
        )
        before = seen
    yield table(
        "Report folders as they were seen, in the order they were seen",
        ("Listing", "Taken", "Where", "Business date", "Files", "Against the one before"),
        rows,
    )


def _differences(now: Listing, before: Listing | None) -> list[str]:
    if before is None:
        return ["the first"]
    found = compare_folders(now, before)
    resized = tuple(name for name, _, _ in found.resized)
    changed_kind = tuple(name for name, _, _ in found.changed_kind)
    told = [
        element("div", f"{len(names)} {word}: {_named(names)}")
        for names, word in (
            (found.appeared, "new"),
            (found.vanished, "gone"),
            (resized, "of another size"),
            (changed_kind, "of another kind"),
        )
        if names
    ]
    return [*told] or ["the same names and sizes"]


def _named(names: Sequence[str]) -> str:
    more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
    return ", ".join(names[:MOST_NAMES]) + more


def files_section(pack: Pack) -> Iterator[Html]:
    """Every file of the pack but this page, which cannot state its own digest."""
    yield element("h2", "Files and digests")
    yield element(
        "p",
        "This page is a file of the pack too. Its own digest stands, with all others, in ",
        element("a", "manifest-sha256.txt", href="../manifest-sha256.txt"),
        ", one folder up.",
    )
    yield table(
        "The files beside this page when it was written",
        ("File", "Bytes", "SHA-256"),
        [
            (
                row_head("File", link(one.path)),
                cell("Bytes", str(one.size_bytes), kind="number"),
                cell("SHA-256", element("code", one.sha256)),
            )
            for one in pack.files
        ],
    )


def link(path: str) -> Html:
    """A link to a file of the pack, which lies beside the page."""
    return element("a", element("code", path), href=quote(path))


def verifying_section(pack: Pack) -> Iterator[Html]:
    """How anyone checks the pack with tools that every system has."""
    yield element("h2", "How to check this pack without our software")
    yield element(
        "p",
        "The pack is a BagIt bag (RFC 8493). In its folder, one above this page, run the commands "
        "below: the first two must answer OK for every line; the third prints the seal, which must "
        "be the one that was told when the pack was closed and is kept elsewhere; the fourth must "
        f"print {len(pack.files) + 1}, or a file was added; and the last line of the events must "
        "bear as its digest the chain's head below, which ",
        element("code", "bag-info.txt"),
        " states as Chain-Head. Each event holds the digest of the one before it, so none can be "
        "changed, removed or put elsewhere alone.",
    )
    yield element("pre", element("code", _CHECK))
    yield element(
        "dl",
        join(
            (
                element("dt", "Chain head"),
                element("dd", element("code", pack.head.digest)),
                element("dt", "Events"),
                element("dd", str(pack.head.sequence)),
            )
        ),
    )
    yield element(
        "p",
        "On macOS write ",
        element("code", "shasum -a 256"),
        " for ",
        element("code", "sha256sum"),
        "; on Windows ",
        element("code", "certutil -hashfile FILE SHA256"),
        " prints the digest of one file. With our software: ",
        element("code", "hkex-ops evidence verify FOLDER"),
        ".",
    )
