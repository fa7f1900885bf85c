"""The disk: an archive of reports that only grows, and the ledger that proves it.

Importing this package loads sqlite3; the command line does so only inside the commands that need
it. Callers use these names; the modules behind them are each other's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hkex_ops.fronts import front

if TYPE_CHECKING:
    from hkex_ops.flows.store.archive import Archive, Held
    from hkex_ops.flows.store.copying import (
        CopyResult,
        CopyTarget,
        CopyVerified,
        FolderTarget,
        copy_archive,
        last_rows,
        verify_copy,
    )
    from hkex_ops.flows.store.files import StagedFile
    from hkex_ops.flows.store.fsspec_copy import FsspecTarget
    from hkex_ops.flows.store.names import refusal
    from hkex_ops.flows.store.rows import Arrival, FileRecord, Outcome, Placed
else:
    __getattr__, __dir__ = front(
        __name__,
        {
            "archive": "Archive Held",
            "copying": (
                "CopyResult CopyTarget CopyVerified FolderTarget copy_archive last_rows verify_copy"
            ),
            "files": "StagedFile",
            "fsspec_copy": "FsspecTarget",
            "names": "refusal",
            "rows": "Arrival FileRecord Outcome Placed",
        },
    )

__all__ = [
    "Archive",
    "Arrival",
    "CopyResult",
    "CopyTarget",
    "CopyVerified",
    "FileRecord",
    "FolderTarget",
    "FsspecTarget",
    "Held",
    "Outcome",
    "Placed",
    "StagedFile",
    "copy_archive",
    "last_rows",
    "refusal",
    "verify_copy",
]
