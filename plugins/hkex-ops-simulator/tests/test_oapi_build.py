"""Building the stand-in library: where, by whom, how often, and what is said when it cannot be."""

from __future__ import annotations

import ctypes
import re
import subprocess
from concurrent.futures import ThreadPoolExecutor
from importlib.resources import files
from pathlib import Path

import pytest
from oapi_calls import needs_compiler

from hkex_ops.errors import ConfigError, StoreError
from hkex_ops_simulator.oapi import records
from hkex_ops_simulator.oapi.build import (
    LIBRARY_NAME,
    Variant,
    build_library,
    find_compiler,
    header_text,
)

_HANDLED = (
    *("create_session", "close_session", "set_option_ex", "set_option_default", "set_info_ex"),
    *("login_ex", "logout_ex", "set_newpwd_ex", "tx_ex", "tx_response_ex", "query_ex"),
    *("set_event_ex", "clear_event_ex", "read_event_ext_ex", "read_event_block"),
    *("get_message_ex", "get_info_ex", "put_mgmt_ex", "cvt_int", "convert_timestruct"),
    *("tx", "query", "set_event", "clear_event", "read_event_ext", "get_message", "get_info"),
    *("put_mgmt", "set_source", "set_source_ex"),
)
_PLAIN = ("swapint16", "swapint32", "swapint64", "swapint64_t", "swaporderid")


@needs_compiler
def test_the_library_exports_what_the_real_one_does(tmp_path: Path) -> None:
    library = ctypes.CDLL(str(build_library(folder=tmp_path)))
    wanted = [*(f"omniapi_{name}" for name in _HANDLED), *_PLAIN]
    assert [] == [name for name in wanted if not hasattr(library, name)]


@needs_compiler
@pytest.mark.parametrize("variant", Variant)
def test_a_library_is_built_once_and_bears_the_name_of_the_real_one(
    variant: Variant, tmp_path: Path
) -> None:
    first = build_library(variant, tmp_path)
    made = first.stat().st_mtime_ns
    assert (LIBRARY_NAME, first, made) == (
        first.name,
        build_library(variant, tmp_path),
        first.stat().st_mtime_ns,
    )
    assert [LIBRARY_NAME] == [one.name for one in first.parent.iterdir()]


@needs_compiler
def test_variants_lie_apart(tmp_path: Path) -> None:
    assert len(Variant) == len({build_library(one, tmp_path) for one in Variant})


