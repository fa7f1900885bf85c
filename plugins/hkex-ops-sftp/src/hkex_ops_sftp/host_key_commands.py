"""``hkex-ops hostkeys``: what servers show, held against what is pinned, and taken as right."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from attrs import frozen
from cyclopts import App, Parameter

from hkex_ops.cli.answer import Answer, ExitCode
from hkex_ops.cli.options import Config, Json, Site, Source, parse_site
from hkex_ops.cli.text import say
from hkex_ops.errors import ConfigError, RemoteError, UsageError
from hkex_ops.flows.outputs import write_over_file
from hkex_ops.model import JsonObject
from hkex_ops_sftp.configured import sftp_source
from hkex_ops_sftp.options import SftpAddress, SftpOptions
from hkex_ops_sftp.pins import HostKeyPin, pins_in_file, place_of

if TYPE_CHECKING:
    from rich.console import Console

    from hkex_ops_sftp.host_key_lookup import ShownKey

__all__ = ["add", "host_keys_app"]

host_keys_app = App(name="hostkeys", help="The host keys of servers: shown, and taken as right.")


@frozen
class _Judged:
    """A key that an address shows, and what is pinned there in its stead.

    ``others`` are pinned for the address, of this type or of one that is not told, and the address
    shows none of them.
    """

    key: ShownKey
    is_pinned: bool
    others: tuple[HostKeyPin, ...]

    def state(self, taken: Sequence[_Judged]) -> str:
        """One word for it."""
        if self in taken:
            return "added"
        if self.is_pinned:
            return "known"
        return "changed" if self.others else "new"


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
    it nothing is written, and a person at a terminal is asked. Nobody logs in, and no pin is ever
    removed. Exits 1 when an address showed no key that is taken as right.
    """
    configured, options = sftp_source(source, config)
    place = parse_site(site, configured.site)
    addresses = options.site(place).addresses
    shown, failed = asyncio.run(_ask(addresses, options.login_timeout_s))
    if failed and not shown:
        raise failed[0]
    judged = [one for address in addresses for one in _judged(address, shown, options)]
    taken = _accepted(judged, accept)
    if taken:
        if options.host_keys_file is None:
            raise ConfigError(
                "set host_keys_file to the file that host keys are added to, or write them into "
                "host_keys yourself"
            )
        _append(options.host_keys_file.expanduser(), [one.key for one in taken])
    right = {(one.key.host, one.key.port) for one in judged if one.is_pinned or one in taken}
    missing = [one for one in addresses if (one.host, one.port) not in right]
    document: JsonObject = {
        "source": configured.name,
        "site": place.value,
        "host_keys": [
            {
                "host": one.key.host,
                "port": one.key.port,
                "key_type": one.key.key_type,
                "sha256": one.key.sha256,
                "md5": one.key.md5,
                "state": one.state(taken),
                "pinned_instead": [pin.fingerprint for pin in one.others],
            }
            for one in judged
        ],
        "failures": [str(error) for error in failed],
    }
    return Answer(
        document,
        lambda console: _render(judged, taken, failed, options.host_keys_file, console),
        ExitCode.FINDINGS if missing else ExitCode.DONE,
    )


def _judged(
    address: SftpAddress, shown: Sequence[ShownKey], options: SftpOptions
) -> Sequence[_Judged]:
    """What one address shows, held against its pins."""
    path = options.host_keys_file
    of_file = () if path is None else pins_in_file(path, address.host, address.port)
    pins = (*address.pins, *of_file)
    pinned = {pin.fingerprint for pin in pins}
    here = [key for key in shown if (key.host, key.port) == (address.host, address.port)]
    absent = [pin for pin in pins if pin.fingerprint not in {key.sha256 for key in here}]
    return [
        _Judged(
            key,
            key.sha256 in pinned,
            ()
            if key.sha256 in pinned
            else tuple(pin for pin in absent if pin.key_type in (None, key.key_type)),
        )
        for key in here
    ]


def _render(
    judged: Sequence[_Judged],
    taken: Sequence[_Judged],
    failed: Sequence[RemoteError],
    path: Path | None,
    console: Console,
) -> None:
    words = {"new": "not known", "changed": "NOT the key that is pinned"}
    for one in judged:
        key, state = one.key, one.state(taken)
        say(console, f"{key.host} port {key.port} {key.key_type}: {words.get(state, state)}")
        pinned = [f"{pin.fingerprint}  is pinned" for pin in one.others]
        is_alike = "  is shown" if pinned else ""
        for line in (f"{key.sha256}{is_alike}", f"{key.md5}{is_alike}", *pinned):
            say(console, line, indent=2)
    for error in failed:
        say(console, str(error))
    file = "host_keys_file" if path is None else str(path)
    states = {one.state(taken) for one in judged}
    if "changed" in states:
        say(
            console,
            "do not connect: somebody else may answer there. Ask the exchange; only when its paper "
            "says that the key was changed, run again with --accept FINGERPRINT, and take the old "
            f"one out of host_keys or {file}",
        )
    elif "new" in states and not taken:
        say(console, "compare with the paper, then run again with --accept FINGERPRINT")
    if any(one.others for one in taken):
        say(
            console,
            f"what was pinned before still counts: take it out of host_keys or {file} once the "
            "paper says that it is no longer used",
        )


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


def _accepted(judged: Sequence[_Judged], accept: Sequence[str]) -> Sequence[_Judged]:
    """Those that somebody confirms: by the fingerprints that were typed, or by answering."""
    fresh = [one for one in judged if not one.is_pinned]
    if accept:
        seen = {form for one in judged for form in (one.key.sha256, one.key.md5)}
        unseen = [one for one in accept if one not in seen]
        if unseen:
            raise UsageError(
                f"no address shows a host key with the fingerprint {unseen[0]}: compare it with "
                "what is shown, and do not connect if the paper says otherwise"
            )
        return [one for one in fresh if {one.key.sha256, one.key.md5} & set(accept)]
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return []
    answered: list[_Judged] = []
    for one in fresh:
        key = one.key
        instead = "".join(f"  {pin.fingerprint} is pinned there\n" for pin in one.others)
        but = ", WHICH IS NOT THE ONE THAT IS PINNED" if instead else ""
        sys.stderr.write(
            f"{key.host} port {key.port} shows {key.key_type}{but}\n  {key.sha256}\n  {key.md5}\n"
            f"{instead}Does the paper say so? Type yes to add it: "
        )
        sys.stderr.flush()
        if sys.stdin.readline().strip().lower() == "yes":
            answered.append(one)
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
