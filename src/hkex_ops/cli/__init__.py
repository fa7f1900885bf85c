"""The command line: thin, lazy, every command with ``--json``.

Commands ask the library and return an :class:`~hkex_ops.cli.answer.Answer`; :func:`main` prints
it and turns errors into exit codes. ``--help`` imports no adapter, no database and no logging.
"""

from hkex_ops.cli.main import main

__all__ = ["main"]
