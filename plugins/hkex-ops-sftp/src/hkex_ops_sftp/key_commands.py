"""``hkex-ops keys``: the key pair that logs in, shown and changed for a new one."""

from __future__ import annotations

import asyncio
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from attrs import evolve
from cyclopts import App, Parameter

from hkex_ops.calendars import Calendar
from hkex_ops.cli.answer import Answer, ExitCode
from hkex_ops.cli.options import (
    At,
    Config,
    Json,
    Site,
    Source,
    calendar_of,
    config_path,
    parse_site,
)
from hkex_ops.cli.papers import ask
from hkex_ops.cli.text import say
from hkex_ops.cli.working import Work, work_folder
from hkex_ops.config.settings import load_settings
from hkex_ops.errors import AuthRefused, OutsideCalendar, UsageError
from hkex_ops.flows.overrides import guard_of
from hkex_ops.flows.sources import ConfiguredSource
from hkex_ops.model import JsonObject, SiteRole
from hkex_ops_sftp.configured import sftp_source
from hkex_ops_sftp.opening import open_sftp
from hkex_ops_sftp.options import SftpOptions
from hkex_ops_sftp.pins import HostKeyPin

if TYPE_CHECKING:
    import asyncssh
    from rich.console import Console

__all__ = ["keys_app", "rotate", "show"]

keys_app = App(name="keys", help="The key pair that logs in: shown, and changed for a new one.")

RENEWING = "renew-ssh-key"
"""The act that a circular may forbid (RRS circular of 23 March 2023)."""

EXPIRES_SOON_DAYS = 30


@keys_app.command
def show(
    *, source: Source = None, at: At = None, config: Config = None, json: Json = False
) -> Answer:
    """Show which key logs in, its fingerprints, and the days until it expires.

    Exits 1 when it has expired or will within thirty days, or when a new key waits to be tried.
    """
    configured, options = sftp_source(source, config)
    today = ask(at, None, None, config).at.date()
    document = _shown(configured, options, today)
    days = document["days_to_expiry"]
    findings = (isinstance(days, int) and days <= EXPIRES_SOON_DAYS) or document["next"] is not None
    code = ExitCode.FINDINGS if findings else ExitCode.DONE
    return Answer(document, lambda console: _say_key(document, console), code)


def _shown(configured: ConfiguredSource, options: SftpOptions, today: date) -> JsonObject:
    from hkex_ops_sftp.keys import read_key
    from hkex_ops_sftp.rotation import next_file

    document: JsonObject = {
        "source": configured.name,
        "user": options.user,
        "key_file": None if options.key_file is None else str(options.key_file),
        "held_by": "agent" if options.key_file is None else "file",
        "sha256": None,
        "md5": None,
        "expires": None if options.key_expires is None else options.key_expires.isoformat(),
        "days_to_expiry": None
        if options.key_expires is None
        else (options.key_expires - today).days,
        "next": None,
    }
    if options.key_file is None:
        assert options.agent_key is not None
        return {**document, "sha256": HostKeyPin.parse(options.agent_key).fingerprint}
    key = read_key(options.key_file, options)
    following = next_file(options.key_file.expanduser())
    return {
        **document,
        "sha256": key.get_fingerprint("sha256"),
        "md5": key.get_fingerprint("md5"),
        "next": str(following) if following.exists() else None,
    }


def _say_key(document: JsonObject, console: Console) -> None:
    where = document["key_file"] or "the key agent"
    say(console, f"{document['user']} logs in to {document['source']} with {where}")
    for form in ("sha256", "md5"):
        if document[form]:
            say(console, f"  {document[form]}")
    days = document["days_to_expiry"]
    if days is None:
        say(console, "  when it expires is not configured (key_expires)")
    elif isinstance(days, int) and days < 0:
        say(console, f"  expired on {document['expires']}, {-days} days ago")
    else:
        say(console, f"  expires on {document['expires']}, in {days} days")
    if document["next"]:
        say(console, f"  {document['next']} waits to be tried: hkex-ops keys rotate")


