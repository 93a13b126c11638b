"""Work that takes as long as it takes, and looks at how it gets on."""

import threading
from collections.abc import Callable
from typing import Any


def meanwhile(work: Callable[[], Any], look: Callable[[], None], every: float) -> Any:
    """What `work` returns or raises. `look` is called each so many seconds until then; it may raise, too."""
    ended: list[Any] = []

    def run() -> None:
        try:
            ended.append(work())
        except Exception as error:  # noqa: BLE001  it is raised where somebody hears it
            ended.append(error)

    running = threading.Thread(target=run, daemon=True)
    running.start()
    while running.is_alive():
        running.join(every)
        if running.is_alive():
            look()
    if isinstance(ended[0], BaseException):
        raise ended[0]
    return ended[0]
