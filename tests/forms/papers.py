"""The two forms of the 2019 rollout package, Appendices B and E, and data that fills each."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from hkex_ops.model import (
    HONG_KONG,
    Bound,
    Circular,
    FieldKind,
    Form,
    FormField,
    Rollout,
    Source,
    Window,
)

__all__ = [
    "CLOSES",
    "CONFIRMATION",
    "CONFIRMATION_DATA",
    "DUE",
    "OPENS",
    "PACKAGE",
    "PASSWORD_RESET",
    "PASSWORD_RESET_DATA",
    "ROLLOUT",
    "toml_of",
]

PACKAGE = "HKATS and DCASS Upgrade: Rollout Information Package for Clearing Participants"
OPENS = datetime(2019, 5, 5, 9, 0, tzinfo=HONG_KONG)
CLOSES = datetime(2019, 5, 5, 12, 0, tzinfo=HONG_KONG)
DUE = datetime(2019, 5, 5, 12, 30, tzinfo=HONG_KONG)

_ADDRESSEE = (
    "Clearing Operations – Cash & Derivatives Clearing, Hong Kong Exchanges and Clearing Limited"
)
_BOTH = (
    "Clearing Participants who are holding participantship with both HKCC and SEOCH can submit "
    "one Form"
)
_SIGNED = (
    "Authorized Signature(s) (with company chop, ONLY applicable if it forms part of your signing "
    "instruction)"
)

_HEAD = (
    FormField("participant", "Participant Full Name", FieldKind.TEXT),
    FormField(
        "participantship",
        "HKCC / SEOCH / Both HKCC & SEOCH Participant",
        FieldKind.CHOICE,
        choices=("HKCC", "SEOCH", "Both HKCC & SEOCH"),
    ),
    FormField("customer-code", "DCASS Customer Code", FieldKind.TEXT),
    FormField("primary-contact", "Contact Person (Primary)", FieldKind.TEXT),
    FormField("primary-phone", "Phone No.", FieldKind.PHONE),
    FormField("primary-email", "E-mail Address", FieldKind.EMAIL),
    FormField(
        "alternate-contact",
        "Contact Person (Alternate, if applicable)",
        FieldKind.TEXT,
        required=False,
    ),
    FormField("alternate-phone", "Phone No.", FieldKind.PHONE, required=False),
    FormField("alternate-email", "E-mail Address", FieldKind.EMAIL, required=False),
)
_SIGNATURE = (
    FormField("signature", "Authorized Signature(s)", FieldKind.SIGNATURE),
    FormField("signatories", "Name of Signatories", FieldKind.TEXT, at_most=2),
)

PASSWORD_RESET = Form(
    id="password-reset",
    name="DCASS Post-Release Verification - Password Reset Form",
    appendix="Appendix B",
    purpose="Request HKEX to reset DCASS logon passwords during the Post-Release Verification "
    "Session",
    addressee=_ADDRESSEE,
    channel="email",
    address="clearingpsd@hkex.com.hk",
    fax="2211-6932",
    fields=(
        *_HEAD,
        FormField(
            "online-users",
            "DCASS Online User (e.g. BU_Cxxx101)",
            FieldKind.USER_IDS,
            required=False,
            at_most=2,
        ),
        FormField(
            "oapi-users",
            "DCASS OAPI User (e.g. BO_Cxxx801 / 901)",
            FieldKind.USER_IDS,
            required=False,
            at_most=6,
        ),
        FormField(
            "administration-users",
            "DCASS Administration User (e.g. BU_Cxxx201)",
            FieldKind.USER_IDS,
            required=False,
            at_most=2,
        ),
        *_SIGNATURE,
    ),
    source=Source(PACKAGE, "Appendix B"),
    valid=Window(Bound(OPENS), Bound(CLOSES)),
    signature=_SIGNED,
    notes=(
        _BOTH,
        "This Form is only applicable to reset password during the Post-Release Verification "
        "Session from 9:00 a.m. to 12:00 noon on 5 May 2019 (Sunday). Clearing Participants are "
        "reminded that the reset passwords will be carried forward for production use on 6 May "
        "2019 (Monday).",
    ),
)

CONFIRMATION = Form(
    id="confirmation",
    name="HKATS and DCASS Upgrade – Confirmation for Post-Release Verification",
    appendix="Appendix E",
    purpose="Confirm that the post-release verification was completed",
    addressee=_ADDRESSEE,
    channel="email",
    address="clearingpsd@hkex.com.hk",
    fields=(*_HEAD, *_SIGNATURE, FormField("date", "Date", FieldKind.DATE)),
    source=Source(PACKAGE, "Appendix E"),
    due=Bound(DUE),
    signature=_SIGNED,
    declaration="We have completed the HKATS and DCASS Upgrade post-release verification "
    "successfully, covering DCASS connectivity and data verification.",
    notes=(_BOTH,),
)

ROLLOUT = Rollout(
    id="hkats-dcass-2019",
    title="HKATS and DCASS Upgrade",
    circulars=(
        Circular(PACKAGE, "Hong Kong Exchanges and Clearing Limited", Source(PACKAGE, "cover")),
    ),
    services=("DCASS-Online",),
    audience=("CP",),
    forms=(PASSWORD_RESET, CONFIRMATION),
)

# Invented, as everything a test types in: the addresses are reserved for examples.
_HEAD_DATA: dict[str, object] = {
    "participant": "Example Securities (Hong Kong) Limited 示例證券（香港）有限公司",
    "participantship": "Both HKCC & SEOCH",
    "customer-code": "CEXM",
    "primary-contact": "Settlement Desk 結算部",
    "primary-phone": "+852 2345 6789",
    "primary-email": "settlement.desk@example.com",
    "alternate-contact": "Night Desk 夜班",
    "alternate-phone": "(852) 2345-6780",
    "alternate-email": "settlement.desk.second@example.com",
    "signatories": ["First Signatory 甲", "Second Signatory 乙"],
}
PASSWORD_RESET_DATA: dict[str, object] = {
    **_HEAD_DATA,
    "online-users": ["BU_CEXM101", "BU_CEXM102"],
    "oapi-users": ["BO_CEXM801", "BO_CEXM802", "BO_CEXM901"],
}
CONFIRMATION_DATA: dict[str, object] = {**_HEAD_DATA, "date": "2019-05-05 (Sunday)"}


def toml_of(data: dict[str, object]) -> str:
    """A data file as a person would write it."""
    return "".join(f"{key} = {_spelt(value)}\n" for key, value in data.items())


def _spelt(value: object) -> str:
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "[" + ", ".join(map(_spelt, value)) + "]"
    return f'"{value}"' if isinstance(value, str) else str(value)
