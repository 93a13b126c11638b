"""A release in the user data of a host: what a shell makes of it, and what is read back."""

import base64
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.rig.groups import USER_DATA

from crossfade.aws.terraform.modules import FOLDER
from crossfade.core.errors import PlatformError, WrongInputError
from crossfade.core.release import Release
from crossfade.core.service import Container, Service
from crossfade.platforms.aws.autoscaling.user_data import (
    BEGIN,
    END,
    bucket_in,
    fetch,
    release_in,
    require_told,
    secrets_in,
    written,
)

ARN = "arn:aws:secretsmanager:us-east-1:123456789012:secret:shop/dev/TOKEN-AbCdEf"
BASE = f"#!/bin/bash\nset -u\nexport PORT=8080\n{BEGIN}\nIMAGE='web:1'\nNAMES=()\nCOMMAND=()\n{END}\n"
WEB = Service(
    app="shop",
    name="web",
    environment="dev",
    runtime="autoscaling",
    image="web",
    env=(("MOTTO", "it's $HOME\nand `more`"),),
    secrets=("TOKEN",),
    command="serve --name 'a b'",
)
RELEASE = Release(number=7, service=WEB, version="v2", digest="web@sha256:abc", config_hash="c")


def test_a_shell_gets_exactly_what_the_release_says(tmp_path: Path) -> None:
    """Image, settings with quotes and lines, the pinned value of a secret, and the command's words."""
    asked = tmp_path / "aws"
    asked.write_text('#!/bin/sh\necho "value of $*"\n')
    asked.chmod(0o755)
    script = written(BASE, RELEASE, {"TOKEN": f"{ARN}:::0123-version"}, "us-east-1")
    words = '"$IMAGE" "$MOTTO" "$TOKEN" "$CROSSFADE_RELEASE $CROSSFADE_VERSION" "${NAMES[*]}" "${COMMAND[@]}"'
    script += f'printf "%s\\n" {words}\n'
    path = {"PATH": f"{tmp_path}:/usr/bin:/bin"}
    done = subprocess.run(["bash"], input=script, env=path, capture_output=True, text=True, check=True)
    image, motto, more, token, which, names, *command = done.stdout.splitlines()
    assert (image, f"{motto}\n{more}", which) == ("web@sha256:abc", "it's $HOME\nand `more`", "7 v2")
    assert f"--secret-id {ARN} --version-id 0123-version" in token
    assert names.split() == [
        *("CROSSFADE_APP", "CROSSFADE_RELEASE", "CROSSFADE_SERVICE", "CROSSFADE_VERSION", "MOTTO", "TOKEN")
    ]
    assert command == ["/bin/sh", "-c", "serve --name 'a b'"]


def test_processes_find_on_the_disk_what_their_release_says(tmp_path: Path) -> None:
    """They begin long after the host has booted: settings, secrets by their pinned version, and the command."""
    release = replace(RELEASE, digest="s3://revisions/dev/web/abc.zip")
    script = written(BASE, release, {"TOKEN": f"{ARN}:::0123-version"}, "us-east-1")
    assert release_in(script, "version 2") == release
    assert bucket_in(script) == "revisions"
    home = tmp_path / "release.sh"
    subprocess.run(
        ["bash"],
        input=script.replace("/etc/app/release.sh", str(home)).replace("/etc/app", str(tmp_path)),
        text=True,
        check=True,
    )
    (tmp_path / "aws").write_text('#!/bin/sh\necho "value of $*"\n')
    (tmp_path / "aws").chmod(0o755)
    said = f'. {home}\nprintf "%s\\n" "$MOTTO" "$TOKEN" "$CROSSFADE_VERSION" "$COMMAND"\n'
    path = {"PATH": f"{tmp_path}:/usr/bin:/bin"}
    done = subprocess.run(["bash"], input=said, env=path, capture_output=True, text=True, check=True)
    motto, more, token, version, command = done.stdout.splitlines()
    assert (f"{motto}\n{more}", version, command) == ("it's $HOME\nand `more`", "v2", "serve --name 'a b'")
    assert f"--secret-id {ARN} --version-id 0123-version" in token


def test_a_release_is_read_back_and_replaced() -> None:
    """Whoever finds a host knows its release without any journal; the next release leaves nothing of it."""
    first = written(BASE, RELEASE, {}, "us-east-1")
    assert release_in(first, "version 2") == RELEASE
    second = written(first, replace(RELEASE, number=8, digest="web@sha256:def"), {}, "us-east-1")
    found = release_in(second, "version 3")
    assert found is not None
    assert (found.number, found.digest) == (8, "web@sha256:def")
    assert second.count(BEGIN) == 1
    assert "abc" not in second


