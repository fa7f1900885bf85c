"""A notification as a JSON document, and what it is known again by. Pure."""

from __future__ import annotations

import json

from hkex_ops.evidence.canonical import digest
from hkex_ops.model import JsonObject, Notification, plain

__all__ = ["DOCUMENT_VERSION", "note_document", "note_identity", "spelt"]

DOCUMENT_VERSION = 1


def note_document(notification: Notification, receiver: str) -> JsonObject:
    """Everything that a notification says, to one receiver."""
    said = plain(notification)
    assert isinstance(said, dict), "a notification has keys"
    identity = note_identity(notification, receiver)
    return {"version": DOCUMENT_VERSION, "id": identity, "receiver": receiver, **said}


def note_identity(notification: Notification, receiver: str) -> str:
    """The same for the same key, language and receiver, and for nothing else."""
    said = f"{notification.key}\n{notification.language.value}\n{receiver}"
    return digest(said.encode())[:32]


def spelt(document: JsonObject) -> str:
    """A document on one line, Chinese as Chinese."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"))
