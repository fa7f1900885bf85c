"""Options say at once what is wrong with them; files of secrets are safe or are refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from nats_benches import secret_file
from nats_tokens import Decentral, new_seed

from hkex_ops.config.settings import load_settings, structure_options
from hkex_ops.errors import ConfigError
from hkex_ops.model import Endpoint, SiteRole
from hkex_ops_nats import (
    NatsFeedOptions,
    NatsPublisherOptions,
    hkex_ops_index_feeds,
    hkex_ops_index_publishers,
    open_nats_publisher,
)
from hkex_ops_nats.options import NatsServer
from hkex_ops_nats.secrets import read_credentials, read_password, read_seed

HERE = ("nats://127.0.0.1:4222",)

CONFIGURATION = """
[index_publishers.nats]
adapter = "nats"
[index_publishers.nats.options]
servers = ["tls://nats-a.example:4222", "tls://nats-b.example"]
ca_file = "keys/ca.pem"
credentials_file = "keys/engine.creds"
replicas = 3

[index_feeds.nats]
adapter = "nats"
[index_feeds.nats.options]
servers = ["tls://nats-a.example:4222"]
durable = "eas"
start = "2026-02-02T09:30:00+08:00"
"""


def test_options_are_filled_from_a_configuration(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text(CONFIGURATION)
    settings = load_settings(tmp_path / "config.toml")
    given = settings.index_publishers["nats"].options
    options = structure_options(
        settings, "nats", given, NatsPublisherOptions, table="index_publishers"
    )
    expected = NatsPublisherOptions(
        servers=("tls://nats-a.example:4222", "tls://nats-b.example"),
        ca_file=tmp_path / "keys/ca.pem",
        credentials_file=tmp_path / "keys/engine.creds",
        replicas=3,
    )
    assert expected == options
    given = settings.index_feeds["nats"].options
    feed = structure_options(settings, "nats", given, NatsFeedOptions, table="index_feeds")
    assert "2026-02-02T09:30:00+08:00" == feed.since.isoformat() if feed.since else None


def test_both_offers_tell_the_addresses_they_would_try() -> None:
    servers = ("tls://nats-a.example:4223", "tls://[::1]")
    expected = (Endpoint("nats-a.example", 4223), Endpoint("::1", 4222))
    (publisher,), (feed,) = hkex_ops_index_publishers(), hkex_ops_index_feeds()
    publisher_options = NatsPublisherOptions(servers=servers)
    assert expected == publisher.addresses(publisher_options, SiteRole.PRIMARY)
    assert expected == feed.addresses(NatsFeedOptions(servers=servers), SiteRole.SECONDARY)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("tls://nats.example", NatsServer("nats.example", 4222, True)),
        ("nats://127.0.0.1:14222", NatsServer("127.0.0.1", 14222, False)),
        ("tls://[::1]:1", NatsServer("::1", 1, True)),
    ],
)
def test_a_server_is_an_address_and_a_way(text: str, expected: NatsServer) -> None:
    assert expected == NatsServer.parse(text)


@pytest.mark.parametrize(
    "text",
    ["nats.example", "ws://nats.example", "tls://", "tls://a/b", "tls://a:0", "tls://a:x", ""],
)
def test_what_is_no_server_is_told(text: str) -> None:
    with pytest.raises(ConfigError, match="is no server: write tls://HOST:PORT"):
        NatsServer.parse(text)


def test_a_secret_in_an_address_is_refused_and_not_repeated() -> None:
    with pytest.raises(ConfigError, match="leave user and password out") as caught:
        NatsPublisherOptions(servers=("tls://engine:open-sesame@nats.example",))
    assert "sesame" not in str(caught.value)


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda: NatsPublisherOptions(servers=()), "servers is empty"),
        (lambda: NatsPublisherOptions(servers=("nats://nats.example",)), "without protection"),
        (lambda: NatsPublisherOptions(servers=HERE, user="engine"), "belong together"),
        (lambda: NatsPublisherOptions(servers=HERE, key_file="key.pem"), "belong together"),
        (
            lambda: NatsPublisherOptions(
                servers=HERE, nkey_file="a", user="engine", password_file="b"
            ),
            "three ways to log in",
        ),
        (lambda: NatsPublisherOptions(servers=HERE, stream="a.b"), "stream is 'a.b'"),
        (lambda: NatsPublisherOptions(servers=HERE, subject_prefix="a..b"), "subject_prefix is"),
        (lambda: NatsPublisherOptions(servers=HERE, subject_prefix="a.>"), "subject_prefix is"),
        (lambda: NatsPublisherOptions(servers=HERE, replicas=2), "must be 1, 3 or 5"),
        (lambda: NatsPublisherOptions(servers=HERE, replicas=7), "must be 1, 3 or 5"),
        (lambda: NatsPublisherOptions(servers=HERE, max_age_s=60), "longer than max_age_s"),
        (lambda: NatsPublisherOptions(servers=HERE, max_size_bytes=0), "max_size_bytes is 0"),
        (lambda: NatsPublisherOptions(servers=HERE, timeout_s=0), "timeout_s is 0"),
        (lambda: NatsFeedOptions(servers=HERE, start="yesterday"), "write 'all', 'new', 'last'"),
        (lambda: NatsFeedOptions(servers=HERE, start="2010-01-22T10:00"), "with its zone"),
        (lambda: NatsFeedOptions(servers=HERE, start_sequence=0), "start_sequence is 0"),
        (lambda: NatsFeedOptions(servers=HERE, durable="a b"), "durable is 'a b'"),
        (lambda: NatsFeedOptions(servers=HERE, follow=False), "nothing would ever be read"),
    ],
)
def test_what_cannot_be_meant_is_told_at_once(make: Callable[[], object], reason: str) -> None:
    with pytest.raises(ConfigError, match=reason):
        make()


def test_a_line_without_protection_is_the_operators_to_allow() -> None:
    options = NatsPublisherOptions(servers=("nats://10.1.2.3:4222",), allow_plain=True)
    assert (NatsServer("10.1.2.3", 4222, False),) == options.addresses


# -- secrets --------------------------------------------------------------------------------------


def test_secrets_are_read(tmp_path: Path) -> None:
    assert "open sesame" == read_password(secret_file(tmp_path, "password", "open sesame\r\n"))
    seed = new_seed("user", 1).decode()
    assert seed == read_seed(secret_file(tmp_path, "seed", f"{seed}\n"))
    credentials = Decentral().credentials(tmp_path)
    assert credentials.read_text() == read_credentials(credentials)


@pytest.mark.parametrize(
    ("read", "content", "reason"),
    [
        (read_password, "", "must hold one line"),
        (read_password, "two\nlines\n", "must hold one line"),
        (read_seed, "SECRET", "holds no seed of a user"),
        (read_seed, new_seed("account", 1).decode(), "holds no seed of a user"),
        (read_credentials, "SECRET", "holds no user JWT"),
        (read_credentials, "-----BEGIN NATS USER JWT-----\nSECRET\n", "holds no user JWT"),
    ],
)
def test_a_file_that_holds_no_secret_is_told_without_what_it_holds(
    tmp_path: Path, read: Callable[[Path], str], content: str, reason: str
) -> None:
    with pytest.raises(ConfigError, match=reason) as caught:
        read(secret_file(tmp_path, "secret", content))
    assert "SECRET" not in str(caught.value)
    assert caught.value.__context__ is None


def test_a_file_of_a_secret_that_is_not_text_is_told_without_what_it_holds(tmp_path: Path) -> None:
    path = secret_file(tmp_path, "secret", "")
    path.write_bytes(b"SECRET\xff")
    with pytest.raises(ConfigError, match="is not text") as caught:
        read_password(path)
    assert caught.value.__context__ is None


def test_a_secret_that_others_may_read_is_refused(tmp_path: Path) -> None:
    path = secret_file(tmp_path, "secret", "open sesame")
    path.chmod(0o640)
    with pytest.raises(ConfigError, match=r"open to other users \(mode 0640\): run chmod 600"):
        read_password(path)


@pytest.mark.parametrize(
    ("name", "reason"),
    [("missing", "there is no file at"), (".", "cannot be read|is not a plain file")],
)
def test_a_secret_that_is_not_there_is_told(tmp_path: Path, name: str, reason: str) -> None:
    with pytest.raises(ConfigError, match=reason):
        read_password(tmp_path / name)


async def test_without_nkeys_a_seed_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The extra is built on the machine, so not every machine has it."""
    monkeypatch.setattr("hkex_ops_nats.connecting.find_spec", lambda name: None)
    seed = tmp_path / "user.nk"
    seed.touch(mode=0o600)
    options = NatsPublisherOptions(servers=HERE, stream="INDEX", nkey_file=seed)
    with pytest.raises(ConfigError, match=r"pip install 'hkex-ops-nats\[nkeys\]'"):
        async with open_nats_publisher(options, SiteRole.PRIMARY):
            pytest.fail("nothing can be opened")
