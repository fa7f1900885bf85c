"""What an operator may write, and what he is told when it is wrong."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from sftp_benches import Keys

from hkex_ops.config.settings import Settings, structure_options
from hkex_ops.errors import ConfigError
from hkex_ops.model import SiteRole
from hkex_ops.plugins import Plugins
from hkex_ops_sftp import SftpAddress, SftpOptions, SftpSite, hkex_ops_report_sources
from hkex_ops_sftp.keys import read_key
from hkex_ops_sftp.pins import HostKeyPin

FINGERPRINT = "SHA256:" + "A" * 43

# Made by `ssh-keygen -t ed25519` with the passphrase "not a secret"; it opens nothing.
ENCRYPTED = """\
-----BEGIN OPENSSH PRIVATE KEY-----
b3BlbnNzaC1rZXktdjEAAAAACmFlczI1Ni1jdHIAAAAGYmNyeXB0AAAAGAAAABDAdtylPH
TKZqOwj0lV9G5dAAAAEAAAAAEAAAAzAAAAC3NzaC1lZDI1NTE5AAAAIN52lfaz/m1//1yI
aWXHfF/3Gn6PmlIQP0fwNbFbj948AAAAkJcrVFcKuCg+o28UWRdUpZNoAS04k9sm9RCewB
klNZSz1o/Anj+Rmx1jrkAAct8AU46Z5bJFxnoTabjoyFP9QgWaHP6NXe6HDm7mDxyefv9w
NWWTJxcvgjce8d+xg6sTNqcHhSDL7Yj6TWDySgcNSIgQ/Dfk3I5s9aXPLsuYIiJSddVSuD
d/5yE4I2gmGZbl6w==
-----END OPENSSH PRIVATE KEY-----
"""

TABLE = f"""
user = "BU_C001"
key_file = "keys/reports"
folder = "outgoing"

[[sites.primary.addresses]]
host = "127.0.0.11"
port = 10022
host_keys = ["{FINGERPRINT}"]

