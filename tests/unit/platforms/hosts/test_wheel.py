"""What hosts get of crossfade is what runs here."""

import base64
import hashlib
import zipfile
from pathlib import Path

import crossfade
from crossfade.platforms.hosts.wheel import make


def test_the_wheel_has_all_of_the_package_and_its_command(tmp_path: Path) -> None:
    """As pip reads it: each file with its hash in RECORD, what it requires, and the entry point."""
    made = make(tmp_path)
    assert made.name == f"crossfade-{crossfade.__version__}-py3-none-any.whl"
    about = f"crossfade-{crossfade.__version__}.dist-info"
    with zipfile.ZipFile(made) as wheel:
        content = {name: wheel.read(name) for name in wheel.namelist()}
    record = [line.split(",") for line in content[f"{about}/RECORD"].decode().splitlines()]
    assert {path for path, _, _ in record} == content.keys()
    for path, told, size in record:
        if not path.endswith("/RECORD"):
            digest = base64.urlsafe_b64encode(hashlib.sha256(content[path]).digest()).rstrip(b"=").decode()
            assert (told, int(size)) == (f"sha256={digest}", len(content[path]))
    assert (
        content["crossfade/cli/main.py"] == Path(crossfade.__file__).with_name("cli").joinpath("main.py").read_bytes()
    )
    assert "crossfade/py.typed" in content
    assert not [path for path in content if "__pycache__" in path]
    assert b"crossfade.cli.main:run" in content[f"{about}/entry_points.txt"]
    assert b"Requires-Dist: click" in content[f"{about}/METADATA"]
