"""A systemd unit that starts the controller with the machine."""

import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path

from crossfade.core.errors import PlatformError, RefusedError
from crossfade.paths import StateDirectory, at_home, default_state

MARK = "# Written by `crossfade up --install`, which writes it again."
SYSTEM = Path("/etc/systemd/system")


@dataclass(frozen=True)
class Unit:
    """Where a unit lies, what is in it, and what is typed once it is there. `system`: root's, for the whole machine."""

    path: Path
    text: str
    system: bool

    @property
    def commands(self) -> list[str]:
        """What makes systemd take it up, now and after each start of the machine."""
        systemctl = "systemctl" if self.system else "systemctl --user"
        linger = [] if self.system else ["loginctl enable-linger"]
        return [*linger, f"{systemctl} daemon-reload", f"{systemctl} enable --now {self.path.name}"]


def unit_of(state: StateDirectory, balancer: str, user: int) -> Unit:
    """The unit of a state directory's controller: root's for the machine, anybody else's for themselves."""
    system = user == 0
    folder = SYSTEM if system else _config() / "systemd/user"
    own = "" if state.root == default_state().root else f"-{re.sub(r'[^A-Za-z0-9_.-]', '-', state.root.name)}"
    return Unit(folder / f"crossfade{own}.service", _text(state, balancer, system=system), system)


def install(unit: Unit) -> None:
    """Write it. RefusedError for a unit of that name which is not ours, PlatformError where it cannot be written."""
    try:
        if unit.path.exists() and MARK not in unit.path.read_text(encoding="utf-8"):
            raise RefusedError(f"{unit.path} exists and was not written by crossfade", "move it away first")
        unit.path.parent.mkdir(parents=True, exist_ok=True)
        beside = unit.path.with_name(f".{unit.path.name}.new")
        beside.write_text(unit.text, encoding="utf-8")
        beside.replace(unit.path)
    except OSError as error:
        raise PlatformError(f"{unit.path} cannot be written: {error.strerror}", "check the folder") from error


def _text(state: StateDirectory, balancer: str, *, system: bool) -> str:
    words = [_program(), "up", "--foreground", "--state", str(state.root), "--balancer", balancer]
    after = "After=network-online.target docker.service\nWants=network-online.target\n" if system else ""
    return f"""\
{MARK}
[Unit]
Description=crossfade, the controller of {_plain(str(state.root))}
{after}
[Service]
ExecStart={" ".join(map(_word, words))}
Environment={_in_quotes(f"PATH={os.environ.get('PATH', os.defpath)}")}
Restart=always
RestartSec=2
# Without this, stopping the controller would kill what it deployed.
KillMode=process

[Install]
WantedBy={"multi-user" if system else "default"}.target
"""


def _program() -> str:
    """The crossfade that is typed: the one beside this Python."""
    return str(Path(sys.executable).with_name("crossfade"))


def _config() -> Path:
    return Path(at_home(os.environ.get("XDG_CONFIG_HOME") or "~/.config"))


def _plain(text: str) -> str:
    return text.replace("%", "%%")


def _word(text: str) -> str:
    """A word of a command: there a $ that means itself stands twice, and in an assignment it does not."""
    return _in_quotes(text.replace("$", "$$"))


def _in_quotes(text: str) -> str:
    """As systemd reads it: a % twice where it means itself."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{_plain(escaped)}"'
