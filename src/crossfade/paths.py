"""Where things lie on a disk: in one state directory what a machine's controller keeps, and what is in one's home."""

import errno
import json
import os
import pwd
import stat
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from crossfade.core.errors import PlatformError, WrongInputError
from crossfade.shortage import shortage

SESSION = "CROSSFADE_SESSION"  # in the environment of all that runs for an instance: its session's file
BOOK = "book.json"  # in a balancer's directory: what it was told, service by service
PROCESS = "process.json"  # beside it: the process that serves, where that writes no pid file of its own
FORMAT = 1  # of the state directory; a newer one is refused, an older one would be converted here


@dataclass(frozen=True, slots=True)
class StateDirectory:
    """The state directory. `socket` must stay below 108 bytes, the limit of a unix socket's path."""

    root: Path

    @property
    def socket(self) -> Path:
        return self.root / "api.sock"

    @property
    def journal(self) -> Path:
        return self.root / "journal.db"

    @property
    def snapshot(self) -> Path:
        """What the journal adds up to, so that a start need not add it up: the journal stays the truth."""
        return self.root / "ledgers.snapshot"

    @property
    def lock(self) -> Path:
        return self.root / "controller.lock"

    @property
    def log(self) -> Path:
        return self.root / "controller.log"

    @property
    def choice(self) -> Path:
        """Names the balancer the controller was started with last."""
        return self.root / "balancer.choice"

    @property
    def page(self) -> Path:
        """Where the page of `crossfade dashboard` is open, with its token."""
        return self.root / "page.json"

    @property
    def secrets(self) -> Path:
        return self.root / "secrets"

    @property
    def notify(self) -> Path:
        """Who is told, with addresses that are secrets."""
        return self.root / "notify"

    @property
    def balancer(self) -> Path:
        return self.root / "balancer"

    @property
    def used(self) -> bool:
        """Something was deployed from here, and may still run: the journal says so, or what lies beside it does."""
        records = (self.journal, self.balancer / BOOK)
        return self.balancing or any(path.exists() for path in records) or self.serving or self._deserted

    @property
    def balancing(self) -> bool:
        """A balancer was left to run: one that is stopped in order takes its process off the record."""
        return (self.balancer / PROCESS).exists() or any(self.balancer.glob("*.pid"))

    @property
    def serving(self) -> bool:
        """Something was left to serve: the balancer's book has services, or cannot be read, or instances are on record.

        Each of them is cleared away with what is taken down; none of it says that no process died since.
        """
        instances = self.root / "instances"
        if instances.is_dir() and any(instances.iterdir()):
            return True
        try:
            return bool(json.loads((self.balancer / BOOK).read_bytes())["entries"])
        except FileNotFoundError:
            return False
        except (OSError, ValueError, TypeError, LookupError):
            return True

    @property
    def _deserted(self) -> bool:
        """Processes of ours run although nothing lies here: somebody deleted the directory under them."""
        session, work = f"{SESSION}={self.root}/".encode(), {str(self.balancer), f"{self.balancer} (deleted)"}
        for process in Path("/proc").iterdir():
            if process.name.isdigit():
                with suppress(OSError):  # gone, or somebody else's
                    if str((process / "cwd").readlink()) in work or session in (process / "environ").read_bytes():
                        return True
        return False

    def prepare(self) -> None:
        """Make the directory for its owner alone, and refuse one that a newer crossfade wrote.

        PlatformError for one that is another user's, or that others may write to: what lies there may be theirs.
        """
        require_utf8(self.root, "the state directory", "give another one with --state or CROSSFADE_STATE")
        try:
            self.root.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._take_possession()
            if not self._format:
                (self.root / "format").write_text(f"{FORMAT}\n")
        except OSError as error:
            if error.errno in {errno.ENOSPC, errno.EDQUOT}:
                raise unusable(error, self.root) from error
            raise PlatformError(
                f"the state directory {self.root} cannot be used: {error.strerror}",
                "give another one with --state or CROSSFADE_STATE",
            ) from error
        self.refuse_newer()
        if len(os.fsencode(self.socket)) > 100:  # noqa: PLR2004  sun_path holds 108 bytes, Envoy's socket lies deeper
            raise WrongInputError(
                f"the state directory's path is too long for a unix socket: {self.root}",
                "choose one of at most 80 characters with --state or CROSSFADE_STATE",
            )

    def refuse_newer(self) -> None:
        """WrongInputError where a newer crossfade wrote it: what it says there we may read wrongly, or not see."""
        found = ""
        with suppress(OSError):  # whoever needs the directory says why it cannot be read
            found = self._format
        if found and not found.isdecimal():
            raise WrongInputError(
                f"{self.root / 'format'} is damaged: it says {found[:20]!r}, which is not a number",
                f"write {FORMAT} into it, if no newer crossfade worked here",
            )
        if found and int(found) > FORMAT:
            raise WrongInputError(
                f"the state directory {self.root} has format {found}, this crossfade knows up to {FORMAT}",
                "upgrade crossfade, or use another directory with --state",
            )

    @property
    def _format(self) -> str:
        mark = self.root / "format"
        return mark.read_text(encoding="utf-8", errors="replace").strip() if mark.exists() else ""

    def _take_possession(self) -> None:
        info = self.root.stat()
        if info.st_uid != os.geteuid():
            raise PlatformError(
                f"the state directory {self.root} belongs to {_name_of(info.st_uid)}, not to {_name_of(os.geteuid())}",
                "become that user, or give a directory of your own with --state or CROSSFADE_STATE",
            )
        mode = stat.S_IMODE(info.st_mode)
        if mode & (stat.S_IWGRP | stat.S_IWOTH) and not self._is_fresh_disk(mode):
            raise PlatformError(
                f"others may write to the state directory {self.root} (mode {mode:o}): what lies there may be theirs",
                f"look at it, then: chmod 700 {self.root}; or give another one with --state or CROSSFADE_STATE",
            )
        if mode != stat.S_IRWXU:
            self.root.chmod(stat.S_IRWXU)

    def _is_fresh_disk(self, mode: int) -> bool:
        """A file system that was just made and mounted here: mkfs and tmpfs, and nobody else, let all write to it."""
        if not self.root.is_mount():
            return False
        self.root.chmod(stat.S_IRWXU)  # before the look: nothing comes after it
        if any(path.name != "lost+found" for path in self.root.iterdir()):
            self.root.chmod(mode)  # for a person to look at, and so that the next try is refused as well
            return False
        return True


