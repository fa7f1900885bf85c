"""What is said to a mail server, and what becomes of a mail that it does not quite take."""

from __future__ import annotations

import asyncio
from datetime import datetime
from decimal import Decimal
from email.utils import parsedate_to_datetime
from pathlib import Path

import pytest
from attrs import evolve
from basic_certificates import Authority
from mail_benches import mail_options, secret_file
from mail_servers import PASSWORD, TAKEN, TOKEN, MailServer

from hkex_ops.clock import ManualClock
from hkex_ops.errors import (
    AuthRefused,
    Busy,
    ConfigError,
    HkexOpsError,
    Rejected,
    TimedOut,
    Unreachable,
)
from hkex_ops.model import HONG_KONG, IndexTick, SiteRole, TickKind
from hkex_ops_mail import LineSecurity, MailDoor, MailPublisherOptions
from hkex_ops_mail.delivered import LETTERS_REMEMBERED, Delivered
from hkex_ops_mail.letters import letter_identity
from hkex_ops_mail.publisher import MailPublisher
from hkex_ops_mail.sending import RecipientResult

AT = datetime(2010, 1, 22, 10, 0, 15, tzinfo=HONG_KONG)
TICKS = [IndexTick("0000100", AT, Decimal("20726.10"), kind=TickKind.CONTINGENCY)]
VENDORS, PARTICIPANTS = "vendors@list.example", "participants@list.example"
REGULATOR = "regulator@authority.example"


@pytest.fixture
def options(server: MailServer, tmp_path: Path) -> MailPublisherOptions:
    return evolve(mail_options(server, tmp_path), hidden_recipients=(REGULATOR,))


async def publish(options: MailPublisherOptions) -> None:
    async with MailDoor().open(options, SiteRole.PRIMARY) as publisher:
        await publisher.publish(TICKS)


async def failure(options: MailPublisherOptions) -> HkexOpsError:
    with pytest.raises(HkexOpsError) as caught:
        await publish(options)
    told = f"{caught.value!s} {caught.value.__cause__!r}"
    assert PASSWORD not in told
    assert TOKEN not in told
    return caught.value


# -- to whom --------------------------------------------------------------------------------------


async def test_one_mail_goes_to_everybody(
    server: MailServer, options: MailPublisherOptions
) -> None:
    await publish(options)
    (mail,) = server.mails
    assert ("index@broker.example", (VENDORS, PARTICIPANTS, REGULATOR)) == (
        mail.sender,
        mail.recipients,
    )
    assert REGULATOR not in mail.message.as_string()
    assert ["PLAIN"] == server.logins


async def test_values_of_other_kinds_are_not_written(
    server: MailServer, options: MailPublisherOptions
) -> None:
    async with MailDoor().open(options, SiteRole.PRIMARY) as publisher:
        await publisher.publish([evolve(tick, kind=TickKind.REAL_TIME) for tick in TICKS])
    assert [] == server.mails


async def test_the_receipt_of_every_recipient_is_kept(
    server: MailServer, options: MailPublisherOptions
) -> None:
    publisher = MailPublisher(options, Delivered(), ManualClock(AT))
    server.replies[PARTICIPANTS] = "450 4.2.1 mailbox busy"
    with pytest.raises(Busy):
        await publisher.publish(TICKS)
    (receipt,) = publisher.receipts
    assert (letter_identity(TICKS, options.sender), AT) == (receipt.message_id, receipt.at)
    queued = TAKEN.removeprefix("250 ")
    assert (
        RecipientResult(VENDORS, True, 250, queued),
        RecipientResult(PARTICIPANTS, False, 450, "4.2.1 mailbox busy"),
        RecipientResult(REGULATOR, True, 250, queued),
    ) == receipt.results
    (mail,) = server.mails
    assert AT == parsedate_to_datetime(mail.message["Date"])


