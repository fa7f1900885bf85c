"""The tutorial followed as it is printed, in a clean environment, from what is handed out.

What is handed out are the built wheels and the built documentation. A virtual environment is made
anew, the core's wheel installed by pip, the tutorial's blocks taken from its HTML page, its files
put where they say and its commands typed into a shell, whose answers must be the page's. Then the
adapter is made wrong, once for a type checker, and distributions that are broken are installed
beside it.

Proven: wheel and page suffice. No source of this checkout is on any path, no hidden block of the
page is run, and pip finds everything that is required. Not proven: that a package index has what
third parties bring, for that is copied from here (:mod:`tests.kit.clean`); that other machines and
interpreters do as this one. tox names the wheels and the documentation; without it, and without
the author's tools, these tests are skipped.
"""

from __future__ import annotations

import doctest
import importlib.util
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from attrs import frozen

from tests.kit.built import Block, blocks_of
from tests.kit.clean import CleanEnvironment, Done
from tests.wheel import CHECKOUT

WHEELS, PAGES, REQUIRED = "HKEX_OPS_WHEELS", "HKEX_OPS_BUILT_DOCS", "HKEX_OPS_REQUIRE_SERVERS"
PAGE = "tutorial/write-an-adapter.html"
PROJECT = "hkex-ops-cre"
OFFERED = 'return [Offer("cre", CreOptions, open_cre)]'
FETCH = "hkex-ops reports fetch --config config.toml --business-date 2026-11-20"

# What the tutorial and the type checker need of third parties. The last but one builds the
# distribution, and the one before it what pip installs with -e.
TOOLS = ("hkex-ops[testing]", "copier", "editables", "hatchling", "mypy")


def _handed_out() -> tuple[Path, Path]:
    """The wheels and the documentation; a skip where they are not at hand."""
    lacking = [name for name in TOOLS[1:] if not importlib.util.find_spec(name)]
    if lacking:
        pytest.skip(f"an author's tools are not installed: {', '.join(lacking)}")
    stated = {name: os.environ.get(name, "") for name in (WHEELS, PAGES)}
    wheels, pages = (Path(stated[name]) for name in (WHEELS, PAGES))
    if not (stated[WHEELS] and any(wheels.glob("*.whl"))):
        why = f"no wheels are built: run tox -e wheels, or name them in {WHEELS}"
    elif not (stated[PAGES] and (pages / PAGE).exists()):
        why = f"no documentation is built: run tox -e docs, or name it in {PAGES}"
    else:
        return wheels, pages
    if os.environ.get(REQUIRED) == "1":
        pytest.fail(why)
    pytest.skip(why)


@frozen
class Author:
    """Somebody who follows the page; ``project`` is what comes of it."""

    environment: CleanEnvironment
    page: list[Block]

    @property
    def project(self) -> Path:
        """The distribution that the tutorial writes."""
        return self.environment.home / PROJECT

    def types(self, command: str) -> Done:
        """Type a line, in the project once there is one."""
        return self.environment.run(command, self.project if self.project.is_dir() else None)

    def follows(self, block: Block) -> None:
        """Do what a block of the page says, as it says it."""
        if block.file is not None:
            (self.project / block.file).write_text(block.text, encoding="utf-8")
        elif block.language == "toml":
            (self.project / "config.toml").write_text(block.text, encoding="utf-8")
        for command, shown in block.commands:
            if command == f"cd {PROJECT}":
                continue
            ended = self.types(command)
            assert 0 == ended.code, f"$ {command}\n{ended.said}"
            if shown:
                same = doctest.OutputChecker().check_output(shown, ended.said, doctest.ELLIPSIS)
                assert same, f"$ {command}\nthe page shows:\n{shown}\nprinted:\n{ended.said}"
            if command.startswith("pytest"):
                assert re.search(r"\d+ passed", ended.said), ended.said
                assert "failed" not in ended.said, ended.said

    def replaces(self, file: str, before: str, after: str) -> None:
        """Change a file, in a place that is there once."""
        path = self.project / file
        text = path.read_text(encoding="utf-8")
        assert 1 == text.count(before), before
        path.write_text(text.replace(before, after), encoding="utf-8")

    def makes(self, name: str, adapter: str, before: str = "", after: str = "") -> str:
        """Make another distribution from the template, ``before`` changed; what pip is told."""
        made = self.environment.run(
            f"copier copy -q --defaults -d distribution={name} -d adapter={adapter} "
            f'"$(python -m hkex_ops.testing.scaffold)" {name}'
        )
        assert 0 == made.code, made.said
        module = self.environment.home / name / "src" / name.replace("-", "_") / "__init__.py"
        text = module.read_text(encoding="utf-8")
        assert before in text
        if before:
            module.write_text(text.replace(before, after), encoding="utf-8")
        return f"./{name}"

    def installs(self, *made: str) -> None:
        """Install distributions beside the tutorial's."""
        installed = self.environment.run(f"pip install -q {' '.join(made)}")
        assert 0 == installed.code, installed.said

    def faults(self) -> dict[str, str]:
        """What ``hkex-ops plugins`` says is wrong, by distribution; one line for each."""
        ended = self.types("hkex-ops plugins")
        assert "Traceback" not in ended.said
        found: dict[str, str] = {}
        for entry in re.split(r"\n(?=\S)", ended.said.strip()):
            head, _, rest = entry.partition("\n")
            if "FAULT" in rest:
                found[head.split()[0]] = " ".join(rest.split()).removeprefix("FAULT ")
        assert (1 if found else 0) == ended.code
        return found


