"""The user's own terraform or tofu as a child process, in the folder of one environment."""

import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any, Protocol, Self

from crossfade.aws.terraform.changes import Changes
from crossfade.aws.terraform.stream import Diagnostic, TerraformStory
from crossfade.aws.terraform.trouble import StoppedError, TerraformRun, error, wants_init
from crossfade.core.errors import PlatformError, WrongInputError

LEAST = (1, 5)
NAMED_BY = "CROSSFADE_TERRAFORM"
INSTALL = (
    "install it (https://developer.hashicorp.com/terraform/install or https://opentofu.org/docs/intro/install), "
    f"or name yours with --terraform or {NAMED_BY}"
)
LOOK = 0.05  # seconds between two looks at what it wrote


class Watch(Protocol):
    """Whoever watches a run: `say` tells a sentence that stays, and `now` what is under way."""

    def say(self, line: str) -> None: ...

    def now(self, line: str) -> None: ...


@dataclass(slots=True)
class RunEnd:
    """What a run left behind."""

    code: int
    story: TerraformStory
    stopped: bool


@dataclass(slots=True)
class _Stop:
    """Ctrl-C, or a CI that gives up. Counts only: whoever reads the child's lines acts on it, between two of them."""

    times: int = 0
    obeyed: int = 0
    _before: dict[int, Any] = field(default_factory=dict)

    def __enter__(self) -> Self:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(number) is not signal.SIG_IGN:  # nohup
                self._before[number] = signal.signal(number, self._count)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _count(self, _: int, __: FrameType | None) -> None:
        self.times += 1