@needs_compiler
def test_many_that_build_at_once_get_one_whole_library(tmp_path: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        built = list(pool.map(lambda _: build_library(folder=tmp_path), range(4)))
    assert 1 == len(set(built))
    assert [LIBRARY_NAME] == [one.name for one in built[0].parent.iterdir()]
    assert ctypes.CDLL(str(built[0])).swapint16(1) == 1


@needs_compiler
def test_the_source_gives_no_compiler_anything_to_warn_of(tmp_path: Path) -> None:
    source = files("hkex_ops_simulator.oapi").joinpath("stand_in.c").read_bytes()
    for define in ("PLAIN", "OLD", "SWAP", "ZLIB", "OTHER"):
        command = [
            *(find_compiler(), "-std=gnu11", "-O1", "-fPIC", "-Wall", "-Wextra", "-Werror"),
            *(f"-DSTAND_IN_{define}", "-x", "c", "-c", "-o", tmp_path / define, "-"),
        ]
        subprocess.run(command, input=source, check=True)


def test_without_a_compiler_it_is_said_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CC", raising=False)
    with pytest.raises(ConfigError, match="install gcc and libc6-dev"):
        build_library(folder=tmp_path / "libraries")
    assert [] == list(tmp_path.iterdir())


def test_a_compiler_without_its_headers_is_told_with_what_it_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiler = tmp_path / "a-compiler"
    compiler.write_text("#!/bin/sh\necho 'stdio.h: No such file or directory' >&2\nexit 1\n")
    compiler.chmod(0o755)
    monkeypatch.setenv("CC", str(compiler))
    assert compiler == find_compiler()
    with pytest.raises(ConfigError, match=r"libc6-dev; it said: stdio\.h: No such file"):
        build_library(folder=tmp_path / "libraries")
    assert [] == [one for one in (tmp_path / "libraries").rglob("*") if one.is_file()]


@needs_compiler
def test_a_folder_that_cannot_be_written_is_the_operators_to_mend(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StoreError, match="cannot be written"):
        build_library(folder=tmp_path / "file")


_SIZES = """
#include <stdio.h>
#include "stand_in_messages.h"
#define SAY(a, b, n, type, facility) printf("%c%c%d %zu\\n", a, b, n, sizeof(type));
int main(void) { STAND_IN_RECORDS(SAY) return 0; }
"""

_ITEMS = {
    "CA3": (records.POSITIONS_HEAD, records.POSITION_ITEM, 600),
    "CA122": (records.HISTORY_HEAD, records.HISTORY_ITEM, 500),
    "CA38": (records.SEGMENT_HEAD, records.ACCOUNT_ITEM, 400),
    "CA39": (records.CHANGES_HEAD, records.CHANGE_ITEM, 200),
    "DA8": (records.SEGMENT_HEAD, records.GROUP_ITEM, 200),
    "DA2": (records.SEGMENT_HEAD, records.SERIES_ITEM, 900),
    "DA30": (records.USER_TYPE_HEAD, records.USER_TYPE_ITEM, 300),
    "UA9": (records.SEGMENT_HEAD, records.SIGNAL, 200),
    "UA13": (records.SEGMENT_HEAD, records.CLEARING_MESSAGE, 100),
}
_SINGLE = {
    "CA10": records.TODAY_HEAD,
    "CA11": records.DATES_HEAD,
    "UA12": records.BUSINESS_DATE,
    "BI7": records.SIGNAL,
    "BI27": records.CLEARING_MESSAGE,
    "BI9": records.HEARTBEAT,
    "BD6": records.VIM_BROADCAST_HEAD,
    "BD39": records.CHANGE_EVENT,
    "BD40": records.POSITION_EVENT,
    "CD28": records.CHANGE_BOOKS,
    **records.ENQUIRIES,
}


@needs_compiler
def test_the_compiler_and_the_house_agree_on_every_size(tmp_path: Path) -> None:
    """The header is compiled; the house's records are written by hand. Neither knows the other."""
    (tmp_path / "stand_in_messages.h").write_text(header_text())
    command = [find_compiler(), "-I", tmp_path, "-x", "c", "-o", tmp_path / "sizes", "-"]
    subprocess.run(command, input=_SIZES.encode(), check=True)
    told = subprocess.run([tmp_path / "sizes"], capture_output=True, text=True, check=True).stdout
    sizes = {code: int(size) for code, size in map(str.split, told.splitlines())}
    for code, (head, item, count) in _ITEMS.items():
        assert (code, head.size + count * item.size) == (code, sizes[code])
    assert {code: shape.size for code, shape in _SINGLE.items()} == {
        code: sizes[code] for code in _SINGLE
    }
    assert max(sizes.values()) <= 64_000


def test_no_record_has_the_size_of_a_vendors() -> None:
    """What the fact sheet gives of one exchange's: CQ10, CQ11, CQ3, CQ39, CQ122, UQ12, UA12."""
    theirs = {"CQ10": 32, "CQ11": 40, "CQ3": 64, "CQ39": 36, "CQ122": 48, "UQ12": 4, "CQ38": 52}
    ours = {code: shape.size for code, shape in records.ENQUIRIES.items()}
    assert [] == [code for code, size in theirs.items() if ours[code] == size]
    assert records.BUSINESS_DATE.size != 88
    assert records.POSITION_ITEM.size != 88


def test_the_header_says_that_it_is_invented() -> None:
    assert re.search(r"INVENTED by hkex-ops-simulator", header_text())
