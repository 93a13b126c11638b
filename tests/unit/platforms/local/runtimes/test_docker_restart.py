"""Docker killed and started again: with a daemon of our own, so that nobody else's containers are touched."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.contract import runtime_kits

from crossfade.core.errors import PlatformError
from crossfade.platforms.local.kernel import proc


class OwnDocker:
    """A second dockerd with folders, a socket, a containerd and a network of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.host = f"unix://{folder}/docker.sock"
        self._daemon: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Return when it answers. Pid files of a killed one mislead it where nobody reaps orphans."""
        for left in [self.folder / "pid", *(self.folder / "exec").rglob("containerd.pid")]:
            left.unlink(missing_ok=True)
        paths = {"--data-root": "data", "--exec-root": "exec", "--pidfile": "pid"}
        arguments = [part for option, name in paths.items() for part in (option, str(self.folder / name))]
        with (self.folder / "log").open("ab") as log:
            # In a network of its own: at its start a dockerd without bridge removes the `docker0` it finds.
            command = ["unshare", "--net", "dockerd", "-H", self.host, *arguments, "--iptables=false", "--bridge=none"]
            self._daemon = subprocess.Popen(command, stdout=log, stderr=log)
        for _ in range(150):
            if subprocess.run(["docker", "-H", self.host, "info"], capture_output=True, check=False).returncode == 0:
                return
            time.sleep(0.1)
        pytest.skip("a second dockerd does not start here: " + (self.folder / "log").read_text()[-300:])

    def kill(self) -> None:
        assert self._daemon is not None
        self._daemon.kill()
        self._daemon.wait()

    def remove(self) -> None:
        if self._daemon is not None and self._daemon.poll() is None:
            self._daemon.terminate()
            self._daemon.wait(timeout=30)
        for process in proc.everyone():  # shims that a daemon which did not come back left behind
            if str(self.folder) in Path(f"/proc/{process.pid}/cmdline").read_text():
                os.kill(process.pid, signal.SIGKILL)
        subprocess.run(["umount", "-q", str(self.folder / "data")], check=False)
        shutil.rmtree(self.folder, ignore_errors=True)


@pytest.fixture
def docker() -> Iterator[OwnDocker]:
    if (
        os.geteuid() != 0
        or not shutil.which("dockerd")
        or not shutil.which("unshare")
        or not Path("/bin/busybox").exists()
    ):
        pytest.skip("a second dockerd needs root, dockerd, unshare and busybox")
    made = OwnDocker(Path(tempfile.mkdtemp(prefix="cf")))  # a socket's path must be short
    try:
        made.start()
        yield made
    finally:
        made.remove()


@pytest.mark.slow
async def test_after_a_restart_of_docker_its_instances_have_exited(
    docker: OwnDocker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While Docker is away that is said; once it is back the same adapter reports what ended, and can clear it."""
    monkeypatch.setenv("DOCKER_HOST", docker.host)
    kit = runtime_kits.docker_kit(tmp_path)
    runtime = kit.adapter()
    release = await kit.release(runtime)
    names = {kit.id(), kit.id()}
    for name in names:
        await runtime.launch(name, release, {}, 1)
    assert [instance.exited for instance in await runtime.instances(f"{kit.app}/web")] == [False, False]
    docker.kill()
    with pytest.raises(PlatformError, match="Docker is not running"):
        await runtime.instances(f"{kit.app}/web")
    docker.start()
    found = await runtime.instances(f"{kit.app}/web")
    assert {instance.id for instance in found} == names
    assert all(instance.exited and instance.detail for instance in found)
    for name in names:
        await runtime.stop(name, 1, 1)
    assert list(await runtime.instances(f"{kit.app}/web")) == []
    kit.clear()
    await runtime.close()
