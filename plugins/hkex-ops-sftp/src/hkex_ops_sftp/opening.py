"""Log in to a site, hand out the source, log out. The only door; the SSH library is loaded here."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from hkex_ops.model import SiteRole
from hkex_ops.ports import ReportSource
from hkex_ops_sftp.options import SftpOptions

__all__ = ["open_sftp"]


@asynccontextmanager
async def open_sftp(options: SftpOptions, site: SiteRole) -> AsyncGenerator[ReportSource]:
    """The report source of ``site``: entering logs in, leaving logs out and waits for it.

    Raises `ConfigError` for an unknown site or an unusable key file, `HostKeyMismatch`,
    `AuthRefused`, or `Unreachable` when no address of this site would do.
    """
    from hkex_ops_sftp.connecting import log_in, log_in_beside
    from hkex_ops_sftp.connections import Connections
    from hkex_ops_sftp.source import SftpReportSource

    session = await log_in(options, site)
    connections = Connections(
        session, lambda: log_in_beside(session, options, site), options.connections
    )
    if options.upload_folder is None:
        source = SftpReportSource(
            connections, folder=options.folder, files_in_flight=options.files_in_flight
        )
    else:
        from hkex_ops_sftp.uploading import SftpUploadingSource

        source = SftpUploadingSource(
            connections,
            folder=options.folder,
            files_in_flight=options.files_in_flight,
            upload_folder=options.upload_folder,
            answer_timeout_s=options.inactivity_timeout_s,
        )
    try:
        yield source
    finally:
        await source.log_out()
