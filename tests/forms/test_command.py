"""``hkex-ops forms``: exit codes, documents, and a file that is written whole or not at all."""

from __future__ import annotations

import hashlib
import sys
from datetime import datetime, timedelta
from pathlib import Path

import attrs
import pytest

from hkex_ops.config.shipped import load_calendar, load_rollouts, rollout_template
from hkex_ops.errors import ConfigError, Denied, StoreError, UsageError
from hkex_ops.flows import forms
from hkex_ops.flows.forms import FormState, fill, form_named, form_state, forms_made
from hkex_ops.flows.journal import read_journal
from hkex_ops.model import HONG_KONG, Bound, Certainty, Form, Window
from tests.cli.program import Program, require_refused
from tests.forms.papers import (
    CLOSES,
    CONFIRMATION,
    CONFIRMATION_DATA,
    DUE,
    OPENS,
    PASSWORD_RESET,
    PASSWORD_RESET_DATA,
    ROLLOUT,
    toml_of,
)

MOMENT = timedelta(microseconds=1)
SHIPPED = "hkats-dcass-2019"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data file that fills the password reset form."""
    path = tmp_path / "reset.toml"
    path.write_text(toml_of(PASSWORD_RESET_DATA), encoding="utf-8")
    return path


@pytest.fixture
def confirmation(tmp_path: Path) -> Path:
    """A data file that fills the confirmation."""
    path = tmp_path / "confirmation.toml"
    path.write_text(toml_of(CONFIRMATION_DATA), encoding="utf-8")
    return path


@pytest.fixture
def printing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A printer that needs no engine: the flow is tested where the extra is not installed too."""
    monkeypatch.setattr(
        forms, "form_pdf", lambda filled, rollout: b"%PDF of " + rollout.id.encode()
    )


class TestWhichForm:
    @pytest.mark.parametrize("name", ["password-reset", "PASSWORD-RESET", "B", "b", "Appendix B"])
    def test_it_is_known_by_id_and_by_appendix(self, name: str) -> None:
        assert PASSWORD_RESET is form_named(name, ROLLOUT)

    def test_the_nearest_is_named_on_a_miss(self) -> None:
        with pytest.raises(UsageError, match="did you mean 'confirmation'"):
            form_named("confirm", ROLLOUT)

    def test_a_rollout_may_bring_none(self) -> None:
        with pytest.raises(UsageError, match="the papers of hkats-dcass-2019 bring no form"):
            form_named("B", attrs.evolve(ROLLOUT, forms=()))


