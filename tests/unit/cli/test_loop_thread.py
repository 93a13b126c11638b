"""What a verb has done beside it ends with the verb."""

import asyncio
import threading
from concurrent.futures import CancelledError
from contextlib import suppress

from crossfade.cli.loop_thread import LoopThread


def test_nothing_goes_on_once_its_verb_has_left() -> None:
    """Who waited was told to leave by Ctrl-C; the work is broken off, and has ended when `end` returns."""
    beside, begun, steps = LoopThread("test"), threading.Event(), list[str]()

    async def work() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)  # what it tidies up is waited for
            steps.append("ended")

    def waits() -> None:
        with suppress(CancelledError):
            beside.run(work())

    waiting = threading.Thread(target=waits, daemon=True)
    waiting.start()
    begun.wait()
    assert steps == []
    beside.end()
    assert steps == ["ended"]
    assert beside.run(asyncio.sleep(0, "and it can still be asked")) == "and it can still be asked"
    beside.close()
    waiting.join()