[[sites.primary.addresses]]
host = "127.0.0.12"
port = 10022
host_keys = ["{FINGERPRINT}"]
"""


def structured(text: str) -> SftpOptions:
    settings = Settings(path=Path("/etc/hkex-ops/config.toml"))
    return structure_options(settings, "rrs", tomllib.loads(text), SftpOptions)


def test_importing_the_plug_in_loads_no_ssh_library() -> None:
    program = (
        "import sys, hkex_ops_sftp; hkex_ops_sftp.hkex_ops_report_sources();"
        "sys.exit('asyncssh' in sys.modules)"
    )
    assert 0 == subprocess.run([sys.executable, "-c", program], check=False).returncode


def test_the_core_finds_the_offer_through_the_entry_point() -> None:
    assert SftpOptions is Plugins.load().report_source("sftp").options


def test_the_hook_offers_one_report_source() -> None:
    assert ["sftp"] == [offer.name for offer in hkex_ops_report_sources()]


def test_a_table_becomes_options_with_the_addresses_in_their_order() -> None:
    options = structured(TABLE)
    assert ("BU_C001", Path("/etc/hkex-ops/keys/reports"), "outgoing") == (
        options.user,
        options.key_file,
        options.folder,
    )
    assert ["127.0.0.11 port 10022", "127.0.0.12 port 10022"] == [
        str(address) for address in options.site(SiteRole.PRIMARY).addresses
    ]


@pytest.mark.parametrize(
    ("right", "wrong", "told"),
    [
        (f'host_keys = ["{FINGERPRINT}"]', "host_keys = []", "has no host_keys"),
        (f'host_keys = ["{FINGERPRINT}"]', "", "has no host_keys"),
        (FINGERPRINT, "SHA256:short", "'SHA256:short' is not a host key"),
        (FINGERPRINT, "MD5:00:11", "'MD5:00:11' is not a host key"),
        (FINGERPRINT, "ssh-ed25519 AAAA", "is not a host key"),
        (FINGERPRINT, "ssh-dss AAAAB3NzaC1kc3M=", "is not a host key"),
        ("port = 10022", "port = 70000", "must be from 1 to 65535"),
        ("sites.primary", "sites.tertiary", "there is no site 'tertiary'"),
        ('user = "BU_C001"', 'user = ""', "user is empty"),
        ('user = "BU_C001"', "", r"options\.user: is missing"),
        ('folder = "outgoing"', 'folder = " "', "folder is empty"),
        ('folder = "outgoing"', "files_in_flight = 0", "must be at least 1"),
        ('folder = "outgoing"', "files_in_flight = 1000", "must be at most 128"),
        ('folder = "outgoing"', "inactivity_timeout_s = 0", "must be at least 1"),
        ('folder = "outgoing"', "login_timeout_s = -1", "must be at least 1"),
        ('folder = "outgoing"', 'password = "x"', "unknown key"),
    ],
)
def test_a_wrong_table_is_told_apart(right: str, wrong: str, told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        structured(TABLE.replace(right, wrong))


def test_a_site_needs_an_address() -> None:
    with pytest.raises(ConfigError, match="no addresses"):
        SftpSite(())


def test_a_site_that_is_not_set_is_named_with_the_known_ones() -> None:
    with pytest.raises(ConfigError, match="no site secondary; known: primary:"):
        structured(TABLE).site(SiteRole.SECONDARY)


def test_a_public_key_line_pins_its_own_fingerprint_and_type(keys: Keys) -> None:
    pin = HostKeyPin.parse(f"{keys.line(SiteRole.PRIMARY)} a comment")
    assert HostKeyPin(keys.fingerprint(SiteRole.PRIMARY), "ssh-ed25519") == pin


def test_a_fingerprint_may_carry_its_padding() -> None:
    assert HostKeyPin(FINGERPRINT) == HostKeyPin.parse(f"{FINGERPRINT}=")


def test_a_line_whose_type_is_not_its_key_is_refused(keys: Keys) -> None:
    line = keys.line(SiteRole.PRIMARY).replace("ssh-ed25519", "ssh-rsa", 1)
    with pytest.raises(ConfigError, match="is not a host key"):
        SftpAddress("127.0.0.11", 22, (line,))


# -- the private key ------------------------------------------------------------------------------


def test_a_private_key_is_read(keys: Keys) -> None:
    assert keys.user == read_key(keys.file("user"))


def test_a_missing_key_is_told_with_its_path(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=f"there is no private key at {tmp_path}/absent"):
        read_key(tmp_path / "absent")


def test_a_folder_in_the_place_of_a_key_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="is a folder"):
        read_key(tmp_path)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o700 | 0o001])
def test_a_key_that_others_may_use_is_refused(tmp_path: Path, keys: Keys, mode: int) -> None:
    path = tmp_path / "key"
    path.write_bytes(Path(keys.file("user")).read_bytes())
    path.chmod(mode)
    with pytest.raises(ConfigError, match=f"run chmod 600 {path}"):
        read_key(path)


@pytest.mark.parametrize("content", [b"", b"hunter2", b"-----BEGIN OPENSSH PRIVATE KEY-----\nx"])
def test_what_is_not_a_key_is_told_without_its_content(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "key"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(ConfigError, match=f"{path} is not a private key") as caught:
        read_key(path)
    assert "hunter2" not in str(caught.value)
    assert caught.value.__context__ is None


def test_a_public_key_in_the_place_of_the_private_one_is_told(tmp_path: Path, keys: Keys) -> None:
    path = tmp_path / "key.pub"
    path.write_text(keys.line(SiteRole.PRIMARY))
    path.chmod(0o600)
    with pytest.raises(ConfigError, match="is not a private key"):
        read_key(path)


@pytest.mark.parametrize("form", ["pkcs1-pem", "pkcs8-pem"])
def test_an_encrypted_key_is_told_as_such(tmp_path: Path, form: str) -> None:
    import asyncssh

    path = tmp_path / "key"
    key = asyncssh.generate_private_key("ssh-rsa")
    path.write_bytes(key.export_private_key(form, passphrase="secret"))
    path.chmod(0o600)
    with pytest.raises(ConfigError, match="is encrypted") as caught:
        read_key(path)
    assert caught.value.__context__ is None


def test_an_encrypted_key_of_ssh_keygen_is_told_as_such(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text(ENCRYPTED)
    path.chmod(0o600)
    with pytest.raises(ConfigError, match="is encrypted"):
        read_key(path)


def test_an_agent_key_that_is_no_public_key_is_told_as_that() -> None:
    """The sentence speaks of the key of ours, not of a server's."""
    with pytest.raises(ConfigError, match="agent_key is not a public key: write the line that"):
        SftpOptions(user="desk", agent_key="x", sites={})