@pytest.mark.parametrize("where", ["env", "command", "words"])
def test_no_text_of_a_release_is_a_line_of_the_script(where: str, tmp_path: Path) -> None:
    """One that reads like the end of its part would leave its rest to be run by root when the next release comes."""
    text = f"it's\n{END}\ntouch {tmp_path}/taken\n# crossfade: x\nIMAGE='other'"
    changes: dict[str, dict[str, Any]] = {
        "env": {"env": (("MOTTO", text),)},
        "command": {"command": text},
        "words": {"container": Container(command=("serve", text))},
    }
    release = replace(RELEASE, service=replace(WEB, secrets=(), **changes[where]))
    first = written(BASE, release, {}, "us-east-1")
    script = f'{first}printf "%s\\n" "$MOTTO" "${{COMMAND[@]}}"\n'
    path = {"PATH": "/usr/bin:/bin"}
    done = subprocess.run(["bash"], input=script, env=path, capture_output=True, text=True, check=True)
    assert text in done.stdout
    assert release_in(first, "version 2") == release
    second = written(first, replace(RELEASE, number=8), {}, "us-east-1")
    assert "taken" not in second
    assert release_in(second, "version 3") == replace(RELEASE, number=8)


def test_what_terraform_tells_beside_the_files_secrets_stays(tmp_path: Path) -> None:
    """A database's own password, which is a part of a secret and never pinned: a release's hosts read it as well."""
    told = f"PASSWORD=$({fetch(f'{ARN}:password::', 'us-east-1')})\nexport PASSWORD\n"
    base = BASE.replace(BEGIN, f"{BEGIN}\n{told}".rstrip())
    assert secrets_in(base) == {"PASSWORD": f"{ARN}:password::"}
    script = written(base, RELEASE, {"TOKEN": f"{ARN}:::0123-version"}, "us-east-1") + 'echo "$PASSWORD ${NAMES[*]}"\n'
    (tmp_path / "aws").write_text("""#!/bin/sh\necho '{"username": "app", "password": "it is"}'\n""")
    (tmp_path / "aws").chmod(0o755)
    path = {"PATH": f"{tmp_path}:/usr/local/bin:/usr/bin:/bin"}
    done = subprocess.run(["bash"], input=script, env=path, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("it is ")
    assert {"PASSWORD", "TOKEN"} < set(done.stdout.split())


def test_a_variable_that_terraform_does_not_tell_yet_is_named() -> None:
    """Before anything moves: its hosts would boot without it."""
    asks = replace(WEB, told=("DB_HOST", "PORT"))
    require_told(f"{BASE}export DB_HOST='db'\n", asks)
    with pytest.raises(WrongInputError, match="the place of shop@dev/web does not tell DB_HOST yet"):
        require_told(BASE, asks)
    starts = base64.b64encode(b"#!/bin/bash\nexport DB_HOST='db'\n").decode()  # what begins a process tells it
    require_told(f"{BASE}base64 -d > /usr/local/bin/start-app <<< '{starts}'\n", asks)


def test_what_terraform_began_with_is_nobodys_release() -> None:
    """And where its secrets are is known."""
    told = f"TOKEN=$(aws secretsmanager get-secret-value --region 'us-east-1' --secret-id '{ARN}' --query SecretString)"
    assert release_in(BASE, "version 1") is None
    assert secrets_in(f"{BASE}{told}\n") == {"TOKEN": ARN}


def test_a_copy_with_another_image_is_not_ours() -> None:
    """Somebody put another image into a release's version: nobody is to take that for the release."""
    copied = written(BASE, RELEASE, {}, "us-east-1").replace("IMAGE='web@sha256:abc'", "IMAGE='web:latest'")
    with pytest.raises(PlatformError, match=r"version 9 is not crossfade's: it says release 7 \(v2\)"):
        release_in(copied, "version 9")


def test_what_cannot_be_written_says_how_it_could() -> None:
    """User data without the two lines, and more of it than AWS takes."""
    with pytest.raises(PlatformError, match="no place for a release"):
        written("#!/bin/bash\n", RELEASE, {}, "us-east-1")
    long = replace(RELEASE, service=replace(WEB, env=(("LONG", "x" * 17_000),)))
    with pytest.raises(WrongInputError, match="bytes of user data, and AWS takes 16,384"):
        written(BASE, long, {}, "us-east-1")


@pytest.mark.parametrize("where", [USER_DATA, FOLDER / "compute/asg/user_data.sh.tftpl"], ids=["rig", "terraform"])
def test_hosts_have_a_place_for_a_release(where: Path) -> None:
    """Terraform's user data and the rig's have both lines in order, and take a container's words from it.

    Terraform's has a second place, of which a host gets one: for processes.
    """
    text = where.read_text()
    assert 0 < text.index(BEGIN) < text.index(END) < text.index("${NAMES[@]/#/--env=}") < text.index("${COMMAND[@]}")
    places = 1 if where == USER_DATA else 2
    assert (text.count(BEGIN), text.count(END)) == (places, places)
