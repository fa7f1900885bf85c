"""What each kind of field takes, and every fault of a data file at once."""

from __future__ import annotations

from datetime import date

import pytest

from hkex_ops.errors import ConfigError
from hkex_ops.model import FieldKind, Form, FormField
from hkex_ops.render.filling import LONGEST_VALUE, fill_form
from tests.forms.papers import (
    CONFIRMATION,
    CONFIRMATION_DATA,
    PASSWORD_RESET,
    PASSWORD_RESET_DATA,
)


def faults(form: Form, data: dict[str, object]) -> dict[str, str]:
    """Every fault by its path; there must be one."""
    with pytest.raises(ConfigError) as caught:
        fill_form(form, data, document="data.toml")
    assert "data.toml" == caught.value.document
    found = {fault.path: fault.message for fault in caught.value.faults}
    assert len(found) == len(caught.value.faults)
    return found


def fault_in(field: str, value: object, form: Form = PASSWORD_RESET) -> dict[str, str]:
    data = PASSWORD_RESET_DATA if form is PASSWORD_RESET else CONFIRMATION_DATA
    return faults(form, {**data, field: value})


def test_good_data_fills_every_field_in_the_papers_order() -> None:
    filled = fill_form(PASSWORD_RESET, PASSWORD_RESET_DATA, document="data.toml")
    assert list(PASSWORD_RESET.fields) == [one.field for one in filled.fields]
    printed = {one.field.id: one.values for one in filled.fields}
    assert ("BU_CEXM101", "BU_CEXM102") == printed["online-users"]
    assert () == printed["administration-users"]
    assert ("Settlement Desk 結算部",) == printed["primary-contact"]


def test_every_fault_is_told_at_once_with_its_path() -> None:
    data = PASSWORD_RESET_DATA | {
        "participantship": "Both",
        "primary-email": "settlement.desk at example.com",
        "primary-phone": 23456789,
        "online-users": ["BU_CEXM101", "BU CEXM102", "BU_CEXM103"],
        "participent": "Example Securities",
    }
    del data["customer-code"], data["participant"]
    assert {
        "participant": "is missing: Participant Full Name",
        "participantship": "'Both' is no choice; known: HKCC, SEOCH, Both HKCC & SEOCH",
        "customer-code": "is missing: DCASS Customer Code",
        "primary-phone": "must be a text in quotes, not a whole number",
        "primary-email": "'settlement.desk at example.com' is no e-mail address; write it as "
        "desk@example.com",
        "online-users": "holds 3, and the form takes 2",
        "online-users[1]": "'BU CEXM102' is no user id; write letters, digits and _ without a "
        "space",
        "participent": "unknown key; did you mean 'participant'?",
    } == faults(PASSWORD_RESET, data)


@pytest.mark.parametrize(
    "phone", ["+852 2345 6789", "(852) 2345-6789", "2979 7222", "2345.6789 ext. 12"]
)
def test_a_phone_number_may_be_written_as_people_write_it(phone: str) -> None:
    data = {**PASSWORD_RESET_DATA, "primary-phone": phone}
    assert fill_form(PASSWORD_RESET, data, document="data.toml")


@pytest.mark.parametrize("phone", ["123456", "call the desk", "2345 678O", "+" + "1" * 30])
def test_what_is_no_phone_number(phone: str) -> None:
    [message] = fault_in("primary-phone", phone).values()
    assert "is no phone number" in message


@pytest.mark.parametrize(
    "email", ["desk", "desk@example", "@example.com", "a@b@example.com", "結算@example.com"]
)
def test_what_is_no_email_address(email: str) -> None:
    [message] = fault_in("primary-email", email).values()
    assert "is no e-mail address" in message


def test_a_choice_is_known_whatever_its_case() -> None:
    data = {**PASSWORD_RESET_DATA, "participantship": "both hkcc & seoch"}
    filled = fill_form(PASSWORD_RESET, data, document="data.toml")
    assert ("Both HKCC & SEOCH",) == filled.fields[1].values


