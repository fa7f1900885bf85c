"""A second copy anywhere that fsspec reaches, such as an S3 bucket (extra ``s3``).

The one module that knows fsspec, and it imports it when a copy is opened. Where a put is whole or
not at all, as in object stores, a file is written under its own name; elsewhere under a temporary
one that is then moved.
"""

from __future__ import annotations

import importlib
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from types import ModuleType
from typing import Any, Protocol, cast

from hkex_ops.errors import ConfigError, StoreError

__all__ = ["FsspecTarget"]

BLOCK_BYTES = 1 << 20

# Protocols whose put appears whole or not at all.
_WHOLE_PUT = frozenset({"s3", "s3a", "gcs", "gs", "abfs", "az", "memory"})


class _FileSystem(Protocol):
    """What is used of fsspec's file systems."""

    # typing: fsspec states no types of its own.
    protocol: Any

    def open(self, path: str, mode: str) -> Any: ...
    def ls(self, path: str, detail: bool = True) -> Any: ...
    def makedirs(self, path: str, exist_ok: bool = False) -> None: ...
    def mv(self, path1: str, path2: str) -> None: ...
    def exists(self, path: str) -> bool: ...
    def invalidate_cache(self, path: str | None = None) -> None: ...


class FsspecTarget:
    """A copy below a URL; get one from :meth:`open`."""

    def __init__(self, system: _FileSystem, root: str, url: str) -> None:
        self._system = system
        self._root = root.rstrip("/")
        self._url = url

    @classmethod
    def open(cls, url: str, options: Mapping[str, object]) -> FsspecTarget:
        """The copy at ``url``; `ConfigError` when what speaks its protocol is not installed."""
        try:
            fsspec: ModuleType = importlib.import_module("fsspec.core")
        except ImportError:
            raise ConfigError(
                "a copy at a url wants the extra s3: install hkex-ops[s3], or name a folder"
            ) from None
        with _speaking(url, "open the copy"):
            try:
                system, root = fsspec.url_to_fs(url, **options)
            except ImportError as error:
                raise ConfigError(f"nothing installed speaks {url}: {error}") from None
        return cls(cast("_FileSystem", system), str(root), url)

    @property
    def where(self) -> str:
        """Its URL."""
        return self._url

    def sizes(self, folder: str) -> Mapping[str, int]:
        """The files of a folder by name."""
        place = self._path(folder)
        with _speaking(self._url, "list the copy"):
            self._system.invalidate_cache()
            try:
                found = self._system.ls(place, detail=True)
            except FileNotFoundError:
                return {}
            return {
                str(one["name"]).rstrip("/").rsplit("/", 1)[-1]: int(one["size"] or 0)
                for one in found
                if one["type"] == "file"
            }

    def read(self, path: str) -> Iterator[bytes]:
        """A file, piece by piece."""
        with (
            _speaking(self._url, f"read {path} of the copy"),
            self._system.open(self._path(path), "rb") as file,
        ):
            while data := file.read(BLOCK_BYTES):
                yield data

    def write(self, path: str, pieces: Iterable[bytes]) -> None:
        """Put a file there, whole or not at all."""
        place = self._path(path)
        stated = self._system.protocol
        protocols = {stated} if isinstance(stated, str) else set(stated)
        part = place if protocols & _WHOLE_PUT else f"{place}.part"
        with _speaking(self._url, f"write {path} to the copy"):
            self._system.makedirs(place.rsplit("/", 1)[0], exist_ok=True)
            with self._system.open(part, "wb") as file:
                for data in pieces:
                    file.write(data)
            if part != place:
                self._system.mv(part, place)

    def _path(self, below: str) -> str:
        return f"{self._root}/{below}" if below else self._root


@contextmanager
def _speaking(url: str, doing: str) -> Generator[None]:
    """Raise `StoreError` in place of whatever a file system raises; its text may hold a secret."""
    try:
        yield
    except (StoreError, ConfigError):
        raise
    # Every file system has exceptions of its own, and no class above them.
    except Exception as error:
        reason = error.strerror if isinstance(error, OSError) else None
        raise StoreError(
            f"cannot {doing}: {reason or type(error).__name__}",
            path=url,
            safe="the archive itself is unharmed",
        ) from error
