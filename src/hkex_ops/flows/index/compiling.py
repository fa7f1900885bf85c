"""The compiler of the compiled way: numba, of the extra ``fast``, with its results kept on disk.

Imported only when that way is chosen. The first time takes some seconds, once for each version of
this library, of numba and of the machine; after that the results are loaded from the user's cache.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

from hkex_ops.errors import ConfigError
from hkex_ops.flows.store.disk import translating

__all__ = ["Compiler", "default_cache"]

F = TypeVar("F", bound=Callable[..., Any])


def default_cache() -> Path:
    """Where compiled code is kept unless a place is named."""
    import platformdirs

    return platformdirs.user_cache_path("hkex-ops") / "compiled"


class Compiler:
    """Compiles functions of arrays, and keeps what comes of it in ``cache``."""

    def __init__(self, cache: Path) -> None:
        """`ConfigError` when numba is not installed, `StoreError` when nothing can be kept."""
        try:
            # Without types of its own, and to be imported here and nowhere else.
            self._numba: Any = __import__("numba")
        except ModuleNotFoundError as error:
            if error.name != "numba":
                raise
            raise ConfigError(
                "this way of replaying wants numba: install hkex-ops[fast], or choose another"
            ) from None
        with translating(cache, "make the folder for compiled code"):
            cache.mkdir(parents=True, exist_ok=True)
        self._cache = cache

    def __call__(self, function: F, /) -> F:
        """The compiled function; it is compiled when it is called first."""
        config = self._numba.config
        before, config.CACHE_DIR = config.CACHE_DIR, str(self._cache)
        try:
            return cast("F", self._numba.njit(cache=True)(function))
        finally:
            config.CACHE_DIR = before