class TestWhen:
    @pytest.mark.parametrize(
        ("form", "at", "state"),
        [
            (PASSWORD_RESET, OPENS - MOMENT, FormState.NOT_YET),
            (PASSWORD_RESET, OPENS, FormState.OPEN),
            (PASSWORD_RESET, CLOSES - MOMENT, FormState.OPEN),
            (PASSWORD_RESET, CLOSES, FormState.CLOSED),
            (CONFIRMATION, OPENS, FormState.OPEN),
            (CONFIRMATION, DUE, FormState.OPEN),
            (CONFIRMATION, DUE + MOMENT, FormState.OVERDUE),
        ],
    )
    def test_a_form_stands_as_the_paper_says(
        self, form: Form, at: datetime, state: FormState
    ) -> None:
        assert state is form_state(form, at)

    def test_before_its_validity_it_is_denied_until_then(self, data: Path, tmp_path: Path) -> None:
        with pytest.raises(Denied) as caught:
            fill(ROLLOUT, PASSWORD_RESET, data, tmp_path / "b.pdf", at=OPENS - MOMENT)
        assert OPENS == caught.value.until
        assert str(PASSWORD_RESET.source) == caught.value.source
        assert "valid only from 09:00 to 12:00 on Sunday 5 May 2019" in caught.value.rule
        assert [data] == list(tmp_path.iterdir())

    def test_after_its_validity_it_is_denied_for_good(self, data: Path, tmp_path: Path) -> None:
        with pytest.raises(Denied) as caught:
            fill(ROLLOUT, PASSWORD_RESET, data, tmp_path / "b.pdf", at=CLOSES)
        assert caught.value.until is None
        assert [data] == list(tmp_path.iterdir())

    def test_it_is_denied_before_its_data_is_judged(self, tmp_path: Path) -> None:
        with pytest.raises(Denied):
            fill(ROLLOUT, PASSWORD_RESET, tmp_path / "none", tmp_path / "b.pdf", at=CLOSES)

    @pytest.mark.usefixtures("printing")
    def test_a_late_form_is_made_and_the_lateness_is_a_finding(
        self, confirmation: Path, tmp_path: Path
    ) -> None:
        out = tmp_path / "e.pdf"
        made = fill(ROLLOUT, CONFIRMATION, confirmation, out, at=DUE + MOMENT)
        assert FormState.OVERDUE is made.state
        assert made.finding is not None
        assert "due at or before 12:30 on Sunday 5 May 2019" in made.finding
        assert made.sha256 == hashlib.sha256(out.read_bytes()).hexdigest()

    @pytest.mark.usefixtures("printing")
    def test_a_validity_that_the_paper_leaves_open_is_a_finding(
        self, confirmation: Path, tmp_path: Path
    ) -> None:
        unknown = Window(Bound(certainty=Certainty.UNKNOWN), Bound(certainty=Certainty.UNKNOWN))
        form = attrs.evolve(CONFIRMATION, valid=unknown)
        made = fill(ROLLOUT, form, confirmation, tmp_path / "e.pdf", at=OPENS)
        assert made.finding is not None
        assert "ask the addressee" in made.finding

    @pytest.mark.usefixtures("printing")
    def test_the_time_is_not_on_the_page(self, confirmation: Path, tmp_path: Path) -> None:
        early = fill(ROLLOUT, CONFIRMATION, confirmation, tmp_path / "1.pdf", at=OPENS)
        late = fill(ROLLOUT, CONFIRMATION, confirmation, tmp_path / "2.pdf", at=DUE + MOMENT)
        assert early.sha256 == late.sha256


