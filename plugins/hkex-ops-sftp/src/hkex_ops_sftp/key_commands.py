"""``hkex-ops keys`` and ``hkex-ops hostkeys``: who we are to a server, and who it is to us."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from attrs import evolve
from cyclopts import App, Parameter

from hkex_ops.cli.answer import Answer, ExitCode
from hkex_ops.cli.options import At, Config, Json, Site, Source, config_path, parse_site
from hkex_ops.cli.papers import ask
from hkex_ops.cli.text import say
from hkex_ops.cli.working import Work, work_folder
from hkex_ops.config.settings import load_settings
from hkex_ops.errors import AuthRefused, ConfigError, RemoteError, UsageError
from hkex_ops.flows.outputs import write_over_file
from hkex_ops.flows.overrides import guard_of
from hkex_ops.flows.sources import ConfiguredSource, configured_source
from hkex_ops.model import JsonObject, SiteRole
from hkex_ops.plugins import Plugins
from hkex_ops_sftp.opening import open_sftp
from hkex_ops_sftp.options import SftpAddress, SftpOptions
from hkex_ops_sftp.pins import HostKeyPin, pins_in_file, place_of

if TYPE_CHECKING:
    import asyncssh
    from rich.console import Console

    from hkex_ops_sftp.host_key_lookup import ShownKey

__all__ = ["add", "host_keys_app", "keys_app", "rotate", "show"]

keys_app = App(name="keys", help="The key pair that logs in: shown, and changed for a new one.")
host_keys_app = App(name="hostkeys", help="The host keys of servers: shown, and taken as right.")

RENEWING = "renew-ssh-key"
"""The act that a circular may forbid (RRS circular of 23 March 2023)."""

EXPIRES_SOON_DAYS = 30


# -- keys ------------------------------------------------------------------------------------------


@keys_app.command
def show(
    *, source: Source = None, at: At = None, config: Config = None, json: Json = False
) -> Answer:
    """Show which key logs in, its fingerprints, and the days until it expires.

    Exits 1 when it has expired or will within thirty days, or when a new key waits to be tried.
    """
    configured, options = _source(source, config)
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
    configured, options = _source(source, config)
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
    if next_file(key_file).exists():
        return _try_next(configured, options, parse_site(site, configured.site), asked.at.date())
    return _begin(configured, options, KeyKind(kind), asked.at.date())


def _begin(configured: ConfiguredSource, options: SftpOptions, kind: object, today: date) -> Answer:
    from hkex_ops_sftp.keys import passphrase_of
    from hkex_ops_sftp.rotation import KeyKind, make_next, next_file

    assert options.key_file is not None
    assert isinstance(kind, KeyKind)
    key_file = options.key_file.expanduser()
    comment = f"{options.user} {today.isoformat()}"
    key = make_next(key_file, kind, comment, passphrase_of(key_file, options))
    document = _of_key(key, "made", next_file(key_file))
    days = options.key_active_after_days

    def render(console: Console) -> None:
        say(console, f"a new key is in {document['key_file']}; {key_file} is still the one in use")
        say(console, "hand this public key to the exchange:")
        # In one piece, however narrow the terminal: it is there to be copied.
        console.print(f"  {document['public_key']}", soft_wrap=True, markup=False, highlight=False)
        say(console, f"  {document['sha256']}")
        say(console, f"  {document['md5']}")
        when = f"{days} business days after that" if days else "when it is registered"
        say(console, f"{when}, run hkex-ops keys rotate again to try it")

    return Answer({"source": configured.name, **document}, render)


def _try_next(
    configured: ConfiguredSource, options: SftpOptions, site: SiteRole, today: date
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
        document = _of_key(key, "not-active", following)
        days = options.key_active_after_days
        wait = f"{days} business days after it was handed in" if days else "later"
        told = (
            f"the server does not take {following} yet; {key_file} is still the one in use: try "
            f"again {wait}, or ask the exchange"
        )
        return Answer(
            {"source": configured.name, **document},
            lambda console: say(console, told),
            ExitCode.FINDINGS,
        )
    kept = promote(key_file, today)
    document = {**_of_key(key, "rotated", key_file), "kept": str(kept)}
    told = f"the new key logged in and is now {key_file}; the old one is kept as {kept}"
    return Answer({"source": configured.name, **document}, lambda console: say(console, told))


def _of_key(key: asyncssh.SSHKey, state: str, path: Path) -> JsonObject:
    return {
        "state": state,
        "key_file": str(path),
        "public_key": key.export_public_key().decode().strip(),
        "sha256": key.get_fingerprint("sha256"),
        "md5": key.get_fingerprint("md5"),
    }


# -- host keys -------------------------------------------------------------------------------------


@host_keys_app.command
def add(
    *,
    site: Site = None,
    accept: Annotated[
        tuple[str, ...],
        Parameter(help="A fingerprint from the paper: what shows it is taken, nothing else is."),
    ] = (),
    source: Source = None,
    config: Config = None,
    json: Json = False,
) -> Answer:
    """Show the host keys of a site's addresses, and add those that the paper confirms.

    Each fingerprint is shown in both forms. What --accept names is added to host_keys_file; without
    it nothing is written, and a person at a terminal is asked. Nobody logs in. Exits 1 when an
    address showed no key that is taken as right.
    """
    configured, options = _source(source, config)
    place = parse_site(site, configured.site)
    addresses = options.site(place).addresses

    shown, failed = asyncio.run(_ask(addresses, options.login_timeout_s))
    if failed and not shown:
        raise failed[0]
    path = options.host_keys_file
    known = {
        (one.host, one.port, pin.fingerprint)
        for one in addresses
        for pin in (*one.pins, *(pins_in_file(path, one.host, one.port) if path else ()))
    }
    fresh = [key for key in shown if (key.host, key.port, key.sha256) not in known]
    taken = _accepted(shown, fresh, accept)
    if taken:
        if path is None:
            raise ConfigError(
                "set host_keys_file to the file that host keys are added to, or write them into "
                "host_keys yourself"
            )
        _append(path.expanduser(), taken)
    right = {(key.host, key.port) for key in shown if key not in fresh or key in taken}
    missing = [one for one in addresses if (one.host, one.port) not in right]
    document: JsonObject = {
        "source": configured.name,
        "site": place.value,
        "host_keys": [
            {
                "host": key.host,
                "port": key.port,
                "key_type": key.key_type,
                "sha256": key.sha256,
                "md5": key.md5,
                "state": "added" if key in taken else "new" if key in fresh else "known",
            }
            for key in shown
        ],
        "failures": [str(error) for error in failed],
    }

    def render(console: Console) -> None:
        for key in shown:
            state = "added" if key in taken else "not known" if key in fresh else "known"
            say(console, f"{key.host} port {key.port} {key.key_type}: {state}")
            say(console, f"  {key.sha256}")
            say(console, f"  {key.md5}")
        for error in failed:
            say(console, str(error))
        if fresh and not taken:
            say(console, "compare with the paper, then run again with --accept FINGERPRINT")

    return Answer(document, render, ExitCode.FINDINGS if missing else ExitCode.DONE)


async def _ask(
    addresses: Sequence[SftpAddress], timeout_s: int
) -> tuple[list[ShownKey], list[RemoteError]]:
    """The keys that the addresses show, and why some cannot be asked: one hides no other."""
    from hkex_ops_sftp.host_key_lookup import shown_keys

    found: list[ShownKey] = []
    failed: list[RemoteError] = []
    for address in addresses:
        try:
            found += await shown_keys(address.host, address.port, timeout_s)
        except RemoteError as error:
            failed.append(error)
    return found, failed


def _accepted(
    shown: Sequence[ShownKey], fresh: Sequence[ShownKey], accept: Sequence[str]
) -> list[ShownKey]:
    """Those that somebody confirms: by the fingerprints that were typed, or by answering."""
    if accept:
        seen = {form for key in shown for form in (key.sha256, key.md5)}
        unseen = [one for one in accept if one not in seen]
        if unseen:
            raise UsageError(
                f"no address shows a host key with the fingerprint {unseen[0]}: compare it with "
                "what is shown, and do not connect if the paper says otherwise"
            )
        return [key for key in fresh if {key.sha256, key.md5} & set(accept)]
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return []
    answered: list[ShownKey] = []
    for key in fresh:
        sys.stderr.write(
            f"{key.host} port {key.port} shows {key.key_type}\n  {key.sha256}\n  {key.md5}\n"
            "Does the paper say so? Type yes to add it: "
        )
        sys.stderr.flush()
        if sys.stdin.readline().strip().lower() == "yes":
            answered.append(key)
    return answered


def _append(path: Path, keys: Sequence[ShownKey]) -> None:
    try:
        before = path.read_bytes() if path.exists() else b""
    except OSError as error:
        raise ConfigError(f"host_keys_file {path} cannot be read: {error.strerror}") from error
    if before and not before.endswith(b"\n"):
        before += b"\n"
    lines = "".join(f"{place_of(key.host, key.port)} {key.line}\n" for key in keys)
    write_over_file(path, before + lines.encode())


# -- both ------------------------------------------------------------------------------------------


def _source(name: str | None, config: Path | None) -> tuple[ConfiguredSource, SftpOptions]:
    settings = load_settings(config_path(config))
    plugins = Plugins.load(block=settings.plugins.block)
    configured = configured_source(settings, plugins, name)
    if not isinstance(configured.options, SftpOptions):
        raise UsageError(f"report source {configured.name} is not read over SFTP: name another")
    return configured, configured.options
