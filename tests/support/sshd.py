"""Hosts for a test: real sshds on loopback, each with a key, a home and a state directory of its own."""

import getpass
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.support.machine import ROOT
from tests.support.ports import free_port

SSHD = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")


def why_not() -> str:
    """Why hosts cannot be had here; empty when they can."""
    if SSHD is None or shutil.which("ssh") is None:
        return "needs OpenSSH's server and client"
    if os.geteuid() == 0:
        try:
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
        except OSError:
            return "sshd needs /run/sshd"
    return ""


class SshHost:
    """One sshd. `address` is what the file calls it; the shell finds this tree's crossfade."""

    def __init__(self, root: Path, name: str, authorized: Path, ip: str) -> None:
        self.ip = ip
        self.root = root / name
        self.root.mkdir(mode=0o700)
        self.state = self.root / "s"
        self.port = free_port()
        self._authorized = authorized
        self._process: subprocess.Popen[bytes] | None = None
        self.make_key()

    @property
    def address(self) -> str:
        return f"{getpass.getuser()}@{self.ip}:{self.port}"

    @property
    def public_key(self) -> str:
        """As known_hosts has it."""
        kind, key, *_ = (self.root / "host.pub").read_text().split()
        return f"[{self.ip}]:{self.port} {kind} {key}\n"

    def make_key(self) -> None:
        """Another key than before: another machine, as SSH sees it."""
        for path in (self.root / "host", self.root / "host.pub"):
            path.unlink(missing_ok=True)
        keygen(self.root / "host")

    def start(self) -> None:
        assert SSHD is not None
        bin_folder = self.root / "bin"
        bin_folder.mkdir(exist_ok=True)
        command = bin_folder / "crossfade"
        command.write_text(f'#!/bin/sh\nexec {sys.executable} -m crossfade.cli.main "$@"\n')
        command.chmod(0o755)
        environment = {
            "HOME": self.root,
            "CROSSFADE_STATE": self.state,
            "PATH": f"{bin_folder}:{os.environ['PATH']}",
            "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}",
        }
        lines = [
            f"ListenAddress {self.ip}:{self.port}",
            f"HostKey {self.root / 'host'}",
            f"AuthorizedKeysFile {self._authorized}",
            f"PidFile {self.root / 'sshd.pid'}",
            "StrictModes no",
            "UsePAM no",
            "PasswordAuthentication no",
            "PermitRootLogin prohibit-password",
            "SetEnv " + " ".join(f'"{name}={value}"' for name, value in environment.items()),
        ]
        config = self.root / "sshd_config"
        config.write_text("\n".join(lines) + "\n")
        with (self.root / "sshd.log").open("ab") as log:
            self._process = subprocess.Popen(
                [SSHD, "-D", "-e", "-f", str(config)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        deadline = time.monotonic() + 60
        while True:
            with socket.socket() as probe:
                if probe.connect_ex((self.ip, self.port)) == 0:
                    return
            assert self._process.poll() is None, (self.root / "sshd.log").read_text()
            assert time.monotonic() < deadline, (self.root / "sshd.log").read_text()
            time.sleep(0.02)

    def stop(self) -> None:
        """End the sshd and every connection to it, as when the machine's network is gone."""
        if self._process is None:
            return
        for pid in [*_children(self._process.pid), self._process.pid]:
            _kill(pid)
        self._process.wait(20)
        self._process = None

    def close(self) -> None:
        """End everything that this host ran."""
        self.stop()
        here = str(self.root).encode()
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                seen = (folder / "cmdline").read_bytes() + bytes((folder / "cwd").readlink())
            except OSError:
                continue
            if here + b"/" in seen:
                _kill(int(folder.name))


class SshHosts:
    """A few of them with the user's key that all take. `close()` leaves nothing behind."""

    def __init__(self, count: int = 2) -> None:
        self.root = Path(tempfile.mkdtemp(prefix="cfh-", dir="/tmp"))  # short: unix sockets allow 108 bytes
        keygen(self.root / "id")
        names = enumerate("abcdefgh"[:count])
        self.hosts = [SshHost(self.root, name, self.root / "id.pub", f"127.0.0.{n + 1}") for n, name in names]
        for host in self.hosts:
            host.start()
        self.know()

    def know(self) -> None:
        """Write down the keys as they are."""
        (self.root / "known_hosts").write_text("".join(host.public_key for host in self.hosts))

    def close(self) -> None:
        for host in self.hosts:
            host.close()
        shutil.rmtree(self.root, ignore_errors=True)


def keygen(path: Path) -> None:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "test", "-f", str(path)], check=True)


def _children(pid: int) -> list[int]:
    """Of a process, all the way down, but for those that began a session of their own: controllers live on."""
    found: list[int] = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == pid:
            found += [*_children(int(folder.name)), int(folder.name)]
    return found


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return