def at_home(path: str, home: str = "") -> str:
    """A path as it is meant: `~` and what begins with `~/` lie in one's home, and nothing else does.

    `home` is that of whoever is meant, by default $HOME, else what the machine knows of who runs us; without any of
    them the path stays as it is.
    """
    if not is_at_home(path):
        return path
    return f"{home}{path[1:]}" if home else os.path.expanduser(path)  # noqa: PTH111  Path's raises without a home


def is_at_home(path: str) -> bool:
    return path == "~" or path.startswith("~/")


def from_folder(folder: Path, path: str) -> Path:
    """Where a path of a file leads: from the file's folder, from /, or at home."""
    return folder / at_home(path)


def require_utf8(path: Path, what: str, way_out: str) -> None:
    """WrongInputError for a name that journal, API and balancers, all of which are UTF-8, could not write down."""
    try:
        str(path).encode()
    except UnicodeEncodeError:
        shown = os.fsencode(path).decode(errors="replace")
        raise WrongInputError(f"{what} {shown} has a name that is not UTF-8", way_out) from None


def open_own(path: Path, flags: int) -> int:
    """Open a file of the state directory, made for its owner alone. A link in its place is not followed: OSError."""
    return os.open(path, flags | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)


def is_still(known: os.stat_result, path: Path) -> bool:
    """What is there is what was there: it was not removed, and nothing else took its place."""
    try:
        return os.path.samestat(known, path.stat())
    except (FileNotFoundError, NotADirectoryError):
        return False


def _name_of(user: int) -> str:
    try:
        return pwd.getpwuid(user).pw_name
    except KeyError:
        return f"user {user}"


def unusable(error: OSError, where: Path) -> PlatformError:
    """The error of a state directory that cannot be written, in words."""
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        way_out = "free some space, or files where `df -i` says so; what runs goes on running"
        return PlatformError(f"the disk of {where} is full", way_out)
    if lacking := shortage(error):
        return lacking
    named = f" ({error.filename})" if error.filename else ""
    return PlatformError(f"{where} cannot be used: {error.strerror or error}{named}", "check it and its permissions")


def default_state() -> StateDirectory:
    """CROSSFADE_STATE, else crossfade in XDG_STATE_HOME, else ~/.local/state/crossfade.

    A relative XDG_STATE_HOME is passed over, as its specification wants: it would be another one in each folder.
    """
    given = os.environ.get("CROSSFADE_STATE")
    if given:
        return state_at(given)
    home = os.environ.get("XDG_STATE_HOME", "")
    return state_at(f"{home if home.startswith('/') else '~/.local/state'}/crossfade")


def state_at(path: str) -> StateDirectory:
    """The state directory that somebody named. PlatformError for one in a home that nobody knows."""
    there = at_home(path)
    if is_at_home(there):
        raise PlatformError(
            f"where your home is is not known: HOME is not set, and this machine has no user {os.geteuid()}",
            "set HOME, or give a state directory with --state or CROSSFADE_STATE",
        )
    return StateDirectory(Path(there).absolute())
