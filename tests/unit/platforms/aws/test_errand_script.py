"""What a host runs for a hook, by a real shell: only Docker, AWS and the package manager are stand-ins."""

import hashlib
import subprocess
from pathlib import Path

import pytest
from tests.rig.groups import template_data

from crossfade.core.errors import PlatformError
from crossfade.core.release import Release
from crossfade.core.service import Service
from crossfade.platforms.aws.autoscaling.errand_script import CUT_OFF, FOLDER, TIMED_OUT, script
from crossfade.platforms.aws.autoscaling.templates import user_data_of
from crossfade.platforms.aws.autoscaling.user_data import written

ARN = "arn:aws:secretsmanager:us-east-1:123456789012:secret:shop/dev/TOKEN-AbCdEf:::0123"
WEB = Service(app="shop", name="web", environment="dev", runtime="autoscaling", image="web", env=(("MOTTO", "it's"),))
RELEASE = Release(number=7, service=WEB, version="v2", digest="web@sha256:abc", config_hash="c")
DOCKER = """#!/bin/bash
[ "$1" != login ] || cat > /dev/null
[ "$1" = run ] || exit 0
shift
keep=()
while [ "$1" != web@sha256:abc ]; do
  case $1 in --env) keep+=("$2=${!2}"); shift 2 ;; --env=*) n=${1#--env=}; keep+=("$n=${!n}"); shift ;; *) shift ;; esac
done
shift
exec env -i PATH="$PATH" "${keep[@]}" "$@"
"""


class Host:
    """Runs scripts in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name, text in {"docker": DOCKER, "aws": "#!/bin/sh\necho s3cret\n", "systemctl": "#!/bin/sh\n"}.items():
            (folder / name).write_text(text)
            (folder / name).chmod(0o755)
        data = template_data("web:1", "/shop-dev/hosts", "sg-1", BESIDE="from Terraform")
        self._user_data = written(user_data_of(data), RELEASE, {"TOKEN": ARN}, "us-east-1")

    def run(self, command: str, *, once: str = "0123456789abcdef", limit: float = 20.0, **env: str) -> tuple[int, str]:
        """Its code, and all that it says."""
        text = script(self._user_data, "i-0123", once, command, env, limit).replace(FOLDER, str(self.folder / "hooks"))
        done = subprocess.run(
            ["bash", "-c", text],
            env={"PATH": f"{self.folder}:/usr/bin:/bin"},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        return done.returncode, done.stdout


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return Host(tmp_path)


def test_a_hook_has_what_the_app_has(host: Host) -> None:
    """Settings, secrets, who it is, and what is its own; its code is told, and a digest of all that it wrote."""
    code, out = host.run('echo "$MOTTO $TOKEN $PORT $CROSSFADE_INSTANCE $CROSSFADE_VERSION $URL"; exit 3', URL="a 'b'")
    said = "it's s3cret 8080 i-0123 v2 a 'b'\n"
    assert (code, out) == (3, f"{hashlib.sha256(said.encode()).hexdigest()}\n{said}")


def test_a_hook_is_run_once_whoever_asks(host: Host) -> None:
    """The second one is told what the first one was; another one is another."""
    host.run(f"echo run >> {host.folder}/runs; exit 4")
    assert host.run(f"echo run >> {host.folder}/runs; exit 4")[0] == 4
    assert (host.folder / "runs").read_text() == "run\n"
    host.run(f"echo run >> {host.folder}/runs", once="another")
    assert (host.folder / "runs").read_text() == "run\nrun\n"


def test_a_hook_that_hangs_is_ended_with_what_it_said(host: Host) -> None:
    """The last lines it wrote are there, the newest last."""
    code, out = host.run("seq 100; sleep 60", limit=0.5)
    assert (code, out.splitlines()[1:]) == (TIMED_OUT, [*map(str, range(52, 101)), "timed out after 0.5 s"])


def test_a_hook_that_was_cut_off_is_not_begun_again(host: Host) -> None:
    """Who knows how far a migration came: it failed, and somebody looks at it."""
    began = host.folder / "hooks" / "0123456789abcdef"
    began.mkdir(parents=True)
    (began / "began").touch()
    code, out = host.run("echo again")
    assert (code, out.splitlines()[1]) == (CUT_OFF, "it was cut off before its end, and is not begun again")


def test_an_image_that_does_not_come_is_a_hook_that_fails(host: Host) -> None:
    """With what Docker said of it."""
    (host.folder / "docker").write_text(
        "#!/bin/sh\ncase $1 in login) cat > /dev/null ;; pull) echo no such image; exit 5 ;; esac\n"
    )
    code, out = host.run("true")
    assert (code, out.splitlines()[1]) == (5, "no such image")


def test_hosts_that_boot_in_another_way_are_named() -> None:
    """Nobody can tell what such a host would run."""
    with pytest.raises(PlatformError, match="does not run a container as crossfade's own does"):
        script("#!/bin/bash\ntrue\n", "i-1", "once", "true", {}, 1.0)
