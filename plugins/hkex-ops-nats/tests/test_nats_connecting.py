"""Who is spoken to and what is told to whom: TLS, secrets, and servers that are none."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import pytest
from attrs import evolve
from basic_certificates import Authority, Certified
from nats_benches import publisher_options, secret_file, stored
from nats_servers import PASSWORDS, Nats
from nats_tokens import Decentral, new_seed, public_key

from hkex_ops.errors import (
    AuthRefused,
    Busy,
    ConfigError,
    HkexOpsError,
    Rejected,
    TimedOut,
    Unreachable,
)
from hkex_ops.model import HONG_KONG, IndexTick, SiteRole
from hkex_ops_nats import NatsPublisherOptions, open_nats_publisher

TICKS = [IndexTick("0000100", datetime(2010, 1, 22, 10, tzinfo=HONG_KONG), Decimal(1))]


async def publish(options: NatsPublisherOptions) -> None:
    async with open_nats_publisher(options, SiteRole.PRIMARY) as publisher:
        await publisher.publish(TICKS)


async def failure(options: NatsPublisherOptions) -> HkexOpsError:
    with pytest.raises(HkexOpsError) as caught:
        await publish(options)
    told = str(caught.value)
    assert not [password for password in PASSWORDS.values() if password in told]
    return caught.value


# -- TLS ------------------------------------------------------------------------------------------


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path, "authority")


def tls(certified: Certified, *, clients_of: Authority | None = None) -> Sequence[str]:
    """The lines by which a server speaks TLS, and looks at its visitors' certificates."""
    verify = () if clients_of is None else (f'  ca_file: "{clients_of.file}"', "  verify: true")
    return (
        "tls {",
        f'  cert_file: "{certified.certificate_file}"',
        f'  key_file: "{certified.key_file}"',
        *verify,
        "}",
    )


def protected(server: Nats, folder: Path, authority: Authority) -> NatsPublisherOptions:
    return evolve(
        publisher_options(server, folder=folder),
        servers=(f"tls://127.0.0.1:{server.port}",),
        ca_file=authority.file,
    )


async def test_a_protected_line_to_the_right_server(
    tmp_path: Path, authority: Authority, caplog: pytest.LogCaptureFixture
) -> None:
    """It works, and its end is no event that the event loop has to complain about."""
    certified = authority.certify("127.0.0.1")
    async with Nats(tmp_path, settings=tls(certified)) as server:
        await publish(protected(server, tmp_path, authority))
    assert [] == [record.message for record in caplog.records if record.levelname != "DEBUG"]


@pytest.mark.parametrize(
    ("names", "signed_by", "reason"),
    [
        (["127.0.0.1"], "somebody else", "unable to get local issuer certificate"),
        (["nats.example"], "authority", "IP address mismatch"),
    ],
)
async def test_a_server_that_cannot_prove_itself_is_refused(
    tmp_path: Path, authority: Authority, names: list[str], signed_by: str, reason: str
) -> None:
    signer = authority if signed_by == "authority" else Authority(tmp_path, "another")
    async with Nats(tmp_path, settings=tls(signer.certify(*names))) as server:
        error = await failure(protected(server, tmp_path, authority))
    assert isinstance(error, Rejected)
    assert "its certificate is not accepted" in str(error)
    assert reason in str(error)


async def test_a_client_certificate_is_shown_to_who_asks_for_it(
    tmp_path: Path, authority: Authority
) -> None:
    certified, ours = authority.certify("127.0.0.1"), authority.certify("engine")
    settings = tls(certified, clients_of=authority)
    async with Nats(tmp_path, settings=settings) as server:
        options = protected(server, tmp_path, authority)
        with pytest.raises((Unreachable, Rejected)):
            await publish(options)
        await publish(
            evolve(options, certificate_file=ours.certificate_file, key_file=ours.key_file)
        )


