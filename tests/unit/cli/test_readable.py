"""Files with secrets that others may read are named."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from crossfade.cli.file.readable import lines, of_deploy


@pytest.fixture
def key() -> Iterator[Path]:
    """In folders that everybody may go through, as pytest's own are not."""
    folder = Path(tempfile.mkdtemp(dir="/tmp"))
    folder.chmod(0o755)
    (folder / "key.pem").write_text("secret")
    yield folder / "key.pem"
    shutil.rmtree(folder)


@pytest.mark.parametrize(
    ("mode", "folder", "told"), [(0o644, 0o755, 1), (0o640, 0o755, 0), (0o600, 0o755, 0), (0o644, 0o700, 0)]
)
def test_what_anybody_may_read_is_told_once(key: Path, mode: int, folder: int, told: int) -> None:
    """A group may be meant to read it; a folder that is closed closes what is in it; a link is followed."""
    key.chmod(mode)
    link = key.with_name("link.pem")
    link.symlink_to(key)
    key.parent.chmod(folder)
    said = f"anybody on this machine may read {key}, which holds secrets; `chmod o-r` closes it"
    assert lines([key, key]) == told * [said]
    assert len(lines([link])) == told
    assert lines([key.with_name("nowhere")]) == []


def test_a_deploy_looks_at_keys_and_at_where_secrets_come_from(key: Path) -> None:
    """The key of TLS, the file of a secret and an env_file; a command is no file."""
    for name in ("token", ".env"):
        key.with_name(name).write_text("secret")
    services = [{"listener": {"tls": {"certificate": "cert.pem", "key": str(key)}}}, {"listener": {"tls": None}}]
    sources = {
        "web": {
            "folder": str(key.parent),
            "files": [".env"],
            "secrets": {"TOKEN": {"file": "token", "command": None}, "OTHER": {"file": None, "command": "pass"}},
        }
    }
    assert [line.split(",")[0].rpartition("/")[2] for line in of_deploy(services, sources)] == [
        "key.pem",
        ".env",
        "token",
    ]
