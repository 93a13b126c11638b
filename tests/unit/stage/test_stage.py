"""The temporary home of what is played: its own, and gone in the end, however the player ends."""

import asyncio
import signal
import subprocess
import sys
from pathlib import Path
from uuid import uuid4

from crossfade.stage.stage import Stage, clear_deserted, new_folder

PLAYER = """
import os, subprocess, sys, time
from crossfade.stage.stage import new_folder
folder = new_folder(sys.argv[1])
(folder / "secret").write_text("s3cret")
begun = subprocess.Popen(["sleep", "600"], cwd=folder)
print(folder, begun.pid, flush=True)
time.sleep(600)
"""


def test_what_a_killed_player_left_is_cleared_by_the_next_one() -> None:
    """What runs of it and its files go; a stage that is played stays."""
    name = uuid4().hex
    with subprocess.Popen([sys.executable, "-c", PLAYER, name], stdout=subprocess.PIPE, text=True) as player:
        assert player.stdout is not None
        folder, pid = player.stdout.readline().split()
        own = new_folder(name)
        assert asyncio.run(clear_deserted(name)) == []
        player.send_signal(signal.SIGKILL)
        player.wait()
        assert asyncio.run(clear_deserted(name)) == [Path(folder)]
    assert not Path(folder).exists()
    assert not Path("/proc", pid, "exe").exists()  # gone, or a zombie that its parent of now has to see
    assert own.exists()
    asyncio.run(Stage(folder=own, port=0, said=lambda _: None).clear())
    assert not own.exists()
