"""What may hang, and holds up nobody."""

import asyncio
import subprocess
import sys
import threading

import pytest

from crossfade.aside import aside

HANGS = """
import asyncio, threading
from crossfade.aside import aside

async def main():
    asyncio.create_task(aside(threading.Event().wait))
    await asyncio.sleep(0)

asyncio.run(main())
print("ended")
"""


async def test_it_gives_what_the_work_gives() -> None:
    """Its answer, or its error, with whatever it was given."""
    assert await aside(divmod, 7, 2) == (3, 1)
    with pytest.raises(ValueError, match="invalid literal"):
        await aside(int, "x", base=10)


async def test_what_hangs_takes_no_thread_from_others() -> None:
    """A hundred questions to a disk that is gone, and everything else goes on."""
    back = threading.Event()
    hanging = [asyncio.create_task(aside(back.wait)) for _ in range(100)]
    assert await asyncio.to_thread(lambda: "another") == "another"
    hanging[0].cancel()
    with pytest.raises(asyncio.CancelledError):
        await hanging[0]
    back.set()
    assert await asyncio.gather(*hanging[1:]) == [True] * 99


def test_who_ends_does_not_wait_for_it() -> None:
    """The thread ends with its process."""
    done = subprocess.run([sys.executable, "-c", HANGS], capture_output=True, text=True, check=True, timeout=60)
    assert (done.stdout, done.stderr) == ("ended\n", "")
