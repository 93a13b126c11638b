"""What user data finds on an instance: docker, systemctl, aws and dnf, as far as scripts of ours use them."""

import asyncio
import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

from tests.rig.ec2.guest.agent import Agent, asked_of_s3
from tests.rig.ec2.guest.docker import Docker
from tests.rig.ec2.guest.facts import Facts, Refusal
from tests.rig.ec2.guest.shim import SOCKET
from tests.rig.ec2.guest.systemd import Systemd

_SHIM = Path(__file__).with_name("shim.py")
_NOT_OK = 400
_LONGEST = 1 << 24  # bytes of what is asked, such as a database that is written back
_NAMES = ("aws", "cloudwatch-agent", "dnf", "docker", "loginctl", "rpm", "setfacl", "systemctl", "wget")


def install(folder: Path) -> Path:
    """A command of each name, which asks us."""
    folder.mkdir(parents=True)
    for name in _NAMES:
        command = folder / name
        command.write_text(f'#!/bin/sh\nexec {sys.executable} -I -S {_SHIM} {name} "$@"\n')
        command.chmod(0o755)
    return folder


class Commands:
    """`listen` for them; `end` ends what they began."""

    def __init__(self, facts: Facts, out: str, path: Path, say: Callable[..., None]) -> None:
        self.facts, self.path, self._out, self._say = facts, path, out, say
        self._systemd = Systemd(facts.id, facts.environment(path), say)
        self._agent = Agent(facts.environment(path))
        self._docker = Docker(self.ask, facts.environment(path), say)
        self._known: dict[str, Callable[[list[str], dict[str, str]], Awaitable[str]]] = {
            "aws": self._aws,
            "cloudwatch-agent": self._figures,
            "dnf": self._dnf,
            "loginctl": _nothing,
            "rpm": _nothing,
            "setfacl": _nothing,
            "systemctl": self._systemd.run,
            "wget": self._wget,
        }

    async def listen(self) -> None:
        await asyncio.start_unix_server(self._serve, SOCKET, limit=_LONGEST)

    async def end(self, grace: float) -> None:
        await asyncio.gather(self._docker.end(grace), self._systemd.end(grace))

    async def carry(self, asked: dict[str, Any]) -> None:
        """Run what the rig asks for: a command of the instance, with its own variables, as long as it may take."""
        process = await asyncio.create_subprocess_exec(
            *asked["argv"],
            env={**self.facts.environment(self.path), **asked.get("env", {})},
            cwd=asked.get("cwd") or "/",
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
        )
        code: int | None = None
        said = b""
        try:
            said, _ = await asyncio.wait_for(process.communicate(), asked.get("limit"))
            code = process.returncode
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, 9)
            await process.wait()
        self._say(ran=asked["run"], code=code, out=said.decode(errors="replace"))

    async def deploy(self, asked: dict[str, Any]) -> None:
        """Have CodeDeploy's agent carry out one lifecycle event."""
        told = await self._agent.carry(asked["event"])
        self._say(ran=asked["run"], code=0, out=json.dumps(told))

    async def ask(self, path: str, said: Any) -> Any:
        """The rig itself. Refusal with what it did not like."""
        reader, writer = await asyncio.open_unix_connection(self._out)
        body = json.dumps(said).encode()
        head = f"POST /_rig{path} HTTP/1.1\r\nHost: rig\r\nConnection: close\r\nContent-Length: {len(body)}\r\n\r\n"
        writer.write(head.encode() + body)
        head_, _, text = (await reader.read()).partition(b"\r\n\r\n")
        writer.close()
        found = json.loads(text)
        if int(head_.split()[1]) >= _NOT_OK:
            raise Refusal(found["error"])
        return found

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked = json.loads(await reader.readline())
        name, *arguments = asked["argv"]

        def heard(line: str) -> None:
            writer.write(json.dumps({"out": f"{line}\n"}).encode() + b"\n")

        given = partial(self._docker.run, heard=heard, stdin=asked.get("stdin", ""))
        run = given if name == "docker" else self._known[name]
        try:
            answer = {"code": 0, "out": await run(arguments, asked["env"]), "err": ""}
        except Refusal as error:
            answer = {"code": error.code, "out": "", "err": f"{error.said}\n" if error.said else ""}
        except Exception as error:  # noqa: BLE001  whoever ran it is to hear of it
            answer = {"code": 1, "out": "", "err": f"the rig's {name} failed: {error!r}\n"}
        with contextlib.suppress(OSError):
            writer.write(json.dumps(answer).encode() + b"\n")
            await writer.drain()
        writer.close()

    async def _aws(self, arguments: list[str], _: dict[str, str]) -> str:
        """The AWS CLI, with its parameters and `--query` of one name. https://docs.aws.amazon.com/cli/latest/reference/"""
        service, operation, *rest = arguments
        if (service, operation) == ("ecr", "get-login-password"):
            return "rig\n"
        if (service, operation) == ("s3", "cp"):
            await asyncio.to_thread(self._copy, rest[0], rest[1])
            return ""
        given = {rest[at].removeprefix("--"): rest[at + 1] for at in range(0, len(rest), 2)}
        region, query = given.pop("region", self.facts.region), given.pop("query", "")
        given.pop("output", "")
        asked = {"service": service, "operation": operation, "region": region, "parameters": given}
        found = await self.ask("/cli", asked)
        return f"{found[query]}\n" if query else f"{json.dumps(found)}\n"

    def _copy(self, source: str, target: str) -> None:
        """A file to a bucket, or from there."""
        scheme = "s3://"
        body = None if source.startswith(scheme) else Path(source).read_bytes()
        place = (source if body is None else target).removeprefix(scheme)
        found = asked_of_s3(self.facts.environment(self.path), place, body)
        if body is None:
            Path(target).write_bytes(found)

    async def _dnf(self, arguments: list[str], _: dict[str, str]) -> str:
        """Packages are there already; nginx's settings become those of Amazon Linux."""
        if "docker" in arguments:
            _dockers_group()
        if "nginx" in arguments:
            _amazons_nginx()
        if "amazon-cloudwatch-agent" in arguments:
            _agents_command()
        return ""

    async def _figures(self, arguments: list[str], _: dict[str, str]) -> str:
        """The CloudWatch agent with its configuration: files of units go to log groups, and no figures are kept."""
        given = dict(pairwise(arguments))
        asked = {"service": "ssm", "operation": "get-parameter", "region": self.facts.region}
        name = given["-c"].removeprefix("ssm:")
        found = await self.ask("/cli", {**asked, "parameters": {"name": name}})
        files = json.loads(found["Parameter"]["Value"])["logs"]["logs_collected"]["files"]["collect_list"]
        self._systemd.collected |= {one["file_path"]: one["log_group_name"] for one in files}
        return ""

    async def _wget(self, arguments: list[str], _: dict[str, str]) -> str:
        """Only the installer of CodeDeploy's agent is ever fetched: the agent is the rig's own."""
        at = arguments.index("-O") + 1
        _installer(Path(arguments[at]))
        return ""


def _amazons_nginx() -> None:
    Path("/etc/nginx/nginx.conf").write_text(_NGINX)
    for there in Path("/etc/nginx/conf.d").glob("*.conf"):
        there.unlink()


def _dockers_group() -> None:
    subprocess.run(["groupadd", "--force", "--system", "docker"], check=True)


def _agents_command() -> None:
    command = Path("/opt/aws/amazon-cloudwatch-agent/bin/amazon-cloudwatch-agent-ctl")
    command.parent.mkdir(parents=True, exist_ok=True)
    command.write_text('#!/bin/sh\nexec cloudwatch-agent "$@"\n')
    command.chmod(0o755)


def _installer(path: Path) -> None:
    path.write_text("#!/bin/sh\nexec systemctl enable --now codedeploy-agent\n")


async def _nothing(_: list[str], __: dict[str, str]) -> str:
    return ""


_NGINX = """\
user root;
worker_processes 1;
error_log /var/log/nginx/error.log notice;
pid /run/nginx.pid;
events { worker_connections 1024; }
http {
    include /etc/nginx/mime.types;
    access_log /var/log/nginx/access.log;
    keepalive_timeout 65;
    include /etc/nginx/conf.d/*.conf;
}
"""
