"""The licensee's library: what is wrong with it is said before anything is called."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest
from oapi_benches import needs_compiler, open_bench
from oapi_desk import desk_options

from hkex_ops.errors import ConfigError
from hkex_ops.model import Enquiry, SiteRole
from hkex_ops_oapi.elf import why_not_loadable
from hkex_ops_oapi.loading import Library, load_library
from hkex_ops_simulator.oapi.build import Variant, build_library

PRIMARY = SiteRole.PRIMARY


@pytest.fixture
def libraries(tmp_path: Path) -> Path:
    return tmp_path.parent.parent / "oapi-libraries"


def refusal(path: Path, **changes: object) -> str:
    with pytest.raises(ConfigError) as caught:
        load_library(path, environment={}, **changes)  # type: ignore[arg-type]
    return str(caught.value)


def test_no_library_is_said(tmp_path: Path) -> None:
    assert "there is no OAPI library at" in refusal(tmp_path / "liboapi.so")


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"MZ\x90\x00" + bytes(60), "is a library for Windows"),
        (b"", "is no shared library: name the kit's own file"),
        (b"#include <oapi.h>\n" * 4, "is no shared library"),
        (b"\x7fELF", "is no shared library"),
    ],
)
def test_a_file_that_is_no_library_is_said(tmp_path: Path, data: bytes, sentence: str) -> None:
    path = tmp_path / "liboapi.so"
    path.write_bytes(data)
    assert sentence in refusal(path)


@needs_compiler
@pytest.mark.parametrize("variant", [Variant.WRONG_MACHINE, Variant.WRONG_CLASS])
def test_a_library_for_another_machine_is_said(libraries: Path, variant: Variant) -> None:
    """The loader itself says of such a file that it cannot be opened, as of one not there."""
    path = build_library(variant, libraries)
    assert "machines, and this program runs on" in refusal(path)
    assert why_not_loadable(path)


@needs_compiler
def test_another_product_of_the_same_name_is_said(libraries: Path) -> None:
    told = refusal(build_library(Variant.OTHER_PRODUCT, libraries))
    assert "is another product's library of that name" in told
    assert "omniapi_create_session" in told


@needs_compiler
@pytest.mark.skipif(
    "zlib" in sys.builtin_module_names, reason="this Python has zlib in itself, and lacks nothing"
)
def test_a_need_that_the_library_hides_is_said(libraries: Path) -> None:
    told = refusal(build_library(Variant.HIDDEN_ZLIB, libraries))
    assert "of a library that it does not name: add that to preload (zlib: 'libz.so.1')" in told


@needs_compiler
def test_a_library_to_be_loaded_before_that_is_not_there_is_said(libraries: Path) -> None:
    path = build_library(Variant.PLAIN, libraries)
    told = refusal(path, preload=("libnowhere.so.9",))
    assert told.startswith("library libnowhere.so.9 cannot be loaded: ")
    assert "ctypes" not in told


@needs_compiler
def test_a_hidden_need_is_got_over_by_binding_late(libraries: Path) -> None:
    path = build_library(Variant.HIDDEN_ZLIB, libraries)
    assert isinstance(load_library(path, lazy=True, environment={}), Library)


@needs_compiler
async def test_a_hidden_need_is_got_over_by_loading_it_before(tmp_path: Path) -> None:
    """In a process of its own: what is loaded for everybody stays loaded here."""
    libraries = tmp_path.parent.parent / "oapi-libraries"
    path = build_library(Variant.HIDDEN_ZLIB, libraries)
    program = (
        "from pathlib import Path; from hkex_ops_oapi.loading import load_library; "
        f"load_library(Path({str(path)!r}), preload=('libz.so.1',), environment={{}})"
    )
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", program)
    assert 0 == await process.wait()


@needs_compiler
def test_a_kit_that_lacks_what_asking_needs_is_said(
    libraries: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hkex_ops_oapi.loading.REQUIRED", ("omniapi_create_session", "swapint99"))
    path = build_library(Variant.PLAIN, libraries)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("hkex_ops_oapi.loading.OPTIONAL", ())
        assert "lacks swapint99: it is too old a kit" in refusal(path)


@needs_compiler
@pytest.mark.parametrize("variant", [Variant.PLAIN, Variant.OLD_KIT, Variant.SWAPPED])
async def test_every_usable_library_is_used(tmp_path: Path, variant: Variant) -> None:
    """Log in, ask, log out: new kit, old kit, and one that swaps."""
    async with open_bench(tmp_path, variant) as bench:
        async with bench.offer.open(bench.options(), PRIMARY) as gateway:
            assert 170 == (await gateway.status()).facility_base
            held = bench.held()[0]
            items = [one async for page in gateway.enquire(held.enquiry) for one in page.items]
            assert [dict(one) for one in held.items] == items
        assert 0 == bench.stand_in.house.collisions


@needs_compiler
async def test_the_order_of_bytes_is_asked_and_never_assumed(tmp_path: Path) -> None:
    async with open_bench(tmp_path, Variant.SWAPPED) as bench:
        library = load_library(bench.stand_in.library, environment={})
        other = "little" if library.byte_order == "big" else "big"
        options = desk_options(bench.stand_in, tmp_path, byte_order=other)
        with pytest.raises(ConfigError, match="the library says that messages are"):
            async with bench.offer.open(options, PRIMARY):
                raise AssertionError("nobody logs in")
        assert 0 == bench.stand_in.gateways[PRIMARY][0].logins


@needs_compiler
async def test_an_old_kit_has_no_options_to_set(tmp_path: Path) -> None:
    from hkex_ops_oapi.options import Switch

    async with open_bench(tmp_path, Variant.OLD_KIT) as bench:
        options = desk_options(bench.stand_in, tmp_path, compression=Switch.ENABLE)
        with pytest.raises(ConfigError, match="too old for the options"):
            async with bench.offer.open(options, PRIMARY):
                raise AssertionError("nobody logs in")


@needs_compiler
async def test_options_are_set_before_the_log_in(tmp_path: Path) -> None:
    from hkex_ops_oapi.options import Switch

    async with open_bench(tmp_path) as bench:
        switches = {"compression": Switch.DISABLE, "encryption": Switch.ANY}
        options = desk_options(bench.stand_in, tmp_path, **switches)
        async with bench.offer.open(options, PRIMARY) as gateway:
            calls = [one.function for one in gateway.decisions()]
            await anext(gateway.enquire(Enquiry("DQ8")))
    assert calls.index("omniapi_set_option_ex") < calls.index("omniapi_login_ex")
