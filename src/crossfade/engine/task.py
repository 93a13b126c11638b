"""What a task has to know of itself."""

import asyncio


def cancelled() -> bool:
    """Somebody wants the running task to end; without that, a CancelledError came out of what it waited for."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
