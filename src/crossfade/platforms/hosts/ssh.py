"""One host through the system's own OpenSSH client, with all that the user's configuration, agent and jump hosts say.

One connection is opened and shared by everything (ControlMaster); it ends with this process, however that ends.
"""

import os
import shlex
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from crossfade.core.errors import CrossfadeError, PlatformError, WrongInputError
from crossfade.engine.ports.hosts import HostLostError

ALIVE_SECONDS = 5  # between two signs of life
ALIVE_MISSES = 3  # after which the host is lost
POLL = 0.02
LEAVING = 2.0  # seconds for the client to end by itself
READY = b"crossfade: through\n"

# Where a shell that nobody logged in to would not look, and people install to.
SEARCHED = 'PATH="$HOME/.crossfade/bin:$HOME/.local/bin:$PATH"; export PATH; '


def in_shell(command: str) -> str:
    """A command for sh, whatever shell the user of the host has."""
    return f"exec sh -c {shlex.quote(SEARCHED + command)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """How one host is reached: `user@host:port` as the file has it; empty texts leave it to SSH's configuration.

    `alias` is the name that its key is known by, `through` a command whose pipes lead to it.
    """

    host: str
    key: str = ""
    known_hosts: str = ""
    alias: str = ""
    through: str = ""
    timeout: float = 10.0

    @property
    def destination(self) -> str:
        return self._split()[0]

    @property
    def options(self) -> list[str]:
        """Nobody is asked anything, and a host whose key is not known or changed is not spoken to."""
        said = {
            "BatchMode": "yes",
            "StrictHostKeyChecking": "yes",
            "ConnectTimeout": f"{max(1, round(self.timeout))}",
            "ServerAliveInterval": str(ALIVE_SECONDS),
            "ServerAliveCountMax": str(ALIVE_MISSES),
            "ForwardAgent": "no",
            "LogLevel": "ERROR",
        }
        if self.key:
            said |= {"IdentityFile": self.key, "IdentitiesOnly": "yes"}
        if self.known_hosts:
            said |= {"UserKnownHostsFile": self.known_hosts, "GlobalKnownHostsFile": "/dev/null"}
        if self.alias:
            said["HostKeyAlias"] = self.alias
        if self.through:
            said["ProxyCommand"] = self.through
        port = self._split()[1]
        return [word for name, value in said.items() for word in ("-o", f"{name}={value}")] + (
            ["-p", port] if port else []
        )

    def require_files(self) -> None:
        """WrongInputError for a key that is not here, before SSH would try without it."""
        for path, what, key in (
            (self.key, "key", "ssh.key"),
            (self.known_hosts, "known_hosts file", "ssh.known_hosts"),
        ):
            if path and not os.access(path, os.R_OK):
                state = "cannot be read" if Path(path).exists() else "does not exist"
                raise WrongInputError(
                    f"{self.host} cannot be reached: the {what} {path} {state}", f"put it there, or correct `{key}`"
                )

    def _split(self) -> tuple[str, str]:
        user, at, address = self.host.rpartition("@")
        name, colon, port = address.rpartition(":")
        if not colon or address.endswith("]"):
            name, port = address, ""
        return f"{user}{at}{name.strip('[]')}", port


class HostConnection:
    """An open connection. `folder` is this connection's own, of mode 0700 and short: a socket's path has 107 bytes."""

    def __init__(self, login: Login, folder: Path) -> None:
        self.login = login
        self._control = folder / "ctl"
        self._errors = folder / "ssh.log"
        self._folder = folder
        self._forwards = 0
        self._master: subprocess.Popen[bytes] | None = None

    def open(self) -> None:
        """Connect. WrongInputError without the key's file, HostLostError when it does not answer or is another one."""
        self.login.require_files()
        with self._errors.open("wb") as errors:
            # `cat` ends with its input, which is ours: whoever kills us ends the connection too.
            self._master = self._started(
                ["-M", "-S", str(self._control), "-o", "ControlPersist=no"],
                f"echo {shlex.quote(READY.decode().strip())}; exec cat",
                errors,
            )
        deadline = time.monotonic() + self.login.timeout + ALIVE_SECONDS
        assert self._master.stdout is not None  # noqa: S101  it was asked for
        os.set_blocking(self._master.stdout.fileno(), False)
        said = b""
        while READY not in said:
            said += self._master.stdout.read() or b""
            if self._master.poll() is not None or time.monotonic() > deadline:
                raise self._lost()
            if READY not in said:
                time.sleep(POLL)

    def run(self, command: str, *, given: IO[bytes] | None = None, seconds: float = 60.0) -> bytes:
        """What a shell command prints on the host; `given` is its input. CommandError when it fails."""
        try:
            done = subprocess.run(
                self._words(["-S", str(self._control)], in_shell(command)),
                stdin=given or subprocess.DEVNULL,
                capture_output=True,
                timeout=seconds,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise HostLostError(f"{self.login.host} did not answer within {seconds:g} s") from error
        if done.returncode and not self.alive:
            raise self._lost()
        if done.returncode:
            raise CommandError(self.login.host, done.returncode, done.stderr.decode(errors="replace"), done.stdout)
        return done.stdout

    def talk(self, command: str) -> "subprocess.Popen[bytes]":
        """A command of the host to talk to, line by line; it ends with its input."""
        with self._errors.open("ab") as errors:
            return self._started(["-S", str(self._control)], in_shell(command), errors)

    def forward(self, there: str) -> Path:
        """A socket of ours that leads to a socket of the host, a path, or to one of its ports, `address:port`."""
        self._forwards += 1
        here = self._folder / str(self._forwards)
        done = subprocess.run(
            ["ssh", "-S", str(self._control), *self.login.options, "-O", "forward"]  # noqa: RUF005  one thing a line
            + ["-L", f"{here}:{there}", "--", self.login.destination],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
        if done.returncode:
            if not self.alive:
                raise self._lost()
            said = done.stderr.decode(errors="replace").strip()
            raise PlatformError(
                f"{self.login.host} cannot be reached through: {said}", "allow AllowStreamLocalForwarding"
            )
        return here

    @property
    def alive(self) -> bool:
        return self._master is not None and self._master.poll() is None

    def close(self) -> None:
        if self._master is None:
            return
        self._master.terminate()  # it would wait for whoever still listens to events through it
        try:
            self._master.wait(LEAVING)
        except subprocess.TimeoutExpired:
            self._master.kill()
            self._master.wait()
        for pipe in (self._master.stdin, self._master.stdout):
            if pipe:
                with suppress(OSError):
                    pipe.close()

    def _started(self, how: Sequence[str], command: str, errors: IO[bytes]) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(
            self._words(how, command),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            start_new_session=True,  # Ctrl-C is ours: what is under way is to hear of it from us
        )

    def _words(self, how: Sequence[str], command: str) -> list[str]:
        return ["ssh", *how, *self.login.options, "-T", "--", self.login.destination, command]

    def _lost(self) -> CrossfadeError:
        """Why there is no connection, in words."""
        self.close()
        said = self._errors.read_text(errors="replace").strip() if self._errors.exists() else ""
        return refusal(self.login, said)


class CommandError(PlatformError):
    """A command failed on a host: `code` and `output` are what it left."""

    def __init__(self, host: str, code: int, errors: str, output: bytes) -> None:
        last = errors.strip().splitlines()[-3:]
        super().__init__(f"{host}: {'; '.join(last) or f'a command ended with {code}'}")
        self.code = code
        self.output = output


def refusal(login: Login, said: str) -> CrossfadeError:
    """What ssh said as one sentence with its way out."""
    host, last = login.host, (said.splitlines() or [""])[-1].strip()
    known = login.known_hosts or "~/.ssh/known_hosts"
    if "REMOTE HOST IDENTIFICATION HAS CHANGED" in said:
        return HostLostError(
            f"the key of {host} changed: it may be another machine, so it was told nothing",
            f"if it was set up anew, put its new key into {known} (ssh-keygen -R, then ssh-keyscan)",
        )
    if "Host key verification failed" in said or "host key is known" in said:
        return HostLostError(
            f"the key of {host} is not known here, so it was told nothing",
            f"compare its key and put it into {known} (ssh-keyscan)",
        )
    if "Permission denied" in said:
        return HostLostError(
            f"{host} lets nobody in with {login.key or 'the keys that SSH has here'}",
            "add the public key to its authorized_keys, or name another with `ssh: {key: ...}`",
        )
    return HostLostError(
        f"{host} does not answer{': ' + last if last else ''}", "mend it, or take it out of `hosts`, and try again"
    )