async def test_a_password_is_never_told_on_a_line_that_should_be_protected(
    tmp_path: Path, authority: Authority
) -> None:
    """Somebody between us and the server leaves out that TLS is wanted: nothing secret is said."""
    heard = b""

    async def pose(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal heard
        writer.write(b'INFO {"server_id":"X","version":"2.9.10","auth_required":true}\r\n')
        heard += await reader.read(4096)
        writer.close()

    async with await asyncio.start_server(pose, "127.0.0.1") as poser:
        port = poser.sockets[0].getsockname()[1]
        options = NatsPublisherOptions(
            servers=(f"tls://127.0.0.1:{port}",),
            ca_file=authority.file,
            user="engine",
            password_file=secret_file(tmp_path, "engine", PASSWORDS["engine"]),
        )
        error = await failure(options)
    assert isinstance(error, Rejected)
    assert "offers no TLS, so no secret was sent" in str(error)
    assert b"" == heard


async def test_a_server_without_tls_is_refused_even_where_nobody_logs_in(
    tmp_path: Path, authority: Authority
) -> None:
    async with Nats(tmp_path, authorization=()) as server:
        options = NatsPublisherOptions(
            servers=(f"tls://127.0.0.1:{server.port}",), ca_file=authority.file
        )
        assert isinstance(await failure(options), Rejected)


@pytest.mark.parametrize(
    ("option", "content", "reason"),
    [
        ("ca_file", None, "No such file or directory"),
        ("ca_file", "no certificate", "it is not what it should be"),
        ("certificate_file", "no certificate", "it is not what it should be"),
    ],
)
async def test_files_of_certificates_that_cannot_be_used_are_named(
    tmp_path: Path, authority: Authority, option: str, content: str | None, reason: str
) -> None:
    wrong = tmp_path / "wrong.pem"
    if content is not None:
        wrong.write_text(content)
    ours = authority.certify("engine")
    options = NatsPublisherOptions(
        servers=("tls://127.0.0.1:1",),
        ca_file=authority.file,
        certificate_file=ours.certificate_file,
        key_file=ours.key_file,
    )
    error = await failure(evolve(options, **{option: wrong}))
    assert isinstance(error, ConfigError)
    assert f"{option} {wrong}" in str(error)
    assert reason in str(error)


# -- logging in -----------------------------------------------------------------------------------


@pytest.fixture
async def guarded(tmp_path: Path) -> AsyncIterator[Nats]:
    """A server that knows one user by a key."""
    key = public_key(new_seed("user", 7))
    lines = (f"authorization {{ users: [ {{ nkey: {key} }} ] }}",)
    async with Nats(tmp_path, authorization=lines) as server:
        yield server


async def test_a_user_is_known_by_a_key(tmp_path: Path, guarded: Nats) -> None:
    seed = secret_file(tmp_path, "seed", f"{new_seed('user', 7).decode()}\n")
    await publish(NatsPublisherOptions(servers=(guarded.url,), nkey_file=seed))


async def test_another_key_is_refused(tmp_path: Path, guarded: Nats) -> None:
    seed = secret_file(tmp_path, "seed", new_seed("user", 8).decode())
    error = await failure(NatsPublisherOptions(servers=(guarded.url,), nkey_file=seed))
    assert isinstance(error, AuthRefused)


async def test_nobody_is_refused(guarded: Nats) -> None:
    error = await failure(NatsPublisherOptions(servers=(guarded.url,)))
    assert isinstance(error, AuthRefused)


async def test_a_user_is_known_by_credentials(tmp_path: Path) -> None:
    """A token that the account signed, the account's that the operator signed, and a seed."""
    authorities = Decentral()
    async with Nats(tmp_path, authorization=authorities.settings()) as server:
        credentials = authorities.credentials(tmp_path)
        options = NatsPublisherOptions(servers=(server.url,), credentials_file=credentials)
        await publish(options)
        stranger = evolve(authorities, account=new_seed("account", 9)).credentials(tmp_path)
        error = await failure(evolve(options, credentials_file=stranger))
    assert isinstance(error, AuthRefused)


async def test_a_secret_is_read_again_at_each_login(tmp_path: Path) -> None:
    async with Nats(tmp_path) as server:
        options = publisher_options(server, folder=tmp_path)
        assert options.password_file is not None
        async with open_nats_publisher(options, SiteRole.PRIMARY) as publisher:
            renewed = {**PASSWORDS, "engine": "renewed-password"}
            server.kill()
            server.authorization = tuple(
                line.replace(PASSWORDS["engine"], renewed["engine"])
                for line in server.authorization
            )
            options.password_file.write_text(f"{renewed['engine']}\n")
            await server.start()
            await publisher.publish(TICKS)
        assert TICKS == await stored(server)


# -- what is no NATS server -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("says", "expected"),
    [
        (b"220 mail.example ESMTP\r\n", Unreachable),
        (b"INFO not json\r\n", Rejected),
        (b"", Unreachable),
        (b'INFO {"server_id":"X"}\r\n-ERR \'maximum connections exceeded\'\r\n', Busy),
        (None, TimedOut),
    ],
)
async def test_somebody_else_at_the_address_is_told_in_time(
    says: bytes | None, expected: type[HkexOpsError]
) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if says is None:
            await reader.read()
        else:
            writer.write(says)
            await writer.drain()
            if says.startswith(b"INFO"):
                await reader.read(4096)
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1") as somebody:
        port = somebody.sockets[0].getsockname()[1]
        options = NatsPublisherOptions(
            servers=(f"nats://127.0.0.1:{port}",), connect_timeout_s=1, timeout_s=2
        )
        async with asyncio.timeout(5):
            assert isinstance(await failure(options), expected)


async def test_servers_that_a_server_names_are_not_tried(tmp_path: Path) -> None:
    """A cluster tells its clients of its other servers; only the operator's list counts."""
    tried = asyncio.Event()

    async def touched(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tried.set()
        writer.close()

    async with (
        await asyncio.start_server(touched, "127.0.0.1") as other,
        Nats(tmp_path) as server,
    ):
        port = other.sockets[0].getsockname()[1]
        server.kill()
        server.settings = (f'client_advertise: "127.0.0.1:{port}"',)
        await server.start()
        options = publisher_options(server, folder=tmp_path)
        async with open_nats_publisher(options, SiteRole.PRIMARY) as publisher:
            server.kill()
            with pytest.raises(Unreachable):
                await publisher.publish(TICKS)
    assert not tried.is_set()
