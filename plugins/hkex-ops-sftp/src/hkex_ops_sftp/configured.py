"""The configured source that a command of this plug-in is about, with its options.

Called by the commands ``keys`` and ``hostkeys``.
"""

from __future__ import annotations

from pathlib import Path

from hkex_ops.cli.options import config_path
from hkex_ops.config.settings import load_settings
from hkex_ops.errors import UsageError
from hkex_ops.flows.sources import ConfiguredSource, configured_source
from hkex_ops.plugins import Plugins
from hkex_ops_sftp.options import SftpOptions

__all__ = ["sftp_source"]


def sftp_source(name: str | None, config: Path | None) -> tuple[ConfiguredSource, SftpOptions]:
    """The source called ``name``, or the only one; `UsageError` when it is not read over SFTP."""
    settings = load_settings(config_path(config))
    plugins = Plugins.load(block=settings.plugins.block)
    configured = configured_source(settings, plugins, name)
    if not isinstance(configured.options, SftpOptions):
        raise UsageError(f"report source {configured.name} is not read over SFTP: name another")
    return configured, configured.options
