"""A task's own question: was it cancelled, or something that it waited for?"""

import asyncio


def cancelled() -> bool:
    """Somebody wants the running task to end; without that, a CancelledError came out of what it waited for."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
