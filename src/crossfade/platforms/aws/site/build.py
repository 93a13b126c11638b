"""The command that makes a site, run where its source is."""

import asyncio
import os
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from crossfade.core.errors import WrongInputError
from crossfade.core.service import Service
from crossfade.platforms.local.runtimes.processes.logs import last_words

SHOWN_LINES = 15


async def build(service: Service, source: Path, env: Mapping[str, str]) -> None:
    """Run it with the variables of who deploys; nothing where the file names no command.

    WrongInputError with the last lines for one that fails; it ends with us.
    """
    if not service.build:
        return
    handle, name = tempfile.mkstemp(prefix="crossfade-site-", suffix=".log")
    log = Path(name)
    try:
        process = await asyncio.create_subprocess_shell(
            service.build,
            cwd=source,
            env={"PATH": os.defpath, **env},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=handle,
            stderr=handle,
            start_new_session=True,
        )
    finally:
        os.close(handle)
    try:
        code = await process.wait()
    finally:
        if process.returncode is None:  # the deploy was stopped
            with suppress(ProcessLookupError):
                os.killpg(process.pid, 15)
    if code != 0:
        said = last_words(log, SHOWN_LINES).replace("\n", "\n    ")
        raise WrongInputError(
            f"the site could not be built: `{service.build}` ended with {code}\n    {said}",
            f"everything it wrote is in {log}; nothing was changed",
        )
    await asyncio.to_thread(log.unlink)
