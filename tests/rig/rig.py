"""The rig as a test uses it: a process of its own, gone when the test is."""

import asyncio
import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import datetime
from functools import cached_property
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import Any, Self

from tests.rig.knobs import LAG, Fault, Kind

ROOT = Path(__file__).parents[2]
REGION, ACCOUNT = "us-east-1", "123456789012"
_START = 120.0
_STOP = 60.0  # a rig that is killed would leave its tasks and its Envoy behind
_ASK = 60.0


class Rig:
    """`async with Rig(pace=10) as rig:`, or `with` where nothing else waits. All methods answer within milliseconds."""

    def __init__(self, *, pace: float = 10.0, lag: float = LAG, containers: bool = False) -> None:
        """`containers`: images that Docker has are run by it."""
        self._pace, self._lag, self._containers = pace, lag, containers
        self._process: subprocess.Popen[str] | None = None
        self._clients: dict[tuple[str, str], Any] = {}
        self._making = Lock()
        self.endpoint = ""
        self.knobs = Turn(self)
        self.images = Register(self)

    def start(self) -> Self:
        """RuntimeError when it does not come up; what it wrote is on our standard error."""
        command = [sys.executable, "-m", "tests.rig", "--port", "0", "--json", "--ends-with-parent"]
        command += ["--pace", str(self._pace), "--lag", str(self._lag)]
        command += ["--containers"] if self._containers else []
        environment = {name: text for name, text in os.environ.items() if not name.startswith("AWS_")}
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=environment
        )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the rig did not come up: exit code {self._process.wait(_STOP)}")
        self.endpoint = json.loads(line)["endpoint"]
        return self

    def stop(self) -> None:
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(_STOP)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    async def __aenter__(self) -> Self:
        return await asyncio.wait_for(asyncio.to_thread(self.start), _START)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.to_thread(self.stop)

    @cached_property
    def _session(self) -> Any:
        """One for all clients: it reads each service's model once."""
        import botocore.session  # type: ignore[import-untyped]

        return botocore.session.Session()

    @property
    def environment(self) -> dict[str, str]:
        """By which AWS's tools, Terraform and botocore find it."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_REGION": REGION,
            "AWS_ACCESS_KEY_ID": "rig",
            "AWS_SECRET_ACCESS_KEY": "rig",
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def keys_of(self, account: str) -> dict[str, str]:
        """In place of the rig's own, by which AWS is another account's, with nothing in it yet."""
        asked = {"RoleArn": f"arn:aws:iam::{account}:role/other", "RoleSessionName": "rig"}
        given = self.client("sts").assume_role(**asked)["Credentials"]
        names = {
            "AccessKeyId": "ACCESS_KEY_ID",
            "SecretAccessKey": "SECRET_ACCESS_KEY",
            "SessionToken": "SESSION_TOKEN",
        }
        return {f"AWS_{name}": given[said] for said, name in names.items()}

    def client(self, service: str, region: str = REGION) -> Any:
        """A botocore client that asks once: what goes wrong is seen."""
        with self._making:  # botocore's sessions are not made for several threads, and its clients are
            if (service, region) not in self._clients:
                self._clients[service, region] = self._made(service, region)
            return self._clients[service, region]

    def _made(self, service: str, region: str) -> Any:
        from botocore.config import Config  # type: ignore[import-untyped]

        return self._session.create_client(
            service,
            region,
            endpoint_url=self.endpoint,
            aws_access_key_id="rig",
            aws_secret_access_key="rig",
            config=Config(retries={"max_attempts": 0}, max_pool_connections=4),
        )

    def address_of(self, arn: str) -> str:
        """`127.0.0.1:PORT` where a listener really listens; of a load balancer's ARN, its first listener; or where a
        distribution's edge is.
        """
        for one in self.ask("GET", "/listeners"):
            if arn in (one["listener"], one["load_balancer"]):
                return str(one["address"])
        raise LookupError(f"{arn} has no listener")

    def take_down(self, load_balancer: str, target_groups: Iterable[str]) -> None:
        """They are gone. Each that stays has Envoy watch a file, and of inotify's instances a user has 128."""
        elb = self.client("elbv2")
        elb.delete_load_balancer(LoadBalancerArn=load_balancer)
        for arn in target_groups:
            elb.delete_target_group(TargetGroupArn=arn)

    def it_is(self, moment: str) -> None:
        """Such as 2026-12-01T03:00+09:00: what is to begin at that moment does, and what comes later follows."""
        self.ask("PUT", "/calendar", {"at": datetime.fromisoformat(moment).timestamp()})

    def settle(self) -> None:
        """Wait until load balancers do what they were told: however long this machine takes, beside their lag."""
        self.ask("GET", "/settled")

    def calls(self) -> dict[str, int]:
        """How often each operation was asked for, as `ecs:UpdateService`."""
        found: dict[str, int] = self.ask("GET", "/calls")
        return found

    def ask(self, method: str, path: str, said: Any = None) -> Any:
        """The rig itself, under /_rig. ValueError says what it did not like."""
        body = None if said is None else json.dumps(said).encode()
        request = urllib.request.Request(f"{self.endpoint}/_rig{path}", method=method, data=body)
        try:
            with urllib.request.urlopen(request, timeout=_ASK) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            raise ValueError(error.read().decode()) from error


