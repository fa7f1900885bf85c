"""What a notification looks like as a mail, and the server's own word as its receipt."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest
from attrs import evolve
from mail_benches import notifier_options
from mail_servers import MailServer

from hkex_ops.errors import Rejected
from hkex_ops.model import (
    HONG_KONG,
    Audience,
    Language,
    Notification,
    Outcome,
    Receipt,
    Severity,
    SiteRole,
)
from hkex_ops.ports import SupportsPreflight
from hkex_ops_mail import MailNotifierOptions, open_mail_notifier
from hkex_ops_mail.notices import notice_identity

AT = datetime(2010, 1, 22, 10, 5, tzinfo=HONG_KONG)
TOLD = Notification(
    "mode 1",
    Audience.REGULATOR,
    Severity.CRITICAL,
    "index/mode-changed",
    "[critical] Index publication: contingency",
    "The publication of the index is in the mode contingency.\nSecond line.",
    AT,
)
CHINESE = evolve(
    TOLD,
    language=Language.CHINESE,
    subject="【嚴重】指數發布模式：contingency",
    body="指數發布" * 60,
)
ONE, TWO, THREE = (f"{name}@authority.example" for name in ("one", "two", "three"))


@pytest.fixture
def options(server: MailServer, tmp_path: Path) -> MailNotifierOptions:
    return notifier_options(server, tmp_path)


async def tell(options: MailNotifierOptions, *receivers: str) -> tuple[Receipt, ...]:
    async with open_mail_notifier(options, SiteRole.PRIMARY) as notifier:
        return await notifier.notify(TOLD, receivers)


async def test_the_servers_word_is_the_receipt(
    server: MailServer, options: MailNotifierOptions
) -> None:
    """The name of the queue entry is what the other side's people can look for."""
    (receipt,) = await tell(options, ONE)
    expected = (Outcome.TAKEN, "250 2.0.0 Ok: queued as 4F2c1")
    assert expected == (receipt.outcome, receipt.reference)
    assert ["PLAIN"] == server.logins


async def test_a_mail_that_is_half_accepted_says_so_of_each(
    server: MailServer, options: MailNotifierOptions
) -> None:
    server.replies = {
        TWO: "450 4.2.1 mailbox busy",
        THREE: "550 5.1.1 User unknown",
    }
    receipts = await tell(options, ONE, TWO, THREE)
    assert [Outcome.TAKEN, Outcome.DEFERRED, Outcome.REFUSED] == [one.outcome for one in receipts]
    assert "550 5.1.1 User unknown" == receipts[2].detail
    assert [(ONE,)] == [mail.recipients for mail in server.mails]


async def test_receivers_do_not_see_each_other_unless_they_shall(
    server: MailServer, options: MailNotifierOptions
) -> None:
    await tell(options, ONE, TWO)
    await tell(evolve(options, shows_receivers=True), ONE, TWO)
    hidden, shown = (mail.message for mail in server.mails)
    assert ONE not in hidden.as_string()
    assert f"{ONE}, {TWO}" == shown["To"]
    assert "high" == hidden["Importance"]


async def test_chinese_arrives_as_it_was_written(
    server: MailServer, options: MailNotifierOptions
) -> None:
    async with open_mail_notifier(options, SiteRole.PRIMARY) as notifier:
        await notifier.notify(CHINESE, [ONE])
    (mail,) = server.mails
    assert CHINESE.subject == mail.message["Subject"]
    assert f"{CHINESE.body}\r\n" == mail.message.get_content()
    assert "zh-Hant" == mail.message["Content-Language"]
    assert mail.message.as_bytes().isascii()


async def test_a_rehearsal_says_that_it_is_one(
    server: MailServer, options: MailNotifierOptions
) -> None:
    await tell(evolve(options, notice="REHEARSAL"), ONE)
    (mail,) = server.mails
    assert mail.message["Subject"].startswith("[REHEARSAL] [critical]")
    assert mail.message.get_content().startswith("REHEARSAL\r\n")


def test_a_language_is_another_mail(options: MailNotifierOptions) -> None:
    """Somebody who is told in two languages must not have one of them dropped as a repetition."""
    english = notice_identity(TOLD, options.sender)
    assert english == notice_identity(evolve(TOLD, subject="other words"), options.sender)
    assert english != notice_identity(CHINESE, options.sender)


async def test_silence_after_the_text_went_out_is_unknown(
    server: MailServer, options: MailNotifierOptions
) -> None:
    server.is_silent = True
    (receipt,) = await tell(evolve(options, timeout_s=1), ONE)
    assert Outcome.UNKNOWN is receipt.outcome
    assert "may have been taken" in receipt.detail


async def test_a_preflight_finds_an_address_that_is_not_known(
    server: MailServer, options: MailNotifierOptions
) -> None:
    server.replies = {TWO: "550 5.1.1 User unknown"}
    async with open_mail_notifier(options, SiteRole.PRIMARY) as notifier:
        assert isinstance(notifier, SupportsPreflight)
        found = await notifier.check([ONE])
        assert found.endswith("lets us in as index-desk and would take a mail for 1 of 1")
        with pytest.raises(Rejected, match=r"two@authority.example \(550 5.1.1 User unknown\)"):
            await notifier.check([ONE, TWO])
    assert [] == server.mails
