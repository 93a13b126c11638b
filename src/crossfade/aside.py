"""Work in a thread of its own: for what may hang, such as a source on a network disk, or Docker.

asyncio's own threads are few, six on two cores, and are for what ends: six that hang would keep every service from
being started and stopped, and the controller from ending, for it waits for them.
"""

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


async def aside(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """What it returns or raises. Who stops waiting leaves it to itself, and so does the process when it ends."""
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[T] = loop.create_future()

    def give(how: Callable[[], None]) -> None:
        with suppress(RuntimeError):  # nobody is there any more
            loop.call_soon_threadsafe(lambda: None if answer.done() else how())

    def run() -> None:
        try:
            made = work(*args, **kwargs)
        except BaseException as error:  # noqa: BLE001  it is raised where it is waited for
            raised = error
            give(lambda: answer.set_exception(raised))
        else:
            give(lambda: answer.set_result(made))

    threading.Thread(target=run, name=f"aside {getattr(work, '__name__', '')}", daemon=True).start()
    return await answer
