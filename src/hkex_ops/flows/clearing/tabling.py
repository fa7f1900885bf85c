"""What a gateway holds brought to the disk: as tables for a person, or as one side of a comparison.

A run writes every table that it was asked for, or none. The session is over before anything is
written under its name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from datetime import date
from pathlib import Path

from attrs import frozen

from hkex_ops.clearing.answers import AnswerMapping
from hkex_ops.clearing.lines import LineForm, Placed
from hkex_ops.clearing.rules import MatchRules
from hkex_ops.errors import ConfigError, Rejected
from hkex_ops.flows.clearing.fetching import Fetched, fetch_records
from hkex_ops.flows.clearing.gateways import ConfiguredGateway
from hkex_ops.flows.clearing.reconciling import Book
from hkex_ops.flows.clearing.spool import sha256_of, written_lines
from hkex_ops.flows.clearing.tables import record_table
from hkex_ops.flows.store.disk import translating
from hkex_ops.model import RecordKind, SiteRole

__all__ = ["Table", "fetch_book", "fetch_list", "fetch_tables", "live_columns", "require_mappings"]

Mappings = Mapping[RecordKind, Sequence[AnswerMapping]]


@frozen
class Table:
    """One table that was written, and its SHA-256."""

    fetched: Fetched
    path: Path
    sha256: str


async def fetch_tables(
    configured: ConfiguredGateway,
    site: SiteRole,
    mappings: Mappings,
    kinds: Sequence[RecordKind],
    folder: Path,
    ending: str,
    business_date: date | None = None,
) -> tuple[Table, ...]:
    """Ask for each of ``kinds`` and write ``KIND-BUSINESS_DATE`` with ``ending`` into ``folder``.

    Raises as `fetch_records` and `record_table` do; nothing is written then.
    """
    for kind in kinds:
        require_mappings(mappings, kind)
    with ExitStack() as stack:
        fetched_to: list[tuple[Fetched, Path]] = []
        async with configured.open(site) as gateway:
            status = await gateway.status()
            day = business_date or status.business_date
            if day is None:
                raise Rejected(
                    f"gateway {status.gateway} does not tell its business date: give "
                    "--business-date"
                )
            for kind in kinds:
                path = folder / f"{kind}-{day.isoformat()}{ending}"
                take = stack.enter_context(record_table(path, kind))
                fetched = await fetch_records(gateway, mappings[kind], kind, take, day)
                fetched_to.append((fetched, path))
    return tuple(Table(fetched, path, sha256_of(path)) for fetched, path in fetched_to)


async def fetch_book(
    configured: ConfiguredGateway,
    site: SiteRole,
    mappings: Sequence[AnswerMapping],
    rules: MatchRules,
    folder: Path,
    business_date: date | None = None,
) -> tuple[Book, Fetched]:
    """One side of a comparison, as the gateway has it; its lines are kept in ``folder``."""
    form, path = LineForm(rules), folder / "live.lines"
    with (
        translating(path, "write temporary lines"),
        path.open("w", encoding="utf-8", newline="\n") as file,
    ):
        async with configured.open(site) as gateway:
            fetched = await fetch_records(
                gateway,
                mappings,
                rules.kind,
                lambda placed: file.write(form.line(*placed)),
                business_date,
            )
    return Book(map(form.placed, written_lines(path)), fetched.document()), fetched


async def fetch_list(
    configured: ConfiguredGateway,
    site: SiteRole,
    mappings: Sequence[AnswerMapping],
    kind: RecordKind,
    since: date,
) -> tuple[list[Placed], Fetched]:
    """The records of ``kind`` since a date, as a list: for what people put in, and no machine."""
    placed: list[Placed] = []
    async with configured.open(site) as gateway:
        fetched = await fetch_records(gateway, mappings, kind, placed.append, since=since)
    return placed, fetched


def require_mappings(mappings: Mappings, kind: RecordKind) -> Sequence[AnswerMapping]:
    """The enquiries that bring ``kind``; `ConfigError` when none is declared."""
    declared = mappings.get(kind)
    if not declared:
        raise ConfigError(
            f"no enquiry is declared that brings {kind}: write one as [[{kind}]] in the file that "
            "[clearing] names as answers"
        )
    return declared


def live_columns(mappings: Sequence[AnswerMapping]) -> tuple[str, ...]:
    """The columns that every one of the enquiries brings."""
    common = set(mappings[0].records.stated).intersection(*(one.records.stated for one in mappings))
    return tuple(name for name in mappings[0].records.stated if name in common)
