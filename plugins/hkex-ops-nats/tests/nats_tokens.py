"""Keys and tokens of NATS' decentralised security, made for a test: operator, account, user."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import nkeys
from attrs import frozen

__all__ = ["Decentral", "new_seed", "public_key"]

_KINDS = {
    "operator": nkeys.PREFIX_BYTE_OPERATOR,
    "account": nkeys.PREFIX_BYTE_ACCOUNT,
    "user": nkeys.PREFIX_BYTE_USER,
}


def new_seed(kind: str, number: int) -> bytes:
    """A seed that is the same in every run; ``number`` tells those of one kind apart."""
    raw = number.to_bytes(32, "big")
    seed: bytes = nkeys.encode_seed(raw, _KINDS[kind])
    return seed


def public_key(seed: bytes) -> str:
    key: str = nkeys.from_seed(bytearray(seed)).public_key.decode()
    return key


def _token(claims: dict[str, object], *, subject: bytes, issuer: bytes) -> str:
    """A JWT by which ``issuer`` vouches for ``subject``."""
    body = {
        "jti": public_key(subject),
        "iat": 1_262_304_000,
        "iss": public_key(issuer),
        "sub": public_key(subject),
        "name": "test",
        "nats": {**claims, "version": 2},
    }
    parts = [
        base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=")
        for part in ({"typ": "JWT", "alg": "ed25519-nkey"}, body)
    ]
    signed = b".".join(parts)
    signature = nkeys.from_seed(bytearray(issuer)).sign(signed)
    return b".".join((signed, base64.urlsafe_b64encode(signature).rstrip(b"="))).decode()


@frozen
class Decentral:
    """An operator with an account that may have streams, one for the system, and a user."""

    operator: bytes = new_seed("operator", 1)
    account: bytes = new_seed("account", 2)
    system: bytes = new_seed("account", 3)
    user: bytes = new_seed("user", 4)

    def settings(self) -> tuple[str, ...]:
        """The lines of a server's configuration that trust the operator."""
        system = _token({"type": "account"}, subject=self.system, issuer=self.operator)
        limits = {"mem_storage": -1, "disk_storage": -1, "streams": -1, "consumer": -1}
        limits |= {"subs": -1, "data": -1, "payload": -1, "conn": -1}
        account = _token(
            {"type": "account", "limits": limits}, subject=self.account, issuer=self.operator
        )
        operator = _token(
            {"type": "operator", "system_account": public_key(self.system)},
            subject=self.operator,
            issuer=self.operator,
        )
        return (
            f"operator: {operator}",
            "resolver: MEMORY",
            "resolver_preload: {",
            f"  {public_key(self.account)}: {account}",
            f"  {public_key(self.system)}: {system}",
            "}",
        )

    def credentials(self, folder: Path) -> Path:
        """The user's file, as nsc writes it."""
        claims: dict[str, object] = {"type": "user", "subs": -1, "data": -1, "payload": -1}
        token = _token(claims, subject=self.user, issuer=self.account)
        path = folder / "user.creds"
        path.write_text(
            f"-----BEGIN NATS USER JWT-----\n{token}\n------END NATS USER JWT------\n\n"
            "************************* IMPORTANT *************************\n"
            f"-----BEGIN USER NKEY SEED-----\n{self.user.decode()}\n"
            "------END USER NKEY SEED------\n"
        )
        path.chmod(0o600)
        return path