@keys_app.command
def rotate(
    *,
    kind: Annotated[
        str, Parameter(help="ed25519 or rsa-4096, whichever the exchange takes.")
    ] = "ed25519",
    abandon: Annotated[
        bool, Parameter(negative="", help="Drop the new key that waits, and stay with the old one.")
    ] = False,
    site: Site = None,
    source: Source = None,
    work: Work = None,
    config: Config = None,
    json: Json = False,
) -> Answer:
    """Change the key pair: make a new one, and take it once it has logged in.

    The first run makes KEY.next beside the key and prints the public key to hand to the exchange.
    A later run logs in with it; if the server takes it, it becomes the key, and the old one is
    kept under another name. Nothing is removed. Exits 3 while a circular forbids it, and 1 while
    the new key is not active yet.
    """
    from hkex_ops_sftp.rotation import KeyKind, abandon as drop, next_file

    if kind not in list(KeyKind):
        raise UsageError(f"there is no kind of key {kind!r}: write {' or '.join(KeyKind)}")
    configured, options = sftp_source(source, config)
    if options.key_file is None:
        raise UsageError("the key agent holds the key: change it there, and then agent_key")
    key_file = options.key_file.expanduser()
    if abandon:
        found = drop(key_file)
        told = f"{next_file(key_file)} is removed" if found else "no new key waits"
        return Answer(
            {"state": "abandoned" if found else "none"}, lambda console: say(console, told)
        )
    asked = ask(None, None, None, config)
    folder = work_folder(work, load_settings(config_path(config)))
    guard_of(asked.rollouts, folder).require(RENEWING, asked.at)
    calendar = calendar_of(config)
    if next_file(key_file).exists():
        place = parse_site(site, configured.site)
        return _try_next(configured, options, place, asked.at.date(), calendar)
    return _begin(configured, options, KeyKind(kind), asked.at.date(), calendar)


def _active_from(options: SftpOptions, handed_in: date | None, calendar: Calendar) -> date | None:
    """From which day on a key is active that was handed in on a day; nothing where it is open."""
    if handed_in is None or not options.key_active_after_days:
        return None
    day = handed_in
    try:
        for _ in range(options.key_active_after_days):
            day = calendar.next_business_day(day)
    except OutsideCalendar:
        return None
    return day


def _begin(
    configured: ConfiguredSource,
    options: SftpOptions,
    kind: object,
    today: date,
    calendar: Calendar,
) -> Answer:
    from hkex_ops_sftp.keys import passphrase_of, read_key
    from hkex_ops_sftp.rotation import KeyKind, make_next, next_file, settle

    assert options.key_file is not None
    assert isinstance(kind, KeyKind)
    key_file = options.key_file.expanduser()
    settle(key_file, lambda: read_key(key_file, options).export_public_key())
    comment = f"{options.user} {today.isoformat()}"
    key = make_next(key_file, kind, comment, passphrase_of(key_file, options))
    active = _active_from(options, today, calendar)
    document = _of_key(key, "made", next_file(key_file), active)

    def render(console: Console) -> None:
        say(console, f"a new key is in {document['key_file']}; {key_file} is still the one in use")
        say(console, "hand this public key to the exchange:")
        # In one piece, however narrow the terminal: it is there to be copied.
        console.print(f"  {document['public_key']}", soft_wrap=True, markup=False, highlight=False)
        say(console, f"  {document['sha256']}")
        say(console, f"  {document['md5']}")
        again = "run hkex-ops keys rotate again to try it"
        if active is None:
            say(console, f"when it is registered, {again}")
        else:
            say(console, f"handed in today it is active from {active:%a %Y-%m-%d} on: then {again}")

    return Answer({"source": configured.name, **document}, render)


def _try_next(
    configured: ConfiguredSource,
    options: SftpOptions,
    site: SiteRole,
    today: date,
    calendar: Calendar,
) -> Answer:
    from hkex_ops_sftp.keys import read_key
    from hkex_ops_sftp.rotation import next_file, promote

    assert options.key_file is not None
    key_file = options.key_file.expanduser()
    following = next_file(key_file)
    key = read_key(following, options)

    async def _log_in() -> None:
        async with open_sftp(evolve(options, key_file=following), site):
            pass

    try:
        asyncio.run(_log_in())
    except AuthRefused:
        made = _made_on(key)
        active = _active_from(options, made, calendar)
        document = _of_key(key, "not-active", following, active)
        told = (
            f"the server does not take {following} yet; {key_file} is still the one in use: try "
            "again later, or ask the exchange"
        )
        if active is not None:
            told += f". Handed in on {made}, when it was made, it is active from {active} on"
        return Answer(
            {"source": configured.name, **document},
            lambda console: say(console, told),
            ExitCode.FINDINGS,
        )
    kept = promote(key_file, today)
    document = {**_of_key(key, "rotated", key_file, None), "kept": str(kept)}
    told = f"the new key logged in and is now {key_file}; the old one is kept as {kept}"
    return Answer({"source": configured.name, **document}, lambda console: say(console, told))


def _made_on(key: asyncssh.SSHKey) -> date | None:
    """The day that a key's comment ends with; one made elsewhere tells none."""
    try:
        return date.fromisoformat((key.get_comment() or "").rpartition(" ")[2])
    except ValueError:
        return None


def _of_key(key: asyncssh.SSHKey, state: str, path: Path, active: date | None) -> JsonObject:
    return {
        "state": state,
        "key_file": str(path),
        "public_key": key.export_public_key().decode().strip(),
        "sha256": key.get_fingerprint("sha256"),
        "md5": key.get_fingerprint("md5"),
        "active_from": None if active is None else active.isoformat(),
    }
