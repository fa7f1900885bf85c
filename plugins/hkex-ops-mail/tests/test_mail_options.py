"""Options say at once what is wrong with them; files of secrets are safe or are refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from mail_benches import secret_file

from hkex_ops.config.secret_files import secret_line
from hkex_ops.config.settings import load_settings, structure_options
from hkex_ops.errors import ConfigError
from hkex_ops.model import Endpoint, SiteRole, TickKind
from hkex_ops_mail import LineSecurity, MailPublisherOptions, hkex_ops_index_publishers
from hkex_ops_mail.options import is_address

HOST = "mail.example"
SENDER = "index@broker.example"
LIST = ("vendors@list.example",)

CONFIGURATION = """
[index_publishers.contingency]
adapter = "mail"
[index_publishers.contingency.options]
host = "mail.example"
security = "tls"
ca_file = "keys/mail-ca.pem"
user = "index-desk"
token_file = "keys/mail-token"
sender = "index@broker.example"
recipients = ["vendors@list.example"]
kinds = ["contingency", "recalculated"]
notice = "SYNTHETIC"
"""


def test_options_are_filled_from_a_configuration(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text(CONFIGURATION)
    settings = load_settings(tmp_path / "config.toml")
    given = settings.index_publishers["contingency"].options
    options = structure_options(
        settings, "contingency", given, MailPublisherOptions, table="index_publishers"
    )
    expected = MailPublisherOptions(
        host=HOST,
        security=LineSecurity.TLS,
        ca_file=tmp_path / "keys/mail-ca.pem",
        user="index-desk",
        token_file=tmp_path / "keys/mail-token",
        sender=SENDER,
        recipients=LIST,
        kinds=(TickKind.CONTINGENCY, TickKind.RECALCULATED),
        notice="SYNTHETIC",
    )
    assert expected == options


@pytest.mark.parametrize(
    ("security", "port", "expected"),
    [
        (LineSecurity.STARTTLS, None, 587),
        (LineSecurity.TLS, None, 465),
        (LineSecurity.TLS, 2465, 2465),
    ],
)
def test_the_offer_tells_the_address_it_would_try(
    security: LineSecurity, port: int | None, expected: int
) -> None:
    (offer,) = hkex_ops_index_publishers()
    options = MailPublisherOptions(
        host=HOST, port=port, security=security, sender=SENDER, recipients=LIST
    )
    assert (Endpoint(HOST, expected),) == offer.addresses(options, SiteRole.SECONDARY)


def made(**options: object) -> MailPublisherOptions:
    right: dict[str, object] = {"host": HOST, "sender": SENDER, "recipients": LIST}
    return MailPublisherOptions(**(right | options))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"host": ""}, "host is ''"),
        ({"host": "a b"}, "host is 'a b'"),
        ({"helo_name": "a\r\nRCPT"}, "helo_name is"),
        ({"port": 0}, "port is 0"),
        ({"timeout_s": 0}, "timeout_s is 0"),
        ({"security": LineSecurity.NONE}, "without protection"),
        ({"user": "index-desk"}, "belongs together"),
        ({"token_file": "token"}, "belongs together"),
        ({"user": "a", "token_file": "b", "password_file": "c"}, "two ways to log in"),
        ({"user": "a\nb", "password_file": "c"}, "user must be one line"),
        ({"sender": "index"}, "sender is 'index'"),
        ({"sender": "Index <index@broker.example>"}, "sender is"),
        ({"recipients": ("a@b.example\r\nBcc: c@d.example",)}, "recipients has"),
        ({"hidden_recipients": ("a@b.example, c@d.example",)}, "hidden_recipients has"),
        ({"recipients": ()}, "nobody is written to"),
        ({"recipients": tuple(f"{n}@list.example" for n in range(101))}, "100 are the most"),
        ({"notice": "x\ny"}, "notice must be one line"),
        ({"notice": "x" * 61}, "notice must be one line"),
    ],
    ids=str,
)
def test_what_cannot_be_meant_is_told_at_once(options: dict[str, object], reason: str) -> None:
    with pytest.raises(ConfigError, match=reason):
        made(**options)


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda: made(host="127.0.0.1", security=LineSecurity.NONE), True),
        (lambda: made(host="localhost", security=LineSecurity.NONE), True),
        (lambda: made(security=LineSecurity.NONE, allow_plain=True), False),
    ],
)
def test_a_line_without_protection_stays_on_the_machine_or_is_allowed(
    make: Callable[[], MailPublisherOptions], expected: bool
) -> None:
    assert expected is make().is_this_machine


def test_an_address_that_stands_twice_is_written_to_once() -> None:
    options = made(recipients=(*LIST, *LIST), hidden_recipients=LIST)
    assert LIST == options.everybody


@pytest.mark.parametrize(
    ("expected", "text"),
    [
        (True, "a@b"),
        (True, "first.last+tag@mail.example"),
        (False, ""),
        (False, "a@b@c"),
        (False, "a b@c"),
        (False, "a@b "),
        (False, '"a b"@c'),
        (False, "ä@b"),
        (False, "a@b\n"),
        (False, f"{'a' * 65}@b"),
    ],
)
def test_an_address_is_a_plain_one(expected: bool, text: str) -> None:
    assert expected is is_address(text)


# -- secrets --------------------------------------------------------------------------------------


def test_a_secret_is_one_line(tmp_path: Path) -> None:
    path = secret_file(tmp_path, "password", "open sesame\n")
    assert "open sesame" == secret_line(path, "password_file")


@pytest.mark.parametrize(
    ("content", "reason"),
    [("", "must hold one line"), ("SECRET\nSECRET\n", "must hold one line"), ("SECRET\0", "one")],
)
def test_a_file_that_holds_no_secret_is_told_without_what_it_holds(
    tmp_path: Path, content: str, reason: str
) -> None:
    with pytest.raises(ConfigError, match=reason) as caught:
        secret_line(secret_file(tmp_path, "secret", content), "password_file")
    assert "SECRET" not in str(caught.value)


def test_a_file_of_a_secret_that_is_not_text_is_told_without_what_it_holds(tmp_path: Path) -> None:
    path = secret_file(tmp_path, "secret", "")
    path.write_bytes(b"SECRET\xff")
    with pytest.raises(ConfigError, match="is not text") as caught:
        secret_line(path, "token_file")
    assert caught.value.__context__ is None


def test_a_secret_that_others_may_read_is_refused(tmp_path: Path) -> None:
    path = secret_file(tmp_path, "secret", "open sesame")
    path.chmod(0o604)
    with pytest.raises(ConfigError, match=r"open to other users \(mode 0604\): run chmod 600"):
        secret_line(path, "password_file")


@pytest.mark.parametrize(
    ("name", "reason"),
    [("missing", "there is no file at"), (".", "cannot be read|is not a plain file")],
)
def test_a_secret_that_is_not_there_is_told(tmp_path: Path, name: str, reason: str) -> None:
    with pytest.raises(ConfigError, match=reason):
        secret_line(tmp_path / name, "password_file")
