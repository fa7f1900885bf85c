"""The file of designated persons as values, with every fault of it at once."""

from __future__ import annotations

from pathlib import Path

from hkex_ops.config.stated import add_dates
from hkex_ops.config.structuring import (
    document_of,
    in_order,
    make_converter,
    read_text,
    structure,
)
from hkex_ops.errors import ConfigError, Fault
from hkex_ops.incidents.contacts import Contacts, contact_faults

__all__ = ["load_contacts"]


def load_contacts(path: Path) -> Contacts:
    """The designated persons in a file that a person wrote; `ConfigError` lists every fault."""
    document = str(path)
    table = document_of(read_text(path, what="file of contacts"), document=document)
    converter = make_converter()
    add_dates(converter)
    contacts = structure(table, Contacts, document=document, converter=converter)
    faults = [Fault(*one) for one in contact_faults(contacts)]
    if faults:
        raise ConfigError(in_order(faults), document=document)
    return contacts