@pytest.fixture(scope="module")
def author(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Author]:
    """Somebody who has an environment, the core's wheel and the page, and has not begun."""
    wheels, pages = _handed_out()
    environment = CleanEnvironment(tmp_path_factory.mktemp("clean"), wheels)
    environment.bring("pip", *TOOLS)
    installed = environment.run(
        "pip install -q 'hkex-ops[testing]' copier editables hatchling mypy"
    )
    assert 0 == installed.code, installed.said
    return Author(environment, blocks_of(pages / PAGE))


def test_nothing_of_the_checkout_can_be_imported(author: Author) -> None:
    """Neither by the path, nor by what an editable install leaves."""
    site = author.environment.origin("hkex_ops")
    assert "site-packages" in site.parts
    assert [] == [
        path for path in (site, *author.environment.path) if path.is_relative_to(CHECKOUT)
    ]
    assert 0 == author.types("pip check").code
    assert {} == author.faults()


def test_the_tutorial_makes_an_adapter_that_passes_its_contract_and_fetches(author: Author) -> None:
    """Every block of the page in its order; its last command fetches what the desk has not."""
    for block in author.page:
        author.follows(block)
    kept = sorted(path.name for path in (author.project / "archive").rglob("90*.TXT"))
    assert ["90CC750ABCDE20261120.TXT", "90TR160ABCDE20261120.TXT"] == kept
    assert "Success" in author.types("mypy src").said


def test_a_wrongly_typed_adapter_is_rejected_at_the_authors_own_line(author: Author) -> None:
    """At the offer, in the author's file, not somewhere in the library."""
    source = author.project / "src/hkex_ops_cre/source.py"
    right = source.read_text(encoding="utf-8")
    author.replaces(
        "src/hkex_ops_cre/source.py", "AsyncGenerator[Delivery]", "AsyncGenerator[bytes]"
    )
    for one in ("ReportFailed(report, ReportNotFound", "ReportFailed(report, Rejected"):
        author.replaces("src/hkex_ops_cre/source.py", f"yield {one}", f"yield b'' # {one}")
    author.replaces(
        "src/hkex_ops_cre/source.py", "yield ReportChunk(report, offset, data)", "yield data"
    )
    author.replaces(
        "src/hkex_ops_cre/source.py",
        "yield ReportEnd(report, now.size_bytes, now.modified)",
        "yield str(now).encode()",
    )
    ended = author.types("mypy src")
    source.write_text(right, encoding="utf-8")
    offers = (author.project / "src/hkex_ops_cre/__init__.py").read_text(encoding="utf-8")
    line = next(n for n, text in enumerate(offers.splitlines(), 1) if text.strip() == OFFERED)
    errors = [told for told in ended.said.splitlines() if ": error: " in told]
    assert 1 == ended.code
    assert [f"src/hkex_ops_cre/__init__.py:{line}"] == [
        told.partition(": error")[0] for told in errors
    ]


def test_broken_distributions_are_named_in_one_message_each_and_the_rest_works_on(
    author: Author,
) -> None:
    """One that raises when it is imported, and one that misspells its hook."""
    hook = "def hkex_ops_report_source"
    author.installs(
        author.makes("desk-raises", "raises", "@hookimpl", "1 / 0\n\n\n@hookimpl"),
        author.makes("desk-misspells", "misspells", f"{hook}s", hook),
    )
    faults = author.faults()
    assert {"desk-raises", "desk-misspells"} == set(faults)
    assert "cannot be imported: ZeroDivisionError" in faults["desk-raises"]
    assert "the nearest is hkex_ops_report_sources" in faults["desk-misspells"]
    fetched = author.types(FETCH)
    assert (0, True) == (fetched.code, "2 held already" in fetched.words), fetched.said


def test_one_that_takes_anothers_name_is_named_and_blocked_by_a_line(author: Author) -> None:
    """Both are refused rather than one taken by chance; what needs neither works on."""
    author.installs(author.makes("desk-takes", "cre"))
    said = "report source cre is offered by desk-takes and hkex-ops-cre: uninstall or block one"
    faults = author.faults()
    assert said in faults["desk-takes"]
    assert said in faults["hkex-ops-cre"]
    refused = author.types(FETCH)
    assert (6, True) == (refused.code, said in refused.words), refused.said
    assert 0 == author.types("hkex-ops calendar 2026-11-20").code
    config = author.project / "config.toml"
    text = config.read_text(encoding="utf-8")
    config.write_text(f'{text}\n[plugins]\nblock = ["desk_takes"]\n', encoding="utf-8")
    assert 0 == author.types(FETCH).code
