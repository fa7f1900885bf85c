"""An evidence folder that is being written."""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from types import MappingProxyType, TracebackType

from hkex_ops.clock import Clock
from hkex_ops.errors import StoreError, UsageError
from hkex_ops.evidence import GENESIS, Head, Record, append, bag, canonical, digest
from hkex_ops.evidence.chain import format_record
from hkex_ops.flows.evidence.left import read_info, whole_records
from hkex_ops.flows.store.disk import Folder, store_error, translating
from hkex_ops.flows.store.names import refusal
from hkex_ops.model import JsonObject

__all__ = ["CHAIN_HEAD", "EVENTS", "EvidenceFolder", "partial_of"]

EVENTS = "events.jsonl"
"""The payload file that holds the events."""

CHAIN_HEAD = "Chain-Head"
"""The label of ``bag-info.txt`` that says how many events there are, and the last one's digest."""

AGENT = "hkex-ops"

ADDING = ".adding"
"""The name under which a file is written before it gets its own, in one step."""

_TAGS = (bag.BAG_DECLARATION, bag.PAYLOAD_MANIFEST, bag.TAG_MANIFEST, f"{bag.BAG_INFO}.new")
_AT_THE_END = ("Bagging-Date", "Payload-Oxum", CHAIN_HEAD)

_NO_INFO: Mapping[str, str] = MappingProxyType({})


