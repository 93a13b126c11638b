"""What a job of a pipeline finds beside it: programs of this machine, where the hosted runner would have containers."""

import fcntl
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from tempfile import gettempdir
from typing import Any

import pytest
from tests.support.nobody import NOBODY

_PLACES = ":".join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/usr/lib/postgresql/15/bin"])
_LOCK = Path(gettempdir()) / "crossfade-job-services.lock"  # their ports are the same for all tests of this machine
_ROOT = os.geteuid() == 0


@contextmanager
def job_services(folder: Path, services: Mapping[str, Any]) -> Iterator[None]:
    """`services` of a job, as its workflow has them, until this ends. Skips where a program or a port is missing."""
    with _LOCK.open("w") as lock, ExitStack() as stack:
        fcntl.flock(lock, fcntl.LOCK_EX)
        ports = []
        for name, service in services.items():
            port = int(service["ports"][0].partition(":")[0])
            if _answers(port):
                pytest.skip(f"port {port}, which the job's {name} has, is taken")
            data = folder / name
            data.mkdir()
            process = subprocess.Popen(
                _PROGRAMS[name](data, port, service.get("env", {})),
                cwd=data,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            stack.callback(process.wait)
            stack.callback(process.kill)
            ports.append(port)
        for port in ports:
            _await(port)
        yield


def _mysql(data: Path, port: int, env: Mapping[str, str]) -> list[str]:
    """MariaDB, which speaks MySQL's protocol: Debian has no MySQL."""
    options = ["--no-defaults", f"--datadir={data / 'tables'}", *(["--user=root"] if _ROOT else [])]
    _run([*_program("mariadb-install-db", "mariadb-server-core"), *options, "--skip-test-db"])
    (data / "first.sql").write_text(
        f"CREATE DATABASE {env['MYSQL_DATABASE']};\n"
        f"CREATE USER root@'127.0.0.1' IDENTIFIED BY '{env['MYSQL_ROOT_PASSWORD']}';\n"
        "GRANT ALL ON *.* TO root@'127.0.0.1';\n"
    )
    own = [f"--socket={data}/socket", f"--pid-file={data}/pid", f"--init-file={data}/first.sql", "--skip-name-resolve"]
    return [*_program("mariadbd", "mariadb-server-core"), *options, *own, "--bind-address=127.0.0.1", f"--port={port}"]


def _postgres(data: Path, port: int, env: Mapping[str, str]) -> list[str]:
    tables = data / "tables"
    if _ROOT:
        os.chown(data, NOBODY, NOBODY)
    _run([*_not_root("initdb"), "--no-sync", "--auth=trust", "-U", "postgres", "-D", str(tables)])
    server = [*_not_root("postgres"), "--single", "-D", str(tables), "postgres"]
    _run(server, f"CREATE DATABASE {env['POSTGRES_DB']};\n")
    options = ["-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=", "-c", "fsync=off"]
    return [*_not_root("postgres"), "-D", str(tables), "-p", str(port), *options]


def _redis(data: Path, port: int, _: Mapping[str, str]) -> list[str]:
    server = _program("redis-server", "redis-server")
    return [*server, "--bind", "127.0.0.1", "--port", str(port), "--save", "", "--dir", str(data)]


_PROGRAMS = {"mysql": _mysql, "postgres": _postgres, "redis": _redis}


def _program(name: str, package: str, user: Sequence[str] = ()) -> list[str]:
    """The kernel ends it with this process, however that ends: the ports are wanted again."""
    found = shutil.which(name, path=_PLACES)
    if found is None:
        pytest.skip(f"{name} is not installed (Debian: {package})")
    return ["setpriv", *user, "--pdeathsig", "KILL", found]


def _not_root(name: str) -> list[str]:
    """PostgreSQL will not run as root."""
    user = (f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups") if _ROOT else ()
    return _program(name, "postgresql", user)


def _run(command: list[str], said: str = "") -> None:
    done = subprocess.run(command, input=said, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def _answers(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


def _await(port: int) -> None:
    end = time.monotonic() + 60
    while not _answers(port):
        assert time.monotonic() < end, f"nothing listens on port {port}"
        time.sleep(0.02)
