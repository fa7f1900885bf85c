"""A notification as a mail. Its Message-ID follows from key and language, so that a mail sent twice
is known to be the same; the texts are the notification's own. Pure; called by
:mod:`hkex_ops_mail.notifier`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from hkex_ops.evidence.canonical import digest
from hkex_ops.model import Notification, Severity
from hkex_ops_mail.letters import NOBODY
from hkex_ops_mail.options import MailNotifierOptions

__all__ = ["notice_for", "notice_identity"]

# A subject that is broken into two lines is shown oddly by some programs, and 998 is the limit.
_POLICY = SMTP.clone(max_line_length=900)

_IMPORTANCE = {
    Severity.INFORMATION: "normal",
    Severity.MINOR: "normal",
    Severity.MAJOR: "high",
    Severity.CRITICAL: "high",
}


def notice_for(
    notification: Notification,
    options: MailNotifierOptions,
    receivers: Sequence[str],
    *,
    sent: datetime,
) -> EmailMessage:
    """The mail that says ``notification``; ``sent`` is its date."""
    notice = f"[{options.notice}] " if options.notice else ""
    mail = EmailMessage(policy=_POLICY)
    mail["From"] = options.sender
    mail["To"] = ", ".join(receivers) if options.shows_receivers else NOBODY
    mail["Subject"] = f"{notice}{notification.subject}"
    mail["Date"] = format_datetime(sent)
    mail["Message-ID"] = notice_identity(notification, options.sender)
    mail["Auto-Submitted"] = "auto-generated"
    mail["Importance"] = _IMPORTANCE[notification.severity]
    opening = f"{options.notice}\n\n" if options.notice else ""
    # Only ASCII on the line, so that no server has to be asked for more.
    mail.set_content(f"{opening}{notification.body}\n", charset="utf-8", cte="quoted-printable")
    mail["Content-Language"] = notification.language.value
    return mail


def notice_identity(notification: Notification, sender: str) -> str:
    """The Message-ID of the mail: the same for the same key, language and sender."""
    said = f"{notification.key}\n{notification.language.value}\n{sender}"
    return f"<notice.{digest(said.encode())[:32]}@{sender.rpartition('@')[2]}>"