@dataclass(frozen=True, slots=True)
class Terraform:
    """`program` is a path that works; `folder` holds the environment's main.tf."""

    program: str
    folder: Path
    environment: str
    watch: Watch
    wait: float = 0.0  # seconds for somebody else's lock

    @property
    def name(self) -> str:
        return Path(self.program).name

    def plan(self, out: Path, *, destroying: bool = False) -> Any:
        """Write a plan, and have it as `show` has it."""
        arguments = ["plan", "-json", "-input=false", self._waiting, f"-out={out}"]
        arguments += ["-destroy"] if destroying else []
        self._with_init("destroy" if destroying else "plan", arguments)
        return self.show(out)

    def show(self, plan: Path) -> Any:
        """A plan as JSON: `cost --plan` and `audit --plan` read it. It holds secrets in clear.

        Seconds of a core each time: Terraform starts its providers to read one.
        """
        return self._data("show", "-json", str(plan.absolute()))

    def apply(self, plan: Path, changes: Changes) -> None:
        """Make exactly the changes of that plan."""
        story = TerraformStory(total=changes.steps)
        told = self._run(["apply", "-json", "-input=false", self._waiting, str(plan.absolute())], story)
        if told.stopped and told.code:
            raise StoppedError(
                f"stopped after {story.done} of {story.total}; {self.name} has saved its state",
                "`crossfade infra plan` shows what is left, `crossfade infra apply` goes on",
            )
        self._check("apply", told)

    def outputs(self) -> dict[str, Any]:
        """As Terraform has them: name -> {"value", "type", "sensitive"}."""
        return dict(self._data("output", "-json"))

    def init(self) -> None:
        """Fetch providers and modules and connect to where the state is kept."""
        self.watch.say(f"{self.name} init: providers, modules and the state's place")
        self._check("init", self._run(["init", "-input=false", "-no-color"], TerraformStory()))

    @property
    def _waiting(self) -> str:
        return f"-lock-timeout={round(self.wait)}s"

    def _with_init(self, verb: str, arguments: list[str]) -> None:
        """Terraform says by itself when it wants `init` first; asking it is surer than guessing from dates of files."""
        told = self._run(arguments, TerraformStory())
        if told.code and not told.stopped and wants_init(told.story.errors, told.story.plain):
            self.init()
            told = self._run(arguments, TerraformStory())
        if told.stopped and told.code:
            raise StoppedError(f"the {verb} of {self.environment} was stopped; nothing was changed")
        self._check(verb, told)

    def _check(self, verb: str, told: RunEnd) -> None:
        if told.code:
            raise self._error(verb, told.story.errors, told.story.plain)

    def _error(self, verb: str, errors: list[Diagnostic], plain: list[str]) -> Exception:
        return error(TerraformRun(verb, self.environment, self.folder, self.name), errors, plain)

    def _data(self, *arguments: str) -> Any:
        done = self._captured(arguments)
        if done.returncode and wants_init([], done.stderr.splitlines()):
            self.init()
            done = self._captured(arguments)
        if done.returncode:
            raise self._error(arguments[0], [], done.stderr.splitlines())
        return json.loads(done.stdout)

    def _captured(self, arguments: Sequence[str]) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [self.program, *arguments],
            cwd=self.folder,
            env=_environment(),
            capture_output=True,
            text=True,
            check=False,
        )

    def _run(self, arguments: list[str], story: TerraformStory) -> RunEnd:
        """Run to the end.

        What it says goes through a file: were it a pipe, our own death would end it in the middle of an apply, with its
        state unsaved. And it has a session of its own: Ctrl-C reaches everything on a terminal, so it would come twice,
        which Terraform takes for "at once".
        """
        with tempfile.TemporaryFile() as said, _Stop() as stop:
            process = subprocess.Popen(
                [self.program, *arguments],
                cwd=self.folder,
                env=_environment(),
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            for line in _lines(said.fileno(), process):
                self._obey(stop, process)
                if line and (sentence := story.take(line)):
                    self.watch.say(sentence)
                if now := story.now():
                    self.watch.now(now)
            return RunEnd(process.wait(), story, stopped=stop.times > 0)

    def _obey(self, stop: _Stop, process: "subprocess.Popen[bytes]") -> None:
        while stop.obeyed < stop.times:
            stop.obeyed += 1
            if stop.obeyed == 1:
                self.watch.say(f"stopping: {self.name} ends what is under way, in order, and saves its state")
                process.send_signal(signal.SIGINT)
            elif stop.obeyed == 2:  # noqa: PLR2004  the second time
                self.watch.say(
                    f"still saving. A third Ctrl-C ends {self.name} at once: what it is making right now may then be "
                    "on AWS, and cost, without being in the state, and the state may stay locked"
                )
            else:
                process.send_signal(signal.SIGINT)


def find(named: str | None, environ: Mapping[str, str] = os.environ) -> str:
    """The program that was named, else terraform, else tofu; new enough."""
    wanted = named or environ.get(NAMED_BY)
    path = environ.get("PATH")
    names = [wanted] if wanted else ["terraform", "tofu"]
    found = next((program for name in names if (program := shutil.which(name, path=path))), None)
    if found is None:
        what = f"there is no program {wanted}" if wanted else "neither terraform nor tofu is installed"
        raise WrongInputError(what, INSTALL)
    version = _version(found)
    if version[:2] < LEAST:
        shown, least = ".".join(map(str, version)), ".".join(map(str, LEAST))
        raise WrongInputError(f"{found} is version {shown}; crossfade needs {least} or newer", INSTALL)
    return found


def _version(program: str) -> tuple[int, ...]:
    try:
        done = subprocess.run(
            [program, "version", "-json"], env=_environment(), capture_output=True, text=True, check=False, timeout=30
        )
        text = str(json.loads(done.stdout)["terraform_version"])
        return tuple(int(part) for part in re.findall(r"\d+", text)[:3])
    except (OSError, subprocess.TimeoutExpired, ValueError, KeyError, TypeError) as wrong:
        raise PlatformError(f"{program} does not say which version it is", INSTALL) from wrong


def _environment() -> dict[str, str]:
    """Quiet, and never waiting for an answer that nobody can give."""
    return {**os.environ, "CHECKPOINT_DISABLE": "1", "TF_IN_AUTOMATION": "1", "TF_INPUT": "0"}


def _lines(file: int, process: "subprocess.Popen[bytes]") -> Iterator[str]:
    """Line by line as they come, and an empty one whenever there is none, so that somebody can look at the time."""
    at, rest = 0, b""
    while True:
        over = process.poll() is not None  # asked first: what it wrote before its end is read below
        chunk = os.pread(file, 1 << 20, at)
        at += len(chunk)
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            yield line.decode(errors="replace")
        if not chunk:
            if over:
                break
            yield ""
            time.sleep(LOOK)
    if rest:
        yield rest.decode(errors="replace")
