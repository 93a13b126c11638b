"""Starting and stopping the controller of a state directory. Everything it looks after goes on without it."""

import os
import select
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from crossfade.adapters import BALANCERS, DEFAULT_BALANCER, require_known
from crossfade.cli.client import ControllerClient, LostError, NotRunningError
from crossfade.controller.lock import is_free
from crossfade.core.errors import CrossfadeError, PlatformError, RefusedError, WrongInputError
from crossfade.paths import StateDirectory, open_own, unusable
from crossfade.shell import require_lasting
from crossfade.shortage import shortage

START_SECONDS = 20.0
STOP_SECONDS = 20.0
POLL = 0.01
# What a controller starts with: who and where it is, how it reaches Docker, and its own settings. It outlives the shell
# that started it by weeks: what else that shell had, such as keys of a cloud, is no business of later builds.
PLACES = frozenset({"PATH", "HOME", "USER", "LOGNAME", "LANG", "LC_ALL", "TZ", "TMPDIR", "XDG_RUNTIME_DIR"})
NAMES = PLACES | {"SSL_CERT_FILE", "VIRTUAL_ENV", "CROSSFADE_METRICS", "CROSSFADE_TCP", "CROSSFADE_TOKEN"}
PREFIXES = ("DOCKER_", "PYTHON", "COVERAGE_")
SHOWN_LINES = 5
_DAEMON = "crossfade.controller.daemon"
_REFUSED = 3  # a daemon's exit code when another one holds the lock


def command(state: StateDirectory, balancer: str) -> list[str]:
    return [sys.executable, "-m", _DAEMON, str(state.root), balancer]


def environment() -> dict[str, str]:
    """What of this shell's environment a controller is given."""
    return {name: value for name, value in os.environ.items() if name in NAMES or name.startswith(PREFIXES)}


def balancer_of(state: StateDirectory) -> str:
    """The balancer that this state's controller was started with last. WrongInputError when the file names none."""
    try:
        chosen = state.choice.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return DEFAULT_BALANCER
    way_out = "was it written by a newer crossfade? use that one, or put an allowed name into the file"
    return require_known(BALANCERS, chosen, str(state.choice), way_out) if chosen else DEFAULT_BALANCER


def ensure(state: StateDirectory, balancer: str | None = None) -> ControllerClient:
    """A client of the running controller; it is started when none answers.

    Raises RefusedError when it runs with another balancer than the one that is asked for, or left that one serving.
    """
    client = ControllerClient(state.socket)
    chosen = balancer_of(state)
    try:
        client.get("/v1/controller")
    except NotRunningError:
        if not (state.serving or state.balancing):
            chosen = balancer or chosen  # nobody is behind the one that was there
        require_balancer(state, chosen, balancer)
        start(state, chosen)
        return client
    require_balancer(state, chosen, balancer)
    return client


def require_balancer(state: StateDirectory, chosen: str, balancer: str | None) -> None:
    """RefusedError when another balancer is asked for than the one that serves."""
    if balancer and balancer != chosen:
        raise RefusedError(
            f"the controller of {state.root} runs with {chosen}, not with {balancer}",
            "use another state directory with --state, or `crossfade down --all` and start again",
        )


def start(state: StateDirectory, balancer: str) -> None:
    """Start the controller in a session of its own and return when its API answers."""
    require_lasting()  # here as well: without files that may grow it could not tell
    state.prepare()
    choose(state, balancer)
    try:
        log = open_own(state.log, os.O_WRONLY | os.O_APPEND)
    except OSError as error:
        raise unusable(error, state.log) from error
    try:
        before = os.fstat(log).st_size
        process = subprocess.Popen(
            command(state, balancer),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            cwd="/",
            env=environment(),
        )
    finally:
        os.close(log)
    client = ControllerClient(state.socket)

    def answers() -> bool:
        code = process.poll()
        if code not in {None, _REFUSED}:  # refused: somebody else is starting it right now, and ours is not needed
            raise _failed(state, before, code or 0)
        try:
            client.get("/v1/controller")
        except (NotRunningError, LostError):
            return False
        return True

    if not _until(answers, START_SECONDS, lambda: _done_so_far(state, process)):
        process.kill()
        process.wait()
        raise PlatformError(f"the controller did nothing for {START_SECONDS:g} s", f"its log is {state.log}")


