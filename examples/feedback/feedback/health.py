"""What this instance says of itself: `/actuator/health` for the balancer, `/health/deep` for people."""

import asyncio
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse

from feedback import release, schema
from feedback.store import Store

MEMORY_LIMIT_MB = int(os.environ.get("MEMORY_LIMIT_MB", "512"))
EXTERNAL_SERVICES = os.environ.get("EXTERNAL_SERVICES", "").split()  # host:port, separated by spaces
REACH_SECONDS = 1.0


async def shallow(request: Request) -> JSONResponse:
    trouble = release.trouble() or (await run_in_threadpool(_database, request.app.state.store)).get("reason")
    return _answer({"status": "UP"} if trouble is None else {"status": "DOWN", "reason": trouble})


async def deep(request: Request) -> JSONResponse:
    checks = {
        "database": await run_in_threadpool(_database, request.app.state.store),
        "memory": _memory(),
        "externalServices": await _external_services(),
    }
    up = release.trouble() is None and all(check["status"] == "UP" for check in checks.values())
    return _answer({"status": "UP" if up else "DOWN", "timestamp": datetime.now(UTC).isoformat(), "checks": checks})


def _answer(body: dict[str, Any]) -> JSONResponse:
    return JSONResponse(body, status_code=200 if body["status"] == "UP" else 503)


def _database(store: Store) -> dict[str, Any]:
    try:
        found = store.schema_version()
    except Exception as error:  # noqa: BLE001 - whatever the database says, the answer is 503 and not a traceback
        return {"status": "DOWN", "reason": str(error)}
    if found < len(schema.STEPS):
        return {"status": "DOWN", "reason": f"schema is {found}, not {len(schema.STEPS)}: run the migration"}
    return {"status": "UP", "schema": found}


def _memory() -> dict[str, Any]:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    used = pages * os.sysconf("SC_PAGE_SIZE") // 2**20
    return {"status": "UP" if used <= MEMORY_LIMIT_MB else "DOWN", "usedMb": used, "limitMb": MEMORY_LIMIT_MB}


async def _external_services() -> dict[str, Any]:
    reached = dict(zip(EXTERNAL_SERVICES, await asyncio.gather(*map(_reaches, EXTERNAL_SERVICES)), strict=True))
    return {"status": "UP" if all(reached.values()) else "DOWN", "reached": reached}


async def _reaches(service: str) -> bool:
    host, _, port = service.rpartition(":")
    try:
        _, writer = await asyncio.wait_for(asyncio.open_connection(host, int(port)), REACH_SECONDS)
    except (OSError, ValueError, TimeoutError):
        return False
    writer.close()
    return True