async def test_who_has_the_letter_is_not_sent_it_again(
    server: MailServer, options: MailPublisherOptions
) -> None:
    """One list is busy, then it is not: the others have had theirs."""
    server.replies[PARTICIPANTS] = "450 4.2.1 mailbox busy"
    async with MailDoor().open(options, SiteRole.PRIMARY) as publisher:
        with pytest.raises(Busy, match=r"taken for 2 of 3 .*, and not for participants@list"):
            await publisher.publish(TICKS)
        server.replies.clear()
        await publisher.publish(TICKS)
        await publisher.publish(TICKS)
    assert [(VENDORS, REGULATOR), (PARTICIPANTS,)] == [mail.recipients for mail in server.mails]
    assert 1 == len({mail.message["Message-ID"] for mail in server.mails})


async def test_who_has_the_letter_is_remembered_while_the_publisher_is_opened_again(
    server: MailServer, options: MailPublisherOptions
) -> None:
    """Whoever drives a publisher opens it anew after a failure, and repeats what failed."""
    door = MailDoor()
    server.replies[PARTICIPANTS] = "450 4.2.1 mailbox busy"
    async with door.open(options, SiteRole.PRIMARY) as publisher:
        with pytest.raises(Busy):
            await publisher.publish(TICKS)
    server.replies.clear()
    async with door.open(options, SiteRole.PRIMARY) as publisher:
        await publisher.publish(TICKS)
    assert [(VENDORS, REGULATOR), (PARTICIPANTS,)] == [mail.recipients for mail in server.mails]


def test_letters_are_remembered_for_an_hour_and_not_for_ever(
    options: MailPublisherOptions,
) -> None:
    delivered = Delivered()
    delivered.who_has(options, "first").add(VENDORS)
    for number in range(LETTERS_REMEMBERED - 1):
        delivered.who_has(options, f"{number}")
    assert {VENDORS} == delivered.who_has(options, "first")
    delivered.who_has(options, "one more")
    assert set() == delivered.who_has(options, "first")


@pytest.mark.parametrize(
    ("replies", "expected"),
    [
        ({VENDORS: "550 5.1.1 no such list"}, Rejected),
        ({VENDORS: "450 busy"}, Busy),
        ({VENDORS: "550 no such list", PARTICIPANTS: "450 busy"}, Busy),
        (dict.fromkeys((VENDORS, PARTICIPANTS, REGULATOR), "550 no such list"), Rejected),
        (dict.fromkeys((VENDORS, PARTICIPANTS, REGULATOR), "451 later"), Busy),
    ],
    ids=str,
)
async def test_a_refusal_is_for_good_when_all_of_it_is(
    server: MailServer,
    options: MailPublisherOptions,
    replies: dict[str, str],
    expected: type[HkexOpsError],
) -> None:
    server.replies = replies
    error = await failure(options)
    assert expected is type(error)
    assert f"taken for {3 - len(replies)} of 3" in str(error)
    for recipient in replies:
        assert recipient in str(error)


# -- a server that fails --------------------------------------------------------------------------


async def test_a_server_that_hangs_up_instead_of_answering_may_get_it_twice(
    server: MailServer, options: MailPublisherOptions
) -> None:
    """It took the mail and nobody knows: the repetition bears the same Message-ID."""
    server.reply = None
    async with MailDoor().open(options, SiteRole.PRIMARY) as publisher:
        with pytest.raises(Unreachable, match="handing over the mail"):
            await publisher.publish(TICKS)
        server.reply = TAKEN
        await publisher.publish(TICKS)
    identities = [mail.message["Message-ID"] for mail in server.mails]
    assert [letter_identity(TICKS, options.sender)] * 2 == identities


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        ("451 4.3.0 try later", Busy),
        ("421 4.3.2 shutting down", Busy),
        ("552 5.3.4 too big", Rejected),
        ("554 5.7.1 no", Rejected),
        ("530 5.7.0 log in first", AuthRefused),
    ],
)
async def test_an_answer_is_told_by_its_code(
    server: MailServer, options: MailPublisherOptions, reply: str, expected: type[HkexOpsError]
) -> None:
    server.reply = reply
    assert expected is type(await failure(options))