class EvidenceFolder:
    """An evidence folder that is being written; get one from :meth:`create`.

    As a context manager it is closed when the block ends well. When the block raises, what was
    gathered stays in ``NAME.partial`` for inspection.
    """

    def __init__(self, target: Path, root: Folder, clock: Clock, info: Mapping[str, str]) -> None:
        """Take over ``root``, whose events file is made when it is not there.

        `StoreError` when another process is writing to it.
        """
        self.target = target
        self._root = root
        self._clock = clock
        self._info = info
        self._head = GENESIS
        self._payload: dict[str, tuple[str, int]] = {}
        with root.folder(bag.PAYLOAD_FOLDER, make=True) as data:
            path = data.path / EVENTS
            with translating(path, "make the events file"):
                flags = os.O_RDWR | os.O_CREAT | os.O_APPEND
                self._events = os.fdopen(data.open_file(EVENTS, flags), "r+b", buffering=0)
        self._events_path = path
        self._events_bytes = 0
        try:
            # The kernel's lock: it dies with its holder, and so tells a living writer from a dead.
            fcntl.flock(self._events.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._events.close()
            message = "is being written: wait until that has ended, or end it"
            raise StoreError(message, path=str(root.path)) from None

    @classmethod
    def create(
        cls, target: Path, *, identifier: str, clock: Clock, info: Mapping[str, str] = _NO_INFO
    ) -> EvidenceFolder:
        """Begin the folder ``target``, whose parent must exist and which must not hold anything.

        ``identifier`` becomes the bag's External-Identifier, ``info`` further lines of its
        description. Raises `StoreError`, and `UsageError` for a line that is none.
        """
        described = {
            "External-Identifier": identifier,
            "Bag-Software-Agent": f"{AGENT} {version(AGENT)}",
            **info,
        }
        try:
            bag.format_info(described.items())
        except ValueError as error:
            raise UsageError(str(error)) from error
        _refuse_taken(target)
        partial = partial_of(target)
        try:
            partial.mkdir()
        except FileExistsError:
            raise StoreError(
                "an interrupted run left it: look at it, then move it away or remove it",
                path=str(partial),
            ) from None
        except FileNotFoundError:
            raise StoreError(
                f"its parent {target.parent} is not there: make that folder first, or name "
                "another place",
                path=str(target),
            ) from None
        except OSError as error:
            raise store_error(error, partial, "make the folder") from error
        root = Folder.open(partial)
        try:
            # From the beginning on, so that what an interrupted run leaves says what it is.
            root.write_new(bag.BAG_INFO, bag.format_info(described.items()))
            return cls(target, root, clock, described)
        except BaseException:
            root.close()
            raise

    @classmethod
    def reopen(
        cls, partial: Path, target: Path, *, clock: Clock, made_anew: Collection[str] = ()
    ) -> tuple[EvidenceFolder, tuple[Record, ...]]:
        """Go on with what an interrupted run left in ``partial``, to be closed as ``target``.

        Gives the events that are whole, too; half a line after them is dropped. Files of the
        payload named in ``made_anew`` are removed: they told of an end that was not reached.
        Raises `StoreError` when another process is still writing, the events are damaged, or
        ``target`` is taken; nothing was changed then.
        """
        _refuse_taken(target)
        root = Folder.open(partial)
        try:
            if root.look(bag.PAYLOAD_FOLDER, EVENTS) is None:
                raise StoreError("holds no events: nothing can be proven by it", path=str(partial))
            info = {k: v for k, v in read_info(root).items() if k not in _AT_THE_END}
            evidence = cls(target, root, clock, info)
        except BaseException:
            root.close()
            raise
        try:
            return evidence, evidence._take_up(made_anew)
        except BaseException:
            evidence._let_go()
            raise

    def __enter__(self) -> EvidenceFolder:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._events.closed:
            return
        if kind is None:
            self.close()
        else:
            self._let_go()

    def record(self, kind: str, body: JsonObject) -> Record:
        """Chain an event that happens now. A `StoreError` leaves the events before it whole."""
        self._require_open()
        record = append(self._head, self._clock.now(), kind, body)
        line = format_record(record)
        try:
            with translating(
                self._events_path, "record an event", "the events before it are whole"
            ):
                rest = memoryview(line)
                while rest:
                    rest = rest[self._events.write(rest) or 0 :]
        except StoreError:
            with suppress(OSError):
                os.ftruncate(self._events.fileno(), self._events_bytes)
            raise
        self._events_bytes += len(line)
        self._head = record.head
        return record

    def add(self, path: str, content: bytes | str | JsonObject) -> None:
        """Put a file into the payload: bytes, text as UTF-8, or an object as canonical JSON.

        Raises `StoreError`, and `UsageError` for a path that is taken or cannot be one.
        """
        self._require_free(path)
        data = _bytes(content)
        self._put(path, (data,))
        self._payload[path] = digest(data), len(data)

    def add_pieces(self, path: str, pieces: Iterable[bytes], *, sha256: str) -> str:
        """Put a file into the payload piece by piece; its SHA-256, and it is added only if that is
        ``sha256``."""
        self._require_free(path)
        seen = hashlib.sha256()
        size = 0

        def counted() -> Iterator[bytes]:
            nonlocal size
            for piece in pieces:
                seen.update(piece)
                size += len(piece)
                yield piece

        self._root.replace_pieces(ADDING, counted())
        if seen.hexdigest() == sha256:
            self._name(path)
            self._payload[path] = sha256, size
        else:
            self._remove(self._root, ADDING)
        return seen.hexdigest()

    def _require_free(self, path: str) -> None:
        self._require_open()
        for name in path.split("/"):
            if (reason := refusal(name)) is not None:
                raise UsageError(f"{path!a} cannot be a path of evidence: {name!a} {reason}")
        if path == EVENTS or path in self._payload:
            raise UsageError(f"the evidence holds {path} already")

    def _put(self, path: str, pieces: Iterable[bytes]) -> None:
        self._root.write_pieces(ADDING, pieces)
        self._name(path)

    def _name(self, path: str) -> None:
        *parents, name = path.split("/")
        with self._root.folder(bag.PAYLOAD_FOLDER, *parents, make=True) as folder:
            with translating(folder.path / name, "put the file there"):
                fds = {"src_dir_fd": self._root.descriptor, "dst_dir_fd": folder.descriptor}
                os.rename(ADDING, name, **fds)
            folder.sync()

    @property
    def head(self) -> Head:
        """The end of the chain of events as it stands."""
        return self._head

    @property
    def info(self) -> Mapping[str, str]:
        """What the bag's description says so far."""
        return MappingProxyType(dict(self._info))

    def files(self) -> Mapping[str, tuple[str, int]]:
        """What the payload holds so far: SHA-256 and size in bytes by path, the events too."""
        self._require_open()
        events = self._root.digest(bag.PAYLOAD_FOLDER, EVENTS), self._events_bytes
        return MappingProxyType({EVENTS: events, **dict(sorted(self._payload.items()))})

    def read(self, path: str) -> bytes:
        """A file that was added, as it stands on the disk; `StoreError` when it is not there."""
        self._require_open()
        with self._root.reading(bag.PAYLOAD_FOLDER, *path.split("/")) as file:
            return file.readall()

    def holds(self, path: str, content: JsonObject) -> bool:
        """Whether the file at ``path`` is ``content`` as :meth:`add` would write it."""
        return self.files()[path][0] == digest(_bytes(content))

    def close(self) -> str:
        """Write the bag's own files, make all durable, give the folder its name; the seal.

        The seal is the SHA-256 of the tag manifest: with it, kept elsewhere, a rewritten bag is
        found too.
        """
        self._require_open()
        try:
            with translating(self._events_path, "make the events durable"):
                os.fsync(self._events.fileno())
            events_digest = self._root.digest(bag.PAYLOAD_FOLDER, EVENTS)
            payload = {**self._payload, EVENTS: (events_digest, self._events_bytes)}
            seal = self._write_tags(payload)
            with self._root.folder(bag.PAYLOAD_FOLDER) as data:
                data.sync()
            self._root.sync()
            with translating(self.target, "give the finished evidence its name"):
                os.rename(self._root.path, self.target)
            with Folder.open(self.target.absolute().parent) as parent:
                parent.sync()
        finally:
            self._let_go()
        return seal

    def _write_tags(self, payload: Mapping[str, tuple[str, int]]) -> str:
        """The declaration goes last: a folder without one is no bag."""
        info = {
            **self._info,
            "Bagging-Date": self._clock.now().date().isoformat(),
            "Payload-Oxum": bag.format_oxum(size for _, size in payload.values()),
            CHAIN_HEAD: f"{self._head.sequence} sha256:{self._head.digest}",
        }
        listed = {f"{bag.PAYLOAD_FOLDER}/{path}": sealed for path, (sealed, _) in payload.items()}
        tags = {
            bag.BAG_INFO: bag.format_info(info.items()),
            bag.PAYLOAD_MANIFEST: bag.format_manifest(listed),
            bag.BAG_DECLARATION: bag.BAGIT_TXT,
        }
        manifest = bag.format_manifest({name: digest(data) for name, data in tags.items()})
        self._root.write_new(bag.TAG_MANIFEST, manifest)
        for name, data in tags.items():
            self._root.replace(name, data)
        return digest(manifest)

    def _take_up(self, made_anew: Collection[str]) -> tuple[Record, ...]:
        """Read the events again, drop what is half or told too much, know the payload."""
        records = tuple(whole_records(self._events.readall(), self._events_path))
        size = sum(len(format_record(record)) for record in records)
        with translating(self._events_path, "drop a torn line"):
            os.ftruncate(self._events.fileno(), size)
        self._events_bytes = size
        self._head = records[-1].head if records else GENESIS
        for name in (ADDING, *_TAGS):
            self._remove(self._root, name)
        with self._root.folder(bag.PAYLOAD_FOLDER) as data:
            for name in made_anew:
                self._remove(data, name)
        for found in self._root.walk(bag.PAYLOAD_FOLDER):
            path = found.path.removeprefix(f"{bag.PAYLOAD_FOLDER}/")
            if path != EVENTS:
                self._payload[path] = self._root.digest(*found.path.split("/")), found.size_bytes
        return records

    def _remove(self, folder: Folder, name: str) -> None:
        with translating(folder.path / name, "remove it"), suppress(FileNotFoundError):
            os.unlink(name, dir_fd=folder.descriptor)

    def _require_open(self) -> None:
        if self._events.closed:
            raise UsageError(f"the evidence {self.target} is closed")

    def _let_go(self) -> None:
        with suppress(OSError):
            self._events.close()
        self._root.close()


def partial_of(target: Path) -> Path:
    """Where the evidence ``target`` grows."""
    target = target.absolute()
    return target.with_name(f"{target.name}.partial")


def _refuse_taken(target: Path) -> None:
    """A folder that holds something is never written to; an empty one may be taken."""
    try:
        taken = target.is_symlink() or (target.exists() and any(target.iterdir()))
    except NotADirectoryError:
        taken = True
    except OSError as error:
        raise store_error(error, target, "look at it") from error
    if taken:
        raise StoreError(
            "is there already, and evidence is never overwritten: name a folder that is new",
            path=str(target),
            safe="nothing was written",
        )


def _bytes(content: bytes | str | JsonObject) -> bytes:
    if isinstance(content, bytes):
        return content
    if isinstance(content, str):
        return content.encode()
    return canonical(content) + b"\n"
