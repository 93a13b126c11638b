"""Records what `crossfade demo` prints on a terminal as the picture in the README: `make picture`."""
# ruff: noqa: INP001  a script beside its picture, no package

import getpass
import io
import os
import pty
import re
import socket
import subprocess
import sys
import termios
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import MONOKAI
from rich.text import Text

WIDTH, HEIGHT = 132, 46
FROM = "v3 as a canary"  # the picture begins with this act; the whole is longer than a screen
PICTURE = Path(__file__).with_name("demo.svg")
_REMOTE_FONTS = re.compile(r"\s*@font-face \{[^}]*\}")  # a picture loads nothing from elsewhere


def main() -> int:
    code, printed = _on_a_terminal(sys.executable, "-m", "crossfade.cli.main", "demo")
    if code:
        sys.stderr.write(f"the demo failed with code {code}\n{printed}")
        return code
    console = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True, highlight=False)
    console.print("[bold]$ make demo[/bold]\n[dim]...[/dim]")
    console.print(Text.from_ansi(_shown(printed)))
    svg = console.export_svg(title="crossfade demo", theme=MONOKAI)
    PICTURE.write_text(_REMOTE_FONTS.sub("", svg), encoding="utf-8")
    return 0


def _on_a_terminal(*command: str) -> tuple[int, str]:
    """Run it on a pseudo terminal, so that it prints what it prints for people."""
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (HEIGHT, WIDTH))
    process = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    printed = b""
    while True:
        try:
            read = os.read(ours, 65536)
        except OSError:  # the terminal closed with its last writer
            break
        printed += read
        sys.stdout.buffer.write(read)
        sys.stdout.flush()
    os.close(ours)
    return process.wait(), printed.decode()


def _shown(printed: str) -> str:
    """From the chosen act on, without saying whose machine it was."""
    lines = printed.replace("\r\n", "\n").replace(f"{getpass.getuser()}@{socket.gethostname()}", "you@here")
    start = lines.index(FROM)
    return lines[lines.rindex("\n", 0, start) + 1 :].rstrip("\n")


if __name__ == "__main__":
    sys.exit(main())