class TestTheFile:
    @pytest.mark.usefixtures("printing")
    def test_nothing_is_ever_overwritten(self, data: Path, tmp_path: Path) -> None:
        out = tmp_path / "b.pdf"
        out.write_text("mine")
        with pytest.raises(StoreError, match="nothing is ever overwritten"):
            fill(ROLLOUT, PASSWORD_RESET, data, out, at=OPENS)
        assert "mine" == out.read_text()
        assert {data, out} == set(tmp_path.iterdir())

    @pytest.mark.usefixtures("printing")
    def test_a_folder_that_is_not_there(self, data: Path, tmp_path: Path) -> None:
        with pytest.raises(StoreError, match="nowhere: cannot open the folder"):
            fill(ROLLOUT, PASSWORD_RESET, data, tmp_path / "nowhere" / "b.pdf", at=OPENS)

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("participant = ", "is not TOML"),
            ("", "faults"),
            ("participant = 1", "participant: must be a text in quotes, not a whole number"),
        ],
    )
    def test_a_broken_data_file_writes_nothing(
        self, text: str, said: str, data: Path, tmp_path: Path
    ) -> None:
        data.write_text(text)
        with pytest.raises(ConfigError) as caught:
            fill(ROLLOUT, PASSWORD_RESET, data, tmp_path / "b.pdf", at=OPENS)
        assert said in str(caught.value)
        assert str(data) in str(caught.value)
        assert [data] == list(tmp_path.iterdir())

    def test_without_the_engine_it_says_what_to_install(
        self, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        loaded = [name for name in sys.modules if name.startswith("reportlab.")]
        for name in ("reportlab", *loaded):
            monkeypatch.setitem(sys.modules, name, None)
        for name in ("form", "sheet"):
            monkeypatch.delitem(sys.modules, f"hkex_ops.render.{name}", raising=False)
        with pytest.raises(ConfigError, match=r"reportlab.*pip install 'hkex-ops\[forms\]'"):
            fill(ROLLOUT, PASSWORD_RESET, data, tmp_path / "b.pdf", at=OPENS)
        assert [data] == list(tmp_path.iterdir())


class TestCommand:
    """With the rollout that ships."""

    @pytest.fixture
    def filled(self, program: Program) -> Path:
        lines = {
            "participant-full-name": "Example Securities Limited 示例證券有限公司",
            "participantship": "HKCC",
            "dcass-customer-code": "CEXM",
            "primary-contact-person": "Settlement Desk 結算部",
            "primary-contact-phone": "+852 2345 6789",
            "primary-contact-email": "settlement.desk@example.com",
            "names-of-signatories": "Settlement Desk 結算部",
            "date": "2019-05-05 (Sunday)",
        }
        path = program.home / "e.toml"
        path.write_text(toml_of(dict(lines)), encoding="utf-8")
        return path

    def test_a_form_is_filled(self, program: Program, filled: Path) -> None:
        pytest.importorskip("reportlab", reason="the extra `forms` is not installed")
        asked = ("forms", "fill", SHIPPED, "E", "--data", filled, "--at", "2019-05-05T12:30")
        ended = program.here(*asked, "-o", "e.pdf", "--json")
        assert 0 == ended.code, ended
        document = ended.document
        pdf = (program.home / "e.pdf").read_bytes()
        assert pdf.startswith(b"%PDF-")
        assert hashlib.sha256(pdf).hexdigest() == document["sha256"]
        assert ("confirmation", "open", []) == (
            document["form"],
            document["state"],
            document["findings"],
        )
        assert "2019-05-05T12:30:00+08:00" == document["due"]
        late = program.here(*asked[:-1], "2019-05-05T12:31", "-o", "late.pdf")
        assert 1 == late.code
        assert "the form is late" in late.words
        assert pdf == (program.home / "late.pdf").read_bytes()

    def test_what_is_made_is_kept_and_told_in_the_journal(
        self, program: Program, filled: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(forms, "form_pdf", lambda *_: b"%PDF")
        asked = ("forms", "fill", SHIPPED, "E", "--data", filled, "-o", "e.pdf")
        ended = program.here(*asked, "--at", "2019-05-05T12:31", "--work", "work", "--json")
        assert 1 == ended.code, ended
        entries = read_journal(program.home / "work", SHIPPED)
        [made] = forms_made(entries)
        assert ("confirmation", "2019-05-05T12:31:00+08:00", "e.pdf", ended.document["sha256"]) == (
            made.form,
            made.at.isoformat(),
            made.file,
            made.sha256,
        )
        assert ended.document["findings"] == [made.finding]
        kept = program.home / "work" / SHIPPED / "kept" / made.kept
        assert (program.home / "e.pdf").read_bytes() == kept.read_bytes()
        again = program.here(*asked, "--at", "2019-05-05T12:31", "--work", "work", "--json")
        require_refused(again, 6, "StoreError", "nothing is ever overwritten")
        assert entries == read_journal(program.home / "work", SHIPPED)

    def test_what_is_refused_leaves_no_journal(self, program: Program, filled: Path) -> None:
        asked = ("forms", "fill", SHIPPED, "--data", filled, "-o", "b.pdf", "--work", "work")
        program.here(*asked, "B", "--at", "2019-05-04T10:00")
        program.here(*asked, "B", "--at", "2019-05-05T10:00")  # the data are of the other form
        assert ["e.toml"] == [path.name for path in program.home.iterdir()]

    def test_where_the_journal_cannot_be_written_no_form_is_left(
        self, program: Program, filled: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(forms, "form_pdf", lambda *_: b"%PDF")
        (program.home / "work").write_text("a file")
        asked = ("forms", "fill", SHIPPED, "E", "--data", filled, "-o", "e.pdf", "--work", "work")
        ended = program.here(*asked, "--at", "2019-05-05T12:10", "--json")
        require_refused(ended, 6, "StoreError", "work")
        assert ["e.toml", "work"] == sorted(path.name for path in program.home.iterdir())

    def test_a_form_of_the_desks_own_file_is_filled_too(
        self, program: Program, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(forms, "form_pdf", lambda *_: b"%PDF")
        (program.home / "own.toml").write_text(rollout_template() + OWN_FORM, encoding="utf-8")
        (program.home / "config.toml").write_text('[rollouts]\nfiles = ["own.toml"]\n')
        (program.home / "data.toml").write_text('name = "Example Securities"\n')
        config = ("--config", "config.toml")
        listed = program.here("forms", "list", "next-circular", *config, "--json")
        assert ["attachment-1"] == [one["form"] for one in listed.document["forms"]]
        asked = ("forms", "fill", "next-circular", "attachment-1", "--data", "data.toml")
        ended = program.here(*asked, "-o", "own.pdf", "--work", "work", *config, "--json")
        assert 0 == ended.code, ended
        assert 1 == len(forms_made(read_journal(program.home / "work", "next-circular")))

    def test_outside_its_validity_the_answer_is_a_denial(
        self, program: Program, filled: Path
    ) -> None:
        asked = ("forms", "fill", SHIPPED, "b", "--data", filled, "-o", "b.pdf")
        ended = program.here(*asked, "--at", "2019-05-04T10:00", "--json")
        assert 3 == ended.code
        document = ended.document
        assert ("deny", "not-yet", None) == (
            document["decision"],
            document["state"],
            document["out"],
        )
        assert "2019-05-05T09:00:00+08:00" == document["until"]
        assert document["source"]["place"].startswith("Appendix B")
        said = program.here(*asked, "--at", "2019-05-05T12:00")
        assert 3 == said.code
        assert "DENIED: filling password-reset is denied with no end stated" in said.words
        assert not (program.home / "b.pdf").exists()

    def test_what_is_wrong_with_the_question(self, program: Program, filled: Path) -> None:
        fill = ("forms", "fill", SHIPPED)
        rest = ("--data", filled, "-o", "e.pdf", "--at", "2019-05-05T10:00")
        require_refused(program.here(*fill, "F", *rest), 2, "UsageError", "has no form 'F'")
        ended = program.here("forms", "fill", "rrs-2023", "B", *rest, "--json")
        require_refused(ended, 2, "UsageError", "the papers of rrs-2023 bring no form")
        ended = program.here(*fill, "E", "--data", "none.toml", *rest[2:], "--json")
        require_refused(ended, 6, "ConfigError", "there is no data file at none.toml")
        assert not (program.home / "e.pdf").exists()

    def test_the_list_says_what_a_data_file_may_hold(self, program: Program) -> None:
        ended = program.here("forms", "list", SHIPPED, "--at", "2019-05-05T12:15", "--json")
        assert 0 == ended.code
        listed = {one["form"]: one for one in ended.document["forms"]}
        assert {"password-reset": "closed", "confirmation": "open"} == {
            name: one["state"] for name, one in listed.items()
        }
        fields = {field["id"]: field for field in listed["password-reset"]["fields"]}
        assert 6 == fields["dcass-oapi-users"]["at_most"]
        assert ["HKCC", "SEOCH", "Both HKCC & SEOCH"] == fields["participantship"]["choices"]
        said = program.here("forms", "list", "--at", "2019-05-05T12:15").words
        assert "it is no longer valid" in said
        assert "dcass-oapi-users" in said

    def test_a_rollout_without_forms_lists_none(self, program: Program) -> None:
        ended = program.here("forms", "list", "rrs-2023", "--at", "2023-04-15T10:00")
        assert (0, "no paper that is known brings a form") == (ended.code, ended.words)


OWN_FORM = """
[[forms]]
id = "attachment-1"
name = "Attachment 1"
appendix = ""
purpose = "sign up"
addressee = "HKEX"
channel = "email"
address = "desk@example.com"
source = "Attachment 1"

[[forms.fields]]
id = "name"
label = "Participant Full Name"
kind = "text"
"""

DECLARED = """
participant-full-name = "Example Securities Limited"
participantship = "HKCC"
dcass-customer-code = "CEXM"
primary-contact-person = "Settlement Desk"
primary-contact-phone = "+852 2345 6789"
primary-contact-email = "settlement.desk@example.com"
names-of-signatories = "Settlement Desk"
date = "2019-05-05"
"""


def test_a_declaration_before_its_session_is_a_finding(tmp_path: Path) -> None:
    """Form E declares the verification completed; on 20 April nobody can know that."""
    pytest.importorskip("reportlab")
    rollout = load_rollouts(load_calendar())["hkats-dcass-2019"]
    form = form_named("E", rollout)
    data = tmp_path / "e.toml"
    data.write_text(DECLARED, encoding="utf-8")
    session = datetime(2019, 5, 5, 9, tzinfo=HONG_KONG)
    early = fill(rollout, form, data, tmp_path / "early.pdf", at=session - timedelta(days=15))
    in_time = fill(rollout, form, data, tmp_path / "in-time.pdf", at=session + timedelta(hours=3))
    assert "has not begun" in (early.finding or "")
    assert in_time.finding is None
