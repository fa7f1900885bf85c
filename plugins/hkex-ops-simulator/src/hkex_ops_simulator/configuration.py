"""The configuration that points ``hkex-ops`` at a simulated exchange, as text and as files.

Written for the core's own loader, so that a rehearsal goes the way an operator's work goes.
Called by the ``simulator`` and ``rehearse`` commands, and by tests. Writes only into the folder
it is given, and never over a file.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from hkex_ops.errors import StoreError
from hkex_ops.model import SiteRole
from hkex_ops_simulator.addresses import REPORT_SERVICE, ReportPlaces
from hkex_ops_simulator.folder import FOLDER_NAME
from hkex_ops_simulator.listeners import LOGIN_PAGE_TEXT

if TYPE_CHECKING:
    from hkex_ops_simulator.server import SimulatedExchange, SimulatedSite
    from hkex_ops_simulator.stand_ins import StandIns

__all__ = [
    "CATALOGUE_NAME",
    "CONFIGURATION_NAME",
    "DRILL_REPORTS",
    "catalogue_text",
    "configuration_text",
    "write_configuration",
]

CONFIGURATION_NAME = "config.toml"
CATALOGUE_NAME = "catalogue.toml"

# The reports the circular's drill downloads by way of example.
# Source: CD/OEC/HKCC/073/2023, Attachment, sessions 1 and 2, third step.
DRILL_REPORTS = ("TP001", "TP002")


def configuration_text(
    exchange: SimulatedExchange,
    *,
    archive: Path | str,
    site: SiteRole = SiteRole.PRIMARY,
    stand_ins: StandIns | None = None,
    more: Sequence[str] = (),
) -> str:
    """The TOML of a configuration whose report source is ``exchange``.

    ``archive`` and the catalogue ``catalogue.toml`` may be relative to the file's own folder;
    ``site`` is where the client points. Each service of ``stand_ins`` gets a probe. Both must
    have been entered. ``more`` are lines of tables besides.
    """
    lines = [
        "# Written by hkex-ops-simulator: an exchange in a box on loopback, all of it SYNTHETIC.",
        "",
        "[archive]",
        f"folder = {_quoted(str(archive))}",
        "",
        "[catalogue]",
        f"file = {_quoted(CATALOGUE_NAME)}",
        "",
        "[report_sources.rrs]",
        'adapter = "sftp"',
        f"service = {_quoted(REPORT_SERVICE)}",
        f"site = {_quoted(site.value)}",
        f"drill_reports = [{', '.join(_quoted(code) for code in DRILL_REPORTS)}]",
        "",
        "[report_sources.rrs.options]",
        f"user = {_quoted(exchange.user)}",
        f"key_file = {_quoted(str(exchange.key_file))}",
        f"folder = {_quoted(FOLDER_NAME)}",
    ]
    for simulated in exchange.sites.values():
        lines += ["", *_site_lines(simulated, exchange.places)]
    if stand_ins is not None:
        for service in stand_ins.services:
            lines += ["", *_probe_lines(stand_ins, service)]
    if more:
        lines += ["", *more]
    return "\n".join(lines) + "\n"


def catalogue_text() -> str:
    """The catalogue of the simulator's invented names."""
    return files("hkex_ops_simulator").joinpath(CATALOGUE_NAME).read_text(encoding="utf-8")


def write_configuration(
    exchange: SimulatedExchange,
    folder: Path,
    *,
    archive: Path | str = "archive",
    site: SiteRole = SiteRole.PRIMARY,
    stand_ins: StandIns | None = None,
    more: Sequence[str] = (),
) -> Path:
    """Write configuration and catalogue into ``folder``; the configuration's path is returned.

    Raises `StoreError` when either is there already or the folder cannot be written.
    """
    written = folder.absolute() / CONFIGURATION_NAME
    _write_new(folder.absolute() / CATALOGUE_NAME, catalogue_text())
    text = configuration_text(exchange, archive=archive, site=site, stand_ins=stand_ins, more=more)
    _write_new(written, text)
    return written


def _site_lines(site: SimulatedSite, places: ReportPlaces) -> list[str]:
    keys = ", ".join(_quoted(key) for key in site.host_keys)
    lines = [f"[report_sources.rrs.options.sites.{site.role.value}]", "addresses = ["]
    for address in site.addresses:
        host, port = _quoted(address.host), address.port
        stated = places.stands_in_for.get(address.host, "no stated address")
        lines.append(f"  # stands in for {stated}")
        lines.append(f"  {{ host = {host}, port = {port}, host_keys = [{keys}] }},")
    return [*lines, "]"]


def _probe_lines(stand_ins: StandIns, service: str) -> list[str]:
    """How a service is looked at: by its page where every stand-in gives one, else by TCP."""
    name = service.casefold()
    gives_page = all(one.gives_page for one in stand_ins.all if one.service == service)
    lines = [
        f"[probes.{_quoted(name)}]",
        f"adapter = {_quoted('https' if gives_page else 'tcp')}",
        f"service = {_quoted(service)}",
    ]
    if gives_page:
        lines += [
            "",
            f"[probes.{_quoted(name)}.options]",
            f"ca_file = {_quoted(str(stand_ins.ca_file))}",
            f"expect_text = {_quoted(LOGIN_PAGE_TEXT)}",
        ]
    return lines


def _quoted(text: str) -> str:
    """A TOML basic string. JSON's escapes are TOML's, but for DEL, which JSON leaves bare."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _write_new(path: Path, text: str) -> None:
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        message = "is there already, and the simulator overwrites nothing: name another folder"
        raise StoreError(message, path=str(path)) from None
    except (OSError, UnicodeEncodeError) as error:
        raise StoreError(f"cannot be written: {error}", path=str(path)) from error
