"""The chain's head, kept outside the ledger, so that cutting off the last rows is found.

A small JSON file, replaced in one step. Before rows are committed it also states the head that
*will* be, so that a run killed between commit and update is told apart from tampering: a ledger
that ends at ``next`` was committed, one that still ends at the head was not, anything else is
damage.
"""

from __future__ import annotations

from pathlib import Path

from attrs import frozen

from hkex_ops.errors import StoreError
from hkex_ops.evidence import Head, canonical, parse_object
from hkex_ops.flows.store.disk import Folder
from hkex_ops.model import Json, JsonObject

__all__ = ["HeadFile", "HeadState"]

LONGEST_BYTES = 4096
"""Far more than two heads take; a longer file is none of ours."""


@frozen
class HeadState:
    """What the head file says: where the chain ends, and where it will once a commit is done."""

    head: Head
    next: Head | None = None

    @property
    def heads(self) -> tuple[Head, ...]:
        """The ends that the chain may have."""
        return (self.head,) if self.next is None else (self.head, self.next)


class HeadFile:
    """One head file. Its folder must exist; the file need not."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> HeadState | None:
        """What it says, ``None`` when there is no such file; `StoreError` when it is unreadable."""
        with Folder.open(self.path.parent) as folder:
            if folder.look(self.path.name) is None:
                return None
            with folder.reading(self.path.name) as file:
                data = file.read(LONGEST_BYTES)
        try:
            return _state(parse_object(data.removesuffix(b"\n")))
        except ValueError as error:
            raise StoreError(
                f"is damaged, it {error}: restore the ledger's head from your backup, "
                "or keep this archive for inspection and begin a new one",
                path=str(self.path),
                safe="no archived file was touched",
            ) from None

    def write(self, state: HeadState) -> None:
        """Replace what it says, durably and in one step."""
        stated: dict[str, Json] = dict(_stated(state.head))
        if state.next is not None:
            stated["next"] = _stated(state.next)
        with Folder.open(self.path.parent) as folder:
            folder.replace(self.path.name, canonical(stated) + b"\n")


def _stated(head: Head) -> JsonObject:
    return {"sequence": head.sequence, "digest": head.digest}


def _state(stated: JsonObject) -> HeadState:
    following = stated.get("next")
    return HeadState(_head(stated), None if following is None else _head(following))


def _head(stated: Json) -> Head:
    match stated:
        case {"sequence": int(sequence), "digest": str(digest)}:
            return Head(sequence, digest)
        case _:
            raise ValueError("does not state sequence and digest")
