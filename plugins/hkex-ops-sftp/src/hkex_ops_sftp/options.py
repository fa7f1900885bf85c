"""What an operator sets: who logs in, with which key, where, and which host keys are right.

Every fault is a `ConfigError` when the value is made, whether from a file or by hand. Knows no
network and does not open the private key; :mod:`hkex_ops_sftp.keys` does, just before a login.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from pathlib import Path

from attrs import Attribute, field, frozen

from hkex_ops.errors import ConfigError
from hkex_ops.model import Endpoint, SiteRole
from hkex_ops_sftp.pins import HOW_TO_PIN, HostKeyPin, pins_in_file

__all__ = [
    "SftpAddress",
    "SftpOptions",
    "SftpSite",
    "addresses_of",
    "sending_fault",
]

SSH_PORT = 22

# TCP, key exchange and authentication are about a dozen round trips; a healthy line needs less
# than a second, and twenty leave room for a server whose name look-up of its client is slow.
LOGIN_TIMEOUT_S = 20

# Other SFTP clients wait for ever when a server stops answering. Thirty seconds is far longer
# than any answer takes on a line that works and short enough for a deadline to be kept.
INACTIVITY_TIMEOUT_S = 30

# Enough to hide the round trips of a remote line; servers commonly allow 100 open files.
FILES_IN_FLIGHT = 100
MOST_FILES_IN_FLIGHT = 128

# How many sessions an exchange allows one user is not public; one is always allowed.
CONNECTIONS = 1
MOST_CONNECTIONS = 8


def _filled(_: object, attribute: Attribute[str], text: str) -> None:
    if not text.strip():
        raise ConfigError(f"{attribute.name} is empty")


def _path(value: str | Path | None) -> Path | None:
    return None if value is None else Path(value)


def _positive(_: object, attribute: Attribute[int], number: int) -> None:
    if number < 1:
        raise ConfigError(f"{attribute.name} is {number} and must be at least 1")


def _tuple(addresses: Iterable[SftpAddress]) -> tuple[SftpAddress, ...]:
    return tuple(addresses)


@frozen
class SftpAddress:
    """One address of a site. ``host_keys`` are the keys it may show; there must be one at least,
    here or in the file that the options name."""

    host: str = field(validator=_filled)
    port: int = field(default=SSH_PORT)
    host_keys: tuple[str, ...] = ()

    def __attrs_post_init__(self) -> None:
        if not 0 < self.port < 65536:
            raise ConfigError(f"port of {self.host} is {self.port} and must be from 1 to 65535")
        for text in self.host_keys:
            try:
                HostKeyPin.parse(text)
            except ConfigError as error:
                raise ConfigError(f"host_keys of {self}: {error}") from None

    @property
    def pins(self) -> tuple[HostKeyPin, ...]:
        """The host keys, read."""
        return tuple(HostKeyPin.parse(text) for text in self.host_keys)

    def __str__(self) -> str:
        return f"{self.host} port {self.port}"


@frozen
class SftpSite:
    """The addresses of one site, in the order in which they are tried."""

    addresses: tuple[SftpAddress, ...] = field(converter=_tuple)

    def __attrs_post_init__(self) -> None:
        if not self.addresses:
            raise ConfigError("a site has no addresses: write at least one")


@frozen(kw_only=True)
class SftpOptions:
    """The options of the report source ``sftp``.

    ``user`` logs in with the private key in ``key_file``, or with the one in the running agent
    whose public key ``agent_key`` is, and reads ``folder``. A private key that is encrypted has
    its passphrase in ``passphrase_file``, in the credential store under the name
    ``passphrase_entry``, or is asked for at the terminal. ``key_expires`` and
    ``key_active_after_days`` (business days until a new public key is active) are what the
    exchange told, for `hkex-ops keys`. Where
    ``upload_folder`` is named files may be sent there, else none ever is. A relative path in
    a configuration file counts from that file; ``~`` is the home folder. ``sites`` are keyed
    ``primary`` and ``secondary``. ``login_timeout_s`` bounds everything up to the SFTP session of
    one address; ``inactivity_timeout_s`` is how long a server may leave every open request
    unanswered; ``files_in_flight`` is how many reports are fetched at once. ``connections`` is how
    many sessions there may be at the same time: more than one are opened only on a far line, when
    there is more to fetch than one can carry.
    """

    user: str = field(validator=_filled)
    key_file: Path | None = field(default=None, converter=_path)
    passphrase_file: Path | None = field(default=None, converter=_path)
    passphrase_entry: str | None = None
    agent_key: str | None = None
    key_expires: date | None = None
    key_active_after_days: int = 0
    host_keys_file: Path | None = field(default=None, converter=_path)
    folder: str = field(default=".", validator=_filled)
    upload_folder: str | None = None
    sites: dict[str, SftpSite]
    login_timeout_s: int = field(default=LOGIN_TIMEOUT_S, validator=_positive)
    inactivity_timeout_s: int = field(default=INACTIVITY_TIMEOUT_S, validator=_positive)
    files_in_flight: int = field(default=FILES_IN_FLIGHT, validator=_positive)
    connections: int = field(default=CONNECTIONS, validator=_positive)

    def __attrs_post_init__(self) -> None:
        self._require_key()
        self._require_pins()
        roles = [str(role) for role in SiteRole]
        for name in self.sites:
            if name not in roles:
                raise ConfigError(f"there is no site {name!r}; sites are {' and '.join(roles)}")
        if self.files_in_flight > MOST_FILES_IN_FLIGHT:
            raise ConfigError(
                f"files_in_flight is {self.files_in_flight} and must be at most "
                f"{MOST_FILES_IN_FLIGHT}, or servers refuse to open more"
            )
        if self.connections > MOST_CONNECTIONS:
            raise ConfigError(
                f"connections is {self.connections} and must be at most {MOST_CONNECTIONS}, or "
                "others find no room at the server"
            )

    def _require_key(self) -> None:
        if (self.key_file is None) == (self.agent_key is None):
            raise ConfigError(
                "name key_file, the private key to log in with, or agent_key, the public key of "
                "one that the agent holds, and not both"
            )
        if self.agent_key is not None:
            try:
                HostKeyPin.parse(self.agent_key)
            except ConfigError:
                raise ConfigError(
                    "agent_key is not a public key: write the line that ssh-add -L shows, or the "
                    "fingerprint (SHA256:…) that ssh-add -l shows"
                ) from None
        if self.passphrase_file is not None and self.passphrase_entry is not None:
            raise ConfigError("name passphrase_file or passphrase_entry, and not both")
        if self.key_active_after_days < 0:
            raise ConfigError("key_active_after_days must be 0 or more business days")

    def _require_pins(self) -> None:
        if self.host_keys_file is not None:
            return
        for site in self.sites.values():
            for address in site.addresses:
                if not address.host_keys:
                    raise ConfigError(f"{address} has no host_keys: {HOW_TO_PIN}")

    def pins_of(self, address: SftpAddress) -> tuple[HostKeyPin, ...]:
        """The host keys that ``address`` may show; `ConfigError` when there are none."""
        pins = address.pins
        if self.host_keys_file is not None:
            pins += pins_in_file(self.host_keys_file, address.host, address.port)
        if not pins:
            raise ConfigError(
                f"no host key of {address} is known, neither in the configuration nor in "
                f"{self.host_keys_file}: run hkex-ops hostkeys add and compare with the paper"
            )
        return pins

    def site(self, role: SiteRole) -> SftpSite:
        """The site that plays ``role``; `ConfigError` naming the known ones when there is none."""
        try:
            return self.sites[role.value]
        except KeyError:
            known = ", ".join(sorted(self.sites)) or "none"
            raise ConfigError(
                f"the options of report source sftp have no site {role}; known: {known}: add its "
                "addresses or choose another site"
            ) from None


def addresses_of(options: SftpOptions, site: SiteRole) -> tuple[Endpoint, ...]:
    """The addresses tried for ``site``, in order; `ConfigError` when the options have none."""
    return tuple(Endpoint(one.host, one.port) for one in options.site(site).addresses)


def sending_fault(options: SftpOptions) -> str | None:
    """Why nothing can be sent with these options, for the operator; nothing when it can."""
    if options.upload_folder is not None:
        return None
    return "set upload_folder in its options to the folder that files are sent to"