def has_come(state: StateDirectory) -> bool:
    """Whether a controller answers. One that somebody has just begun is waited for, until it answers or has ended.

    It outlives a command that is killed meanwhile, and is on no record yet.
    """
    client, came = ControllerClient(state.socket), False

    def settled() -> bool:
        nonlocal came
        begun = _is_begun(state)  # before it is asked: one that answered meanwhile has not ended
        try:
            client.get("/v1/controller")
        except (NotRunningError, LostError):
            return not begun
        came = True
        return True

    return _until(settled, START_SECONDS) and came


def _is_begun(state: StateDirectory) -> bool:
    """A process of ours is its controller, or is about to be."""
    words = "\0".join([_DAEMON, str(state.root), ""]).encode("utf-8", "surrogateescape")
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if words in (process / "cmdline").read_bytes():
                return True
    return False


def choose(state: StateDirectory, balancer: str) -> None:
    """Remember the balancer for whoever starts a controller next. PlatformError when the disk does not take it."""
    beside = state.choice.with_suffix(".new")
    try:
        beside.write_text(f"{balancer}\n", encoding="utf-8")
        beside.replace(state.choice)
    except OSError as error:
        raise unusable(error, state.root) from error


def stop(state: StateDirectory, *, everything: bool = False) -> None:
    """Order it to stop and return when its process has ended; with `everything` the balancer goes too."""
    watched = _watched(state)
    try:
        ControllerClient(state.socket).post("/v1/shutdown", everything=everything)
        if not _until(lambda: is_free(state) and _ended(watched), STOP_SECONDS):
            raise PlatformError(f"the controller did not stop within {STOP_SECONDS:g} s", f"its log is {state.log}")
    finally:
        if watched is not None:
            os.close(watched)


def _watched(state: StateDirectory) -> int | None:
    """The process that holds the lock, as a file that tells of its end, also where nobody collects it.

    None where it is not to be seen from here; then it has stopped once it has let go of the lock.
    """
    try:
        return os.pidfd_open(int(state.lock.read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return None


def _ended(watched: int | None) -> bool:
    return watched is None or bool(select.select([watched], [], [], 0)[0])


def _until(holds: Callable[[], bool], seconds: float, done: Callable[[], int] = lambda: 0) -> bool:
    """Wait until it holds; False when it does not for so long in which `done` stayed the same."""
    deadline, before = time.monotonic() + seconds, done()
    while not holds():
        if time.monotonic() > deadline:
            if (now := done()) == before:
                return False
            deadline, before = time.monotonic() + seconds, now
        time.sleep(POLL)
    return True


def _done_so_far(state: StateDirectory, process: "subprocess.Popen[bytes]") -> int:
    """Clock ticks that the controller has computed: while they grow, it is slow and not stuck.

    It may be another one than ours, which was started in the same moment and has the lock.
    """
    try:
        pid = process.pid if process.poll() is None else int(state.lock.read_text(encoding="utf-8"))
        fields = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
    except (OSError, ValueError):
        return 0
    return int(fields[11]) + int(fields[12])


def _failed(state: StateDirectory, before: int, code: int) -> CrossfadeError:
    """What the controller wrote last, as our own error: it prints its cause, and the way out below it."""
    with state.log.open("rb") as log:
        log.seek(before)
        lines = log.read().decode(errors="replace").strip().splitlines()
    kind = {2: WrongInputError, _REFUSED: RefusedError}.get(code, PlatformError)
    if code in {2, 3, 4} and len(lines) > 1 and lines[-1].startswith("  "):
        cause = next((line for line in reversed(lines) if not line.startswith("  ")), lines[-1])
        return kind(cause, lines[-1].strip())
    if lines[-1:] == ["MemoryError"] and (lacking := shortage(MemoryError())):  # before it could say so in words
        return lacking
    last = lines[-1:] if any(line.startswith("Traceback") for line in lines) else lines[-SHOWN_LINES:]
    said = "\n  ".join(last) or "it wrote nothing"
    return kind(f"the controller did not start (code {code}):\n  {said}", f"its log is {state.log}")