async def test_a_slow_server_is_given_up_in_time(
    server: MailServer, options: MailPublisherOptions
) -> None:
    server.is_silent = True
    async with asyncio.timeout(5):
        assert isinstance(await failure(evolve(options, timeout_s=1)), TimedOut)


async def test_somebody_else_at_the_address_is_told(options: MailPublisherOptions) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1") as somebody:
        port = somebody.sockets[0].getsockname()[1]
        error = await failure(evolve(options, port=port))
    assert isinstance(error, Rejected)
    assert "this is no mail server" in str(error)


# -- TLS ------------------------------------------------------------------------------------------


async def test_nothing_is_said_where_the_line_cannot_be_protected(
    authority: Authority, tmp_path: Path
) -> None:
    """Somebody between us and the server leaves STARTTLS out: no login, no mail."""
    async with MailServer(authority, offers_tls=False, wants_login=False) as server:
        error = await failure(mail_options(server, tmp_path))
        assert isinstance(error, Rejected)
        assert "STARTTLS extension not supported" in str(error)
        assert ([], []) == (server.logins, server.mails)


@pytest.mark.parametrize("is_implicit", [False, True])
@pytest.mark.parametrize(
    ("names", "signed_by", "reason"),
    [
        (("127.0.0.1",), "somebody else", "unable to get local issuer certificate"),
        (("mail.example",), "authority", "IP address mismatch"),
    ],
)
async def test_a_server_that_cannot_prove_itself_is_told_nothing(
    authority: Authority,
    tmp_path: Path,
    is_implicit: bool,
    names: tuple[str, ...],
    signed_by: str,
    reason: str,
) -> None:
    signer = authority if signed_by == "authority" else Authority(tmp_path, "another")
    async with MailServer(signer, is_implicit=is_implicit, names=names) as server:
        options = evolve(mail_options(server, tmp_path), ca_file=authority.file)
        error = await failure(options)
        assert isinstance(error, Rejected)
        assert f"its certificate is not accepted: {reason}" in str(error).replace("'", "")
        assert ([], []) == (server.logins, server.mails)


async def test_this_machine_may_be_spoken_to_plainly(authority: Authority, tmp_path: Path) -> None:
    async with MailServer(authority, offers_tls=False, wants_login=False) as server:
        options = mail_options(server, tmp_path)
        await publish(evolve(options, security=LineSecurity.NONE, user="", password_file=None))
        assert 1 == len(server.mails)


# -- logging in -----------------------------------------------------------------------------------


async def test_a_token_is_read_again_for_each_mail(server: MailServer, tmp_path: Path) -> None:
    options = mail_options(server, tmp_path, by_token=True)
    secret_file(tmp_path, "token", "expired")
    async with MailDoor().open(options, SiteRole.PRIMARY) as publisher:
        with pytest.raises(AuthRefused):
            await publisher.publish(TICKS)
        secret_file(tmp_path, "token", f"{TOKEN}\n")
        await publisher.publish(TICKS)
    assert ["XOAUTH2", "XOAUTH2"] == server.logins
    assert 1 == len(server.mails)


async def test_a_server_that_takes_no_tokens_is_told_none(
    authority: Authority, tmp_path: Path
) -> None:
    async with MailServer(authority, knows_xoauth2=False) as server:
        error = await failure(mail_options(server, tmp_path, by_token=True))
        assert isinstance(error, Rejected)
        assert "offers no XOAUTH2, so no token was sent" in str(error)
        assert ([], []) == (server.logins, server.mails)


@pytest.mark.parametrize("option", ["ca_file", "password_file"])
async def test_a_file_that_is_missing_is_told_before_the_day_it_is_needed(
    options: MailPublisherOptions, tmp_path: Path, option: str
) -> None:
    missing = tmp_path / "missing"
    with pytest.raises(ConfigError, match=f"{missing}"):
        async with MailDoor().open(evolve(options, **{option: missing}), SiteRole.PRIMARY):
            pass
