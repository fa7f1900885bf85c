"""A secret in a file: only its owner's, one line where one is wanted, and in no sentence."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from hkex_ops.config.secret_files import secret_bytes, secret_line, secret_text
from hkex_ops.errors import ConfigError


def write(path: Path, content: bytes, mode: int = 0o600) -> Path:
    path.write_bytes(content)
    path.chmod(mode)
    return path


def test_a_line_is_read_without_its_end(tmp_path: Path) -> None:
    assert "s3cret" == secret_line(write(tmp_path / "s", b"s3cret\r\n"), "token_file")


def test_a_text_is_read_as_it_is(tmp_path: Path) -> None:
    assert "a\nb\n" == secret_text(write(tmp_path / "s", b"a\nb\n"), "credentials_file")


@pytest.mark.parametrize(
    ("content", "mode", "told"),
    [
        (b"s3cret", 0o640, "is open to other users .mode 0640.: run chmod 600"),
        (b"", 0o600, "must hold one line, the token itself"),
        (b"s3cret\nmore", 0o600, "must hold one line, the token itself"),
        (b"\xff\xfes3cret", 0o600, "is not text: name the file of the token"),
    ],
)
def test_what_cannot_be_used_is_told_without_its_content(
    tmp_path: Path, content: bytes, mode: int, told: str
) -> None:
    path = write(tmp_path / "s", content, mode)
    with pytest.raises(ConfigError, match=f"token_file .*{told}") as raised:
        secret_line(path, "token_file", "token")
    assert "s3cret" not in str(raised.value)


def test_a_folder_and_nothing_are_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="is not a plain file: it is a folder, name the file"):
        secret_text(tmp_path, "token_file")
    with pytest.raises(ConfigError, match=r"there is no file at .*: set token_file"):
        secret_text(tmp_path / "none", "token_file")


def test_a_pipe_is_told_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe", 0o600)
    with pytest.raises(ConfigError, match="is not a plain file"):
        secret_bytes(tmp_path / "pipe", "token_file")
