"""What host keys an address shows, to be compared with the paper before anything else is said.

Nobody logs in: the connection ends with the key exchange, before a user is named. Called by
:mod:`hkex_ops_sftp.host_key_commands`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import asyncssh
from attrs import frozen

from hkex_ops.errors import HkexOpsError, Unreachable
from hkex_ops_sftp.pins import HOST_KEY_ALGORITHMS
from hkex_ops_sftp.translation import translated

__all__ = ["ShownKey", "shown_keys"]


@frozen
class ShownKey:
    """A host key as an address shows it, with its fingerprint in both forms that papers use."""

    host: str
    port: int
    line: str
    sha256: str
    md5: str

    @property
    def key_type(self) -> str:
        """Such as ssh-ed25519."""
        return self.line.partition(" ")[0]


async def shown_keys(host: str, port: int, timeout_s: int) -> Sequence[ShownKey]:
    """The keys of every type that ``host`` has, each asked for by itself.

    Raises `Unreachable`, `TimedOut` or what else the address deserves.
    """
    doing = f"asking {host} port {port} for its host keys"
    found: list[ShownKey] = []
    failure: HkexOpsError | None = None
    for algorithms in HOST_KEY_ALGORITHMS.values():
        try:
            async with asyncio.timeout(timeout_s):
                key = await asyncssh.get_server_host_key(
                    host, port, server_host_key_algs=list(algorithms), config=None
                )
        except asyncssh.KeyExchangeFailed:
            continue  # it has no key of that type
        except Exception as error:
            failure = translated(error, doing)
            if isinstance(failure, Unreachable):
                break
            continue
        if key is not None:
            line = key.export_public_key().decode().split()
            shown = ShownKey(
                host,
                port,
                " ".join(line[:2]),
                key.get_fingerprint("sha256"),
                key.get_fingerprint("md5"),
            )
            found.append(shown)
    if not found:
        raise failure or Unreachable(f"{doing}: it shows none that can be used")
    return found
