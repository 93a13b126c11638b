"""What CodeDeploy is given: the source as a zip with its appspec, and what could never be brought."""

import io
import os
import zipfile
from pathlib import Path

import pytest

from crossfade.core.errors import WrongInputError
from crossfade.platforms.aws.codedeploy.revision import packed

SPEC = "version: 0.0\nos: linux\nhooks:\n  AfterInstall:\n    - {location: hooks/build.sh, timeout: 60}\n"
TOO_LONG = (
    "version: 0.0\nos: linux\nhooks:\n  ValidateService:\n"
    "    - {location: app.py, timeout: 1800}\n    - {location: app.py, timeout: 1801}\n"
)
BESIDE = {"appspec.yml": SPEC, "hooks/build.sh": "#!/bin/sh\n"}


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    folder.mkdir()
    (folder / "app.py").write_text("print('hello')\n")
    (folder / "latest").symlink_to("app.py")
    return folder


def _entries(content: bytes) -> dict[str, zipfile.ZipInfo]:
    return {one.filename: one for one in zipfile.ZipFile(io.BytesIO(content)).infolist()}


def test_the_same_source_is_the_same_revision(source: Path) -> None:
    """Whenever it is made; a script of ours can be run, a link stays one, and one more byte is another revision."""
    first = packed(source, BESIDE)
    os.utime(source / "app.py", (0, 0))
    assert packed(source, BESIDE).name == first.name
    found = _entries(first.content)
    assert list(found) == ["app.py", "appspec.yml", "hooks/build.sh", "latest"]
    assert found["hooks/build.sh"].external_attr >> 16 == 0o100755
    assert found["latest"].external_attr >> 28 == 0o12
    (source / "app.py").write_text("print('hello!')\n")
    assert packed(source, BESIDE).name != first.name


def test_an_appspec_of_the_source_counts(source: Path) -> None:
    """Nothing of ours is then in the revision."""
    (source / "appspec.yml").write_text("version: 0.0\nos: linux\n")
    assert list(_entries(packed(source, BESIDE).content)) == ["app.py", "appspec.yml", "latest"]


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        (None, "has no appspec.yml, and CodeDeploy brings no revision without one"),
        ("version: [", "appspec.yml is not YAML"),
        ("version: 1.0\nos: linux\n", "is not one for hosts with Linux"),
        ("version: 0.0\nos: windows\n", "is not one for hosts with Linux"),
        ("version: 0.0\nos: linux\nhooks: {AfterStart: []}\n", "hooks: AfterStart is not an event"),
        (SPEC, "hooks: AfterInstall: location hooks/build.sh is not in the revision"),
        (TOO_LONG, "its scripts may take 3601 s together"),
        (TOO_LONG.replace("1801", "5m"), "hooks: .*: timeout: found 5m"),
        (TOO_LONG.replace("1801", "-1"), "hooks: .*: timeout: found -1"),
        ("version: 0.0\nos: linux\nhooks: {AfterInstall: [{location: 7}]}\n", "location 7 is not in the revision"),
        ("version: 0.0\nos: linux\nhooks: {AfterInstall: build.sh}\n", r"location \(none\) is not in the revision"),
    ],
)
def test_what_codedeploy_could_not_bring_is_refused(source: Path, spec: str | None, said: str) -> None:
    """Before anything is uploaded, with the file and what is wrong in it."""
    if spec is not None:
        (source / "appspec.yml").write_text(spec)
    with pytest.raises(WrongInputError, match=said):
        packed(source, {})


def test_a_source_that_is_not_there_is_named(tmp_path: Path) -> None:
    """As it stands in the file."""
    with pytest.raises(WrongInputError, match="no such folder"):
        packed(tmp_path / "none", BESIDE)