class Turn:
    """Knobs, turned while it runs: `rig.knobs.throttle("ecs", rate=0.5)`."""

    def __init__(self, rig: Rig) -> None:
        self._rig = rig
        self._faults: list[Fault] = []

    def set(self, **knobs: float) -> None:
        """pace, lag, task_start, metrics_after: see `Knobs`."""
        self._rig.ask("PUT", "/knobs", knobs)

    def throttle(
        self, service: str = "*", operation: str = "*", *, rate: float = 1.0, times: int | None = None
    ) -> None:
        self.add(Fault(service=service, operation=operation, rate=rate, times=times))

    def refuse(
        self, service: str, operation: str, code: str, message: str = "", *, status: int = 400, times: int | None = None
    ) -> None:
        """Answer with an error and do nothing."""
        self.add(
            Fault(service=service, operation=operation, code=code, message=message or code, status=status, times=times)
        )

    def lose_answer(self, service: str, operation: str = "*", *, rate: float = 1.0, times: int | None = None) -> None:
        """Do it, and cut the connection before the answer."""
        self.add(Fault(service=service, operation=operation, kind=Kind.LOST, rate=rate, times=times))

    def cut(self, service: str, operation: str = "*", *, rate: float = 1.0, times: int | None = None) -> None:
        """Cut the connection and do nothing."""
        self.add(Fault(service=service, operation=operation, kind=Kind.UNHEARD, rate=rate, times=times))

    def delay(self, service: str, operation: str = "*", *, seconds: float, times: int | None = None) -> None:
        """Do it, and answer so many seconds of this machine later."""
        self.add(Fault(service=service, operation=operation, kind=Kind.LATE, seconds=seconds, times=times))

    def add(self, *faults: Fault) -> None:
        self._faults += faults
        self._rig.ask("PUT", "/knobs", {"faults": [asdict(fault) for fault in self._faults]})

    def clear(self) -> None:
        """Nothing goes wrong any more."""
        self._faults.clear()
        self._rig.ask("PUT", "/knobs", {"faults": []})


class Register:
    """Images, each a program of this machine: `rig.images.add("shop/web:1", [sys.executable, "app.py"])`."""

    def __init__(self, rig: Rig) -> None:
        self._rig = rig

    def add(
        self,
        reference: str,
        command: Sequence[str],
        *,
        folder: Path | None = None,
        environment: dict[str, str] | None = None,
    ) -> str:
        """Its digest: tasks find it as `repository:tag` and `repository@digest`; one of ECR's is found there, too."""
        said = {
            "reference": reference,
            "command": list(command),
            "folder": str(folder or ""),
            "environment": environment or {},
        }
        return str(self._rig.ask("PUT", "/images", said)["digest"])
