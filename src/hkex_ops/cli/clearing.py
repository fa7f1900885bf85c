"""``hkex-ops clearing``: check the gateways, fetch what they hold; each a thin front of a flow."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter
from rich.console import Console

from hkex_ops.cli.answer import Answer, ExitCode
from hkex_ops.cli.clearing_desk import (
    BusinessDay,
    ClearingDesk,
    DryRun,
    EvidenceFolderOption,
    Gateway,
    clearing_desk,
    evidence_document,
    parse_business_day,
    say_evidence,
)
from hkex_ops.cli.evidence import shown_path
from hkex_ops.cli.options import At, Config, Json, Site, Verbose
from hkex_ops.cli.text import say, say_count
from hkex_ops.flows.clearing.checking import GatewayCheck, check_gateways
from hkex_ops.flows.clearing.gateways import stated_gateways
from hkex_ops.flows.clearing.tabling import Table, fetch_tables, require_mappings
from hkex_ops.model import JsonObject, RecordKind, SiteRole, plain

__all__ = ["check", "fetch"]

FETCHED = (RecordKind.TRADES, RecordKind.POSITIONS)


# -- check ---------------------------------------------------------------------------------------


def check(
    *,
    site: Site = None,
    gateway: Gateway = None,
    evidence: EvidenceFolderOption = None,
    dry_run: DryRun = False,
    at: At = None,
    config: Config = None,
    verbose: Verbose = False,
    json: Json = False,
) -> Answer:
    """Log in at each gateway of a site, look, log out; keep evidence of it.

    The gateways are those of the configuration, held against those that the papers name at the
    time. Each tells its user code, its business date and the days to password expiry. Only
    enquiries are made. Exits 1 when a gateway could not be logged in to or anything else wants a
    person's eye.
    """
    desk = clearing_desk(config, gateway, at, verbose=verbose, as_json=json)
    place = desk.site(site)
    named = stated_gateways(desk.rollouts, desk.configured.service, desk.at)
    if dry_run:
        return _would_check(desk, place)
    with desk.proving("check", evidence) as proof:
        checks = asyncio.run(
            check_gateways(
                desk.configured,
                place,
                named,
                desk.clock,
                expiry_warning_days=desk.settings.clearing.expiry_warning_days,
            )
        )
    for one in checks:
        proof.event("gateway-checked", _check(one))
        proof.decisions(one.gateway, one.decisions)
    outcome = "passed" if all(one.passed for one in checks) else "findings"
    document: JsonObject = {
        "service": desk.configured.service,
        "site": place.value,
        "at": desk.at.isoformat(),
        "outcome": outcome,
        "gateways": [_check(one) for one in checks],
    }
    proof.file("check.json", document)
    packed = desk.keep(proof)

    def render(console: Console) -> None:
        _render_check(place, checks, console)
        say_evidence(packed, console)

    return Answer(
        {**document, "evidence": evidence_document(packed)},
        render,
        ExitCode.DONE if outcome == "passed" else ExitCode.FINDINGS,
    )


def _would_check(desk: ClearingDesk, site: SiteRole) -> Answer:
    addresses = [str(one) for one in desk.configured.addresses(site)]
    named = stated_gateways(desk.rollouts, desk.configured.service, desk.at)

    def render(console: Console) -> None:
        say(console, f"would log in at the {site} site: {', '.join(addresses) or 'unknown'}")
        for one in named:
            say(console, f"{one.host} ({one.source})", lead="  named by the papers: ")

    document: JsonObject = {
        "service": desk.configured.service,
        "site": site.value,
        "at": desk.at.isoformat(),
        "outcome": "dry-run",
        "gateways": addresses,
        "stated": [{"host": one.host, "source": str(one.source)} for one in named],
    }
    return Answer(document, render)


def _check(check: GatewayCheck) -> JsonObject:
    status = check.status
    return {
        "gateway": check.gateway,
        "stated": check.stated,
        "outcome": "passed" if check.passed else "failed" if check.error else "findings",
        "logged_in_at": plain(check.logged_in_at),
        "logged_out_at": plain(check.logged_out_at),
        "user_code": status.user_code if status else None,
        "business_date": plain(status.business_date) if status else None,
        "facility_base": status.facility_base if status else None,
        "central_version": status.central_version if status else None,
        "days_to_password_expiry": status.days_to_password_expiry if status else None,
        "password_change": status.password_change.value if status else None,
        "error": check.error or None,
        "findings": list(check.findings),
    }


def _render_check(site: SiteRole, checks: Sequence[GatewayCheck], console: Console) -> None:
    from rich.table import Table as Grid

    grid = Grid(box=None, pad_edge=False, header_style="")
    for column in ("gateway", "outcome", "user", "business date", "password expires"):
        grid.add_column(column)
    for one in checks:
        status = one.status
        days = status.days_to_password_expiry if status else None
        grid.add_row(
            one.gateway,
            str(_check(one)["outcome"]),
            (status.user_code if status else "") or "-",
            str(status.business_date) if status and status.business_date else "-",
            "-" if days is None else f"in {say_count(days, 'day')}",
        )
    well = sum(one.passed for one in checks)
    say(console, f"{well} of {len(checks)} gateways of the {site} site passed")
    console.print(grid)
    for one in checks:
        for sentence in (*([one.error] if one.error else []), *one.findings):
            say(console, sentence, lead=f"  {one.gateway}: ")


# -- fetch ---------------------------------------------------------------------------------------


def fetch(
    *,
    kind: Annotated[
        tuple[RecordKind, ...],
        Parameter(help="What to fetch, several times; trades and positions."),
    ] = (),
    out: Annotated[Path, Parameter(help="Folder for the tables, which must be there.")] = Path(),
    format: Annotated[
        Literal["csv", "parquet"], Parameter(help="Parquet takes the extra data (DuckDB).")
    ] = "csv",
    business_date: BusinessDay = None,
    site: Site = None,
    gateway: Gateway = None,
    evidence: EvidenceFolderOption = None,
    dry_run: DryRun = False,
    at: At = None,
    config: Config = None,
    verbose: Verbose = False,
    json: Json = False,
) -> Answer:
    """Fetch trades and positions from a gateway, as KIND-BUSINESS_DATE.csv.

    A table is written when every enquiry was answered to its last page, and not at all otherwise;
    of several kinds either all are written or none. Nothing is ever overwritten.
    """
    desk = clearing_desk(config, gateway, at, verbose=verbose, as_json=json)
    place, kinds = desk.site(site), tuple(dict.fromkeys(kind)) or FETCHED
    mappings, day = desk.answers(), parse_business_day(business_date)
    if dry_run:
        codes = {one: [it.enquiry for it in require_mappings(mappings, one)] for one in kinds}
        return _would_fetch(desk, place, codes)
    with desk.proving("fetch", evidence) as proof:
        tables = asyncio.run(
            fetch_tables(desk.configured, place, mappings, kinds, out, f".{format}", day)
        )
    for one in tables:
        proof.event("records-fetched", _table(one))
    proof.decisions(str(tables[0].fetched.gateway), desk.configured.decided)
    packed = desk.keep(proof)

    def render(console: Console) -> None:
        for one in tables:
            found, path = one.fetched, shown_path(one.path)
            say(
                console,
                f"{found.rows} {found.kind} of {found.business_date} from {found.gateway}: {path}",
            )
        say_evidence(packed, console)

    return Answer(
        {
            "service": desk.configured.service,
            "site": place.value,
            "tables": [_table(one) for one in tables],
            "evidence": evidence_document(packed),
        },
        render,
    )


def _table(table: Table) -> JsonObject:
    fetched = table.fetched
    return {
        "kind": fetched.kind.value,
        "file": str(table.path),
        "sha256": table.sha256,
        **fetched.document(),
    }


def _would_fetch(desk: ClearingDesk, site: SiteRole, codes: dict[RecordKind, list[str]]) -> Answer:
    def render(console: Console) -> None:
        say(console, f"would ask the {site} site of {desk.configured.name}:")
        for kind, enquiries in codes.items():
            say(console, ", ".join(enquiries), lead=f"  {kind}: ")

    document: JsonObject = {
        "service": desk.configured.service,
        "site": site.value,
        "outcome": "dry-run",
        "enquiries": {kind.value: list(enquiries) for kind, enquiries in codes.items()},
    }
    return Answer(document, render)
