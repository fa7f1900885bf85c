"""The page as a reader of PDF sees it: every value is on it, and the bytes follow from them."""

from __future__ import annotations

import re
import subprocess
import sys
from io import BytesIO
from pathlib import Path

import attrs
import pytest
from hypothesis import given, strategies as st

from hkex_ops.flows.forms import form_pdf
from hkex_ops.model import FieldKind, Form
from hkex_ops.render.filling import LONGEST_VALUE, fill_form
from tests.forms.papers import (
    CONFIRMATION,
    CONFIRMATION_DATA,
    PASSWORD_RESET,
    PASSWORD_RESET_DATA,
    ROLLOUT,
)
from tests.wheel import CHECKOUT

pytest.importorskip("reportlab", reason="the extra `forms` is not installed")
pypdf = pytest.importorskip("pypdf", reason="the extra `forms` is not installed")

FORMS = [(PASSWORD_RESET, PASSWORD_RESET_DATA), (CONFIRMATION, CONFIRMATION_DATA)]
TICK = "✔"


def pdf_of(form: Form, data: dict[str, object]) -> bytes:
    return form_pdf(fill_form(form, data, document="data.toml"), ROLLOUT)


def pages_of(pdf: bytes) -> list[str]:
    """The text of each page, without the spaces and line ends that a layout makes."""
    return [re.sub(r"\s", "", page.extract_text()) for page in pypdf.PdfReader(BytesIO(pdf)).pages]


def text_of(form: Form, data: dict[str, object]) -> str:
    return "".join(pages_of(pdf_of(form, data)))


def squeezed(text: str) -> str:
    return re.sub(r"\s", "", text)


@pytest.mark.parametrize(("form", "data"), FORMS, ids=["B", "E"])
def test_every_value_is_on_the_page(form: Form, data: dict[str, object]) -> None:
    printed = text_of(form, data)
    filled = fill_form(form, data, document="data.toml")
    values = [value for one in filled.fields for value in one.values]
    assert [] == [value for value in values if squeezed(value) not in printed]


@pytest.mark.parametrize(("form", "data"), FORMS, ids=["B", "E"])
def test_what_the_paper_says_is_on_the_page(form: Form, data: dict[str, object]) -> None:
    printed = text_of(form, data)
    labels = [one.label for one in form.fields]
    said = [form.name, form.addressee, form.address, form.fax, form.declaration, *labels]
    assert [] == [text for text in (*said, *form.notes) if squeezed(text) not in printed]
    assert "Companychop" in printed


def test_deadline_and_validity_are_printed() -> None:
    assert "Validonlyfrom09:00to12:00onSunday5May2019(HongKongtime)" in text_of(
        PASSWORD_RESET, PASSWORD_RESET_DATA
    )
    assert "Deadlineatorbefore12:30onSunday5May2019(HongKongtime)" in text_of(
        CONFIRMATION, CONFIRMATION_DATA
    )


@pytest.mark.parametrize("choice", ["HKCC", "SEOCH", "Both HKCC & SEOCH"])
def test_the_choice_alone_is_ticked(choice: str) -> None:
    printed = text_of(CONFIRMATION, {**CONFIRMATION_DATA, "participantship": choice})
    assert 1 == printed.count(TICK)
    assert TICK + squeezed(choice) in printed


def test_a_list_of_users_is_ticked_when_it_names_one() -> None:
    printed = text_of(PASSWORD_RESET, PASSWORD_RESET_DATA)
    assert TICK + "DCASSOnlineUser" in printed
    assert TICK + "DCASSOAPIUser" in printed
    assert TICK + "DCASSAdministrationUser" not in printed


def test_a_place_that_stays_empty_is_struck() -> None:
    printed = text_of(PASSWORD_RESET, PASSWORD_RESET_DATA)
    assert "(3)BO_CEXM901(4)–(5)–(6)–" in printed


def test_each_of_the_papers_forms_fits_one_a4_sheet() -> None:
    for form, data in FORMS:
        [page] = pypdf.PdfReader(BytesIO(pdf_of(form, data))).pages
        assert (595, 842) == (round(page.mediabox.width), round(page.mediabox.height))


def test_a_form_too_long_for_one_sheet_keeps_declaration_and_signature_together() -> None:
    long = attrs.evolve(CONFIRMATION, notes=("A note that fills a line and a half. " * 5,) * 14)
    first, last = pages_of(pdf_of(long, CONFIRMATION_DATA))
    assert "Page1of2" in first
    assert "Page2of2" in last
    assert squeezed(CONFIRMATION.declaration) in last
    assert "AuthorizedSignature(s)" in last


def test_equal_input_gives_equal_bytes_in_another_process_too() -> None:
    code = (
        "import hashlib; from tests.forms.test_form_pdf import *\n"
        "print(*(hashlib.sha256(pdf_of(*one)).hexdigest() for one in FORMS))"
    )
    done = [
        subprocess.run(
            [sys.executable, "-c", code],
            cwd=CHECKOUT,
            env={"PYTHONHASHSEED": seed, "TZ": zone},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed, zone in (("1", "Asia/Hong_Kong"), ("2", "America/New_York"))
    ]
    assert done[0] == done[1]


def test_another_value_gives_other_bytes() -> None:
    other = {**CONFIRMATION_DATA, "customer-code": "CEXN"}
    assert pdf_of(CONFIRMATION, CONFIRMATION_DATA) != pdf_of(CONFIRMATION, other)


def test_nothing_of_this_machine_is_in_the_file(tmp_path: Path) -> None:
    pdf = pdf_of(CONFIRMATION, CONFIRMATION_DATA)
    information = pypdf.PdfReader(BytesIO(pdf)).metadata
    assert CONFIRMATION.name == information.title
    assert not information.author
    assert "2000" == str(information.creation_date.year)
    assert str(Path.home()).encode() not in pdf


def test_no_field_of_the_file_can_be_typed_into() -> None:
    assert not pypdf.PdfReader(BytesIO(pdf_of(*FORMS[0]))).get_fields()


@given(
    st.text(
        st.one_of(
            st.characters(min_codepoint=0x21, max_codepoint=0x7E),
            st.characters(min_codepoint=0x4E00, max_codepoint=0x9FA5),
        ),
        min_size=1,
        max_size=LONGEST_VALUE,
    )
)
def test_whatever_is_accepted_as_a_name_is_printed_whole(name: str) -> None:
    assert PASSWORD_RESET.fields[0].kind is FieldKind.TEXT
    printed = text_of(PASSWORD_RESET, {**PASSWORD_RESET_DATA, "participant": name})
    assert squeezed(name) in printed