def test_a_choice_that_is_nearly_one_is_answered_with_it() -> None:
    assert {"participantship": "'SEOC' is no choice; did you mean 'SEOCH'?"} == fault_in(
        "participantship", "SEOC"
    )


def test_a_user_id_twice_is_a_slip() -> None:
    assert {"online-users[1]": "'BU_CEXM101' is there twice"} == fault_in(
        "online-users", ["BU_CEXM101", "BU_CEXM101"]
    )


def test_user_ids_are_a_list() -> None:
    assert {"online-users": "must be a list of texts, not a text"} == fault_in(
        "online-users", "BU_CEXM101"
    )


def test_a_field_of_one_value_takes_no_list() -> None:
    assert {"customer-code": "takes one value, not a list"} == fault_in("customer-code", ["CEXM"])


def test_a_password_reset_for_nobody_asks_for_nothing() -> None:
    data = dict(PASSWORD_RESET_DATA)
    del data["online-users"], data["oapi-users"]
    assert {
        "": "names no user: give ids in online-users or oapi-users or administration-users"
    } == faults(PASSWORD_RESET, data)


def test_a_required_value_that_is_empty_is_a_fault_and_an_optional_one_is_left_out() -> None:
    assert {"participant": "is empty: Participant Full Name"} == fault_in("participant", "")
    data = {**PASSWORD_RESET_DATA, "alternate-email": "", "oapi-users": []}
    printed = fill_form(PASSWORD_RESET, data, document="data.toml").fields
    assert () == next(one.values for one in printed if one.field.id == "alternate-email")


@pytest.mark.parametrize(
    ("given", "printed"),
    [
        (date(2019, 5, 5), "Sunday 5 May 2019"),
        ("2019-05-05", "Sunday 5 May 2019"),
        ("2019-05-05 (Sunday)", "Sunday 5 May 2019"),
    ],
)
def test_a_date_is_printed_with_its_weekday(given: object, printed: str) -> None:
    data = {**CONFIRMATION_DATA, "date": given}
    assert (printed,) == fill_form(CONFIRMATION, data, document="data.toml").fields[-1].values


def test_the_weekday_of_a_date_is_a_checksum() -> None:
    assert {"date": "2019-05-05 is a Sunday, the file says Monday"} == fault_in(
        "date", "2019-05-05 (Monday)", CONFIRMATION
    )


def test_a_signature_is_made_by_hand() -> None:
    assert {"signature": "is signed by hand: leave it out"} == fault_in(
        "signature", "Settlement Desk"
    )


def test_a_text_that_the_fonts_cannot_print_is_refused_with_its_characters() -> None:
    [message] = fault_in("participant", "示例證券 \U00028be2 Ł").values()
    assert "cannot print: '\\U00028be2' (U+28BE2), '\\u0141' (U+0141)" in message


def test_a_text_of_two_lines_is_refused() -> None:
    [message] = fault_in("participant", "Example\nSecurities").values()
    assert "(U+000A)" in message


def test_a_decomposed_letter_is_the_letter() -> None:
    data = {**PASSWORD_RESET_DATA, "participant": "Cafe\u0301 Securities"}
    filled = fill_form(PASSWORD_RESET, data, document="data.toml")
    assert ("Café Securities",) == filled.fields[0].values


def test_a_value_too_long_for_the_sheet_is_refused() -> None:
    assert {"participant": f"is {LONGEST_VALUE + 1} characters long, and 160 fit"} == fault_in(
        "participant", "x" * (LONGEST_VALUE + 1)
    )


@pytest.mark.parametrize("kind", [*FieldKind])
def test_no_kind_of_field_takes_a_table(kind: FieldKind) -> None:
    form = Form(
        id="one",
        name="One",
        appendix="",
        purpose="",
        addressee="",
        channel="email",
        address="",
        fields=(FormField("it", "It", kind, choices=("yes", "no")),),
        source=CONFIRMATION.source,
    )
    assert ["it"] == list(faults(form, {"it": {"a": 1}}))
