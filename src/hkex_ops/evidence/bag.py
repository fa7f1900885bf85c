"""The layout of a BagIt bag, RFC 8493: which files it has, how they are spelt, what they promise.

A bag is a folder: the payload under ``data/``, beside it a few tag files. The payload manifest
gives the SHA-256 of every payload file, the tag manifest that of every other file but itself. Any
tool that knows BagIt can check one; so can ``sha256sum -c manifest-sha256.txt``.

Bytes and names only; :mod:`hkex_ops.flows.evidence` reads and writes them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from hkex_ops.errors import WireError
from hkex_ops.evidence.findings import Finding, FindingKind

__all__ = [
    "BAGIT_TXT",
    "BAG_DECLARATION",
    "BAG_INFO",
    "PAYLOAD_FOLDER",
    "PAYLOAD_MANIFEST",
    "SPEC",
    "TAG_MANIFEST",
    "format_info",
    "format_manifest",
    "format_oxum",
    "judge",
    "parse_info",
    "parse_manifest",
]

SPEC = "RFC 8493"
BAG_DECLARATION = "bagit.txt"
BAG_INFO = "bag-info.txt"
PAYLOAD_FOLDER = "data"
PAYLOAD_MANIFEST = "manifest-sha256.txt"
TAG_MANIFEST = "tagmanifest-sha256.txt"

BAGIT_TXT = b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"
"""The whole content of the bag declaration (section 2.1.1)."""

_LINE_END = re.compile(rb"\r\n|\r|\n")
_DIGEST_LINE = re.compile(r"([0-9a-fA-F]{64})[ \t]+(.+)", re.DOTALL)
_ENCODED = {"\n": "%0A", "\r": "%0D", "%": "%25"}
_DECODED = {code: character for character, code in _ENCODED.items()}


def format_manifest(digests: Mapping[str, str]) -> bytes:
    """A manifest, one line for each path, sorted by path (sections 2.1.3 and 2.2.1).

    Line ends and percent signs in a path, and only those, are percent-encoded. Raises `WireError`
    for a path that leads out of the bag.
    """
    for path in digests:
        _refuse_unsafe(path, offset=0)
    lines = (f"{digests[path]}  {_encode(path)}\n" for path in sorted(digests))
    return "".join(lines).encode()


def parse_manifest(data: bytes) -> dict[str, str]:
    """Path to lower-case digest. `WireError` gives the offset of the line that is no entry."""
    digests: dict[str, str] = {}
    for offset, line in _lines(data):
        entry = _DIGEST_LINE.fullmatch(line)
        if entry is None:
            raise WireError("is not a line of digest and path", offset=offset, spec=SPEC)
        path = _decode(entry[2], offset)
        _refuse_unsafe(path, offset)
        if path in digests:
            raise WireError(f"lists {path} twice", offset=offset, spec=SPEC)
        digests[path] = entry[1].lower()
    return digests


def format_info(entries: Iterable[tuple[str, str]]) -> bytes:
    """The bag's description, one ``label: value`` each, in the order given (section 2.2.2).

    Raises `ValueError` for a label or a value that would read back as something else.
    """
    return "".join(
        f"{_label(label)}: {_value(label, value)}\n" for label, value in entries
    ).encode()


def parse_info(data: bytes) -> tuple[tuple[str, str], ...]:
    """The entries of a bag's description; continued lines are joined by one space."""
    entries: list[tuple[str, str]] = []
    for offset, line in _lines(data):
        if line[0] in " \t" and entries:
            label, value = entries.pop()
            entries.append((label, f"{value} {line.strip()}"))
            continue
        label, colon, value = line.partition(":")
        if not colon or not label.strip() or label[0] in " \t":
            raise WireError("is not a line of label and value", offset=offset, spec=SPEC)
        entries.append((label.strip(), value.strip()))
    return tuple(entries)


def format_oxum(sizes: Iterable[int]) -> str:
    """The payload's size in bytes and count of files, as ``Payload-Oxum`` wants them."""
    listed = list(sizes)
    return f"{sum(listed)}.{len(listed)}"


def judge(expected: Mapping[str, str], found: Mapping[str, str], *, by: str) -> tuple[Finding, ...]:
    """In what the digests ``found`` differ from those ``expected`` by the manifest ``by``."""
    findings: list[Finding] = []
    for path in sorted(expected.keys() | found.keys()):
        if path not in found:
            findings.append(Finding(FindingKind.MISSING, path, f"is listed in {by} and not there"))
        elif path not in expected:
            findings.append(Finding(FindingKind.ADDED, path, f"is there and not listed in {by}"))
        elif expected[path] != found[path]:
            message = f"is not what it was: its SHA-256 differs from the one in {by}"
            findings.append(Finding(FindingKind.CHANGED, path, message))
    return tuple(findings)


def _lines(data: bytes) -> Iterator[tuple[int, str]]:
    """The lines that hold anything, each with its offset in bytes."""
    start = 0
    for end in [*_LINE_END.finditer(data), None]:
        line = data[start : end.start() if end else len(data)]
        if line.strip():
            try:
                yield start, line.decode()
            except UnicodeDecodeError:
                raise WireError("is not UTF-8", offset=start, spec=SPEC) from None
        start = end.end() if end else len(data)


def _encode(path: str) -> str:
    return re.sub(r"[\n\r%]", lambda found: _ENCODED[found[0]], path)


def _decode(path: str, offset: int) -> str:
    def character(found: re.Match[str]) -> str:
        try:
            return _DECODED[found[0].upper()]
        except KeyError:
            message = f"{found[0]!r} encodes nothing that has to be encoded"
            raise WireError(message, offset=offset, spec=SPEC) from None

    return re.sub(r"%.{0,2}", character, path, flags=re.DOTALL)


def _refuse_unsafe(path: str, offset: int) -> None:
    """A bag from elsewhere must not make its reader look outside it (section 5.1)."""
    if path.startswith(("/", "~")) or any(part in ("", ".", "..") for part in path.split("/")):
        raise WireError(f"{path!r} leads out of the bag", offset=offset, spec=SPEC)


def _label(label: str) -> str:
    if not label or label != label.strip() or ":" in label or not label.isprintable():
        raise ValueError(f"{label!r} cannot be a label of {BAG_INFO}")
    return label


def _value(label: str, value: str) -> str:
    if "\n" in value or "\r" in value or value != value.strip():
        raise ValueError(f"{label} must be one line of {BAG_INFO}, not {value!r}")
    return value
