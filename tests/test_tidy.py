"""Style as a test: what no linter says and every module of the core and the plug-ins keeps.

Reads the source files of the checkout; imports none of them.
"""

from __future__ import annotations

import ast
import re
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.wheel import CHECKOUT, SOURCES

MODULE_LINES = 400
FUNCTION_LINES = 80

CORE = CHECKOUT / "src" / "hkex_ops"
MODULES = sorted(path for source in SOURCES for path in source.rglob("*.py"))
CORE_MODULES = sorted(CORE.rglob("*.py"))

# The rooms that touch the world, or stand outside the house. Every other one is pure.
NOT_PURE = {"cli", "config", "flows", "plugins", "ports", "testing"}

# The conformance kit drives a third party's adapter, and so must wait as a flow does.
MAY_WAIT = {"flows", "testing"}

# Written so that this file is not itself a finding.
MACHINE_PATH = re.compile(r"(?<![\w.~-])/(?:wor[k]|far[m]|roo[t]|hom[e]/\w+|User[s]/\w+)/")
REGISTRY_HOST = re.compile(
    r"pypi\.org|pythonhosted\.org|npmjs\.(?:org|com)|crates\.io|proxy\.golang\.org"
)

Function = ast.FunctionDef | ast.AsyncFunctionDef
WAITING = ast.Await | ast.AsyncFor | ast.AsyncWith


def label(path: Path) -> str:
    return path.relative_to(CHECKOUT).as_posix()


def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=label(path))


def every_module(modules: list[Path]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("path", modules, ids=label)


def kept_files() -> list[Path]:
    """The files that are, or with the next commit would be, under version control."""
    listed = subprocess.run(
        [
            *("git", "-c", f"safe.directory={CHECKOUT}", "ls-files", "-z"),
            *("--cached", "--others", "--exclude-standard"),
        ],
        cwd=CHECKOUT,
        stdout=subprocess.PIPE,
        check=True,
    )
    paths = (CHECKOUT / name for name in listed.stdout.decode().split("\0") if name)
    return [path for path in paths if path.is_file()]


def lines_of(paths: list[Path]) -> Iterator[tuple[str, str]]:
    """Every line of every text file, with where it stands."""
    for path in paths:
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        for number, line in enumerate(text.splitlines(), start=1):
            yield f"{label(path)}:{number}", line


@every_module(MODULES)
def test_a_module_is_short(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) < MODULE_LINES


@every_module(MODULES)
def test_a_function_is_short(path: Path) -> None:
    long = {
        node.name: length
        for node in ast.walk(tree_of(path))
        if isinstance(node, Function)
        and (length := (node.end_lineno or node.lineno) - node.lineno + 1) >= FUNCTION_LINES
    }
    assert {} == long


@every_module(MODULES)
def test_a_module_opens_with_what_it_is(path: Path) -> None:
    assert ast.get_docstring(tree_of(path))


@every_module(MODULES)
def test_all_names_what_is_public_and_nothing_else(path: Path) -> None:
    """Every public class and function is in ``__all__``, and every name there exists."""
    tree = tree_of(path)
    defined = set(_defined(tree))
    own = {
        node.name
        for node in tree.body
        if isinstance(node, Function | ast.ClassDef) and not node.name.startswith("_")
    }
    stated = _stated_all(tree)
    if stated is None:
        assert set() == own, "has public names and no __all__"
        return
    assert set() == own - stated
    assert set() == stated - defined


def _stated_all(tree: ast.Module) -> set[str] | None:
    for node in tree.body:
        match node:
            case ast.Assign(targets=[ast.Name(id="__all__")], value=value):
                return set(ast.literal_eval(value))
            case _:
                pass
    return None


def _defined(tree: ast.Module) -> Iterator[str]:
    for node in tree.body:
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                yield node.name
            case ast.Assign(targets=targets):
                for target in targets:
                    names = target.elts if isinstance(target, ast.Tuple) else [target]
                    yield from (one.id for one in names if isinstance(one, ast.Name))
            case ast.AnnAssign(target=ast.Name(id=name)):
                yield name
            case ast.Import(names=names) | ast.ImportFrom(names=names):
                yield from (alias.asname or alias.name for alias in names)
            case ast.If(test=ast.Name(id="TYPE_CHECKING"), body=body):
                yield from _defined(ast.Module(body, []))
            case _:
                pass


FRONTS = [
    path for path in CORE_MODULES if "__getattr__, __dir__ = front(" in path.read_text("utf-8")
]


@every_module(FRONTS)
def test_a_front_gives_what_type_checkers_are_told(path: Path) -> None:
    """The imports that only a type checker follows, and the table that Python follows, agree."""
    [chosen] = [node for node in tree_of(path).body if isinstance(node, ast.If)]
    package = ".".join(path.parent.relative_to(CORE.parent).parts)
    [told] = [node for node in chosen.orelse if isinstance(node, ast.Assign)]
    assert isinstance(told.value, ast.Call)
    table: dict[str, str] = ast.literal_eval(told.value.args[1])
    imported = {
        node.module: [alias.name for alias in node.names]
        for node in chosen.body
        if isinstance(node, ast.ImportFrom)
    }
    assert imported == {f"{package}.{home}": names.split() for home, names in table.items()}


def test_a_front_is_no_stranger_to_its_own_modules() -> None:
    """A name and a module of one spelling would be mistaken for each other."""
    assert 5 <= len(FRONTS)
    for path in FRONTS:
        modules = {one.stem for one in path.parent.iterdir() if one.suffix == ".py" or one.is_dir()}
        assert set() == (_stated_all(tree_of(path)) or set()) & modules


@every_module([path for path in CORE_MODULES if not MAY_WAIT & set(path.relative_to(CORE).parts)])
def test_only_flows_wait(path: Path) -> None:
    """A port declares what waits; it does not do it."""
    waiting = [
        f"line {node.lineno}" for node in ast.walk(tree_of(path)) if isinstance(node, WAITING)
    ]
    assert [] == waiting


def test_the_contract_of_purity_names_every_other_room() -> None:
    tables = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]
    [pure] = [one for one in tables["importlinter"]["contracts"] if one["id"] == "pure"]
    rooms = {path.parent.name for path in CORE.glob("*/__init__.py")} - NOT_PURE
    assert sorted(f"hkex_ops.{room}" for room in rooms) == pure["source_modules"]


def test_no_file_names_a_path_of_one_machine() -> None:
    found = [place for place, line in lines_of(kept_files()) if MACHINE_PATH.search(line)]
    assert [] == found


def test_no_file_names_a_package_registry() -> None:
    found = [place for place, line in lines_of(kept_files()) if REGISTRY_HOST.search(line)]
    assert [] == found
