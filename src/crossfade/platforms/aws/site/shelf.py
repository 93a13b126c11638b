"""The site's bucket: what visitors get, the content of every release that can be gone back to, and what serves."""

import asyncio
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

from crossfade.core.errors import PlatformError
from crossfade.core.release import Release
from crossfade.core.routing import Routing
from crossfade.core.service import Site
from crossfade.core.wire import decode, encode
from crossfade.platforms.aws.clients import Check, Clients, unfenced
from crossfade.platforms.aws.refusals import AwsError
from crossfade.platforms.aws.site.tree import OWN, SiteFile, Tree, written

_STATE = f"{OWN}site.json"
_GONE = {"NoSuchKey", "404"}  # not AccessDenied: whoever may not read would take what is on record for nothing
_AT_ONCE = 16  # files on their way; the clients let fewer go


@dataclass(frozen=True, slots=True, kw_only=True)
class StagedRelease:
    """A release that is staged: since when, and whether it is to be kept ready."""

    release: Release
    count: int
    since: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ShelfState:
    """What is on record in the bucket itself, so that whoever looks knows what serves without any journal."""

    routing: Routing = field(default_factory=Routing)
    kept: Mapping[int, StagedRelease] = field(default_factory=dict)
    serves: int = 0  # the release whose pages were put last, and are forgotten by no edge any more

    def keeping(self, kept: StagedRelease) -> "ShelfState":
        return replace(self, kept={**self.kept, kept.release.number: kept})

    def release(self, number: int) -> Release:
        """PlatformError for one that was never staged here."""
        if number not in self.kept:
            raise PlatformError(f"release {number} of the site is not in its bucket", "deploy it again")
        return self.kept[number].release


class Shelf:
    """Reads and writes one bucket."""

    def __init__(self, clients: Clients, bucket: str) -> None:
        self._clients, self._bucket = clients, bucket

    async def state(self) -> ShelfState:
        text = await self._read(_STATE)
        if not text:
            return ShelfState()
        said = json.loads(text)
        kept = [
            StagedRelease(release=decode(Release, one["release"]), count=one["count"], since=one["since"])
            for one in said["kept"]
        ]
        return ShelfState(
            routing=decode(Routing, said["routing"]),
            kept={one.release.number: one for one in kept},
            serves=said["serves"],
        )

    async def record(self, state: ShelfState, before: Check) -> None:
        kept = [{"release": encode(one.release), "count": one.count, "since": one.since} for one in state.kept.values()]
        said = json.dumps({"routing": encode(state.routing), "kept": kept, "serves": state.serves})
        await self._write(_STATE, said, before)

    async def add(self, tree: Tree, folder: Path) -> None:
        """Bring the content of a release, and no file a second time."""
        there = await self._listed(OWN)
        new = {file.key: file for file in tree.files if file.key not in there}

        async def put(file: SiteFile) -> None:
            content = await asyncio.to_thread((folder / file.path).read_bytes)
            asked = {"Bucket": self._bucket, "Key": file.key, "ContentType": file.content_type}
            await self._clients.call("s3", "put_object", Body=content, **asked)

        await _each(put, new.values())
        await self._write(_manifest(tree.digest), tree.text(), unfenced)

    async def tree(self, digest: str) -> Tree | None:
        """The files of a release; None for one that is not there any more."""
        text = await self._read(_manifest(digest))
        return written(text) if text else None

    async def shown(self) -> Mapping[str, str]:
        """What visitors can get: MD5 by path."""
        return {key: tag for key, tag in (await self._listed("")).items() if not key.startswith(OWN)}

    async def show(self, files: Iterable[SiteFile], site: Site, before: Check) -> None:
        """Have visitors get these files from now on, each with how long it may be kept."""

        async def copy(file: SiteFile) -> None:
            await self._clients.call(
                "s3",
                "copy_object",
                before,
                Bucket=self._bucket,
                Key=file.path,
                CopySource=f"{self._bucket}/{quote(file.key)}",
                MetadataDirective="REPLACE",
                ContentType=file.content_type,
                CacheControl=file.cache_control(site),
            )

        await _each(copy, files)

    async def hide(self, paths: Iterable[str], before: Check) -> None:
        async def delete(path: str) -> None:
            await self._clients.call("s3", "delete_object", before, Bucket=self._bucket, Key=path)

        await _each(delete, paths)

    async def forget(self, tree: Tree, others: Iterable[Tree], before: Check) -> None:
        """Remove what only this release needs, of what visitors can get as well."""
        needed = list(others)
        paths, keys = {f.path for t in needed for f in t.files}, {f.key for t in needed for f in t.files}
        mine = [file for file in tree.files if file.path not in paths]
        contents = {file.key for file in tree.files if file.key not in keys}
        manifest = [] if any(one.digest == tree.digest for one in needed) else [_manifest(tree.digest)]
        await self.hide([*(file.path for file in mine), *contents, *manifest], before)

    async def _listed(self, prefix: str) -> dict[str, str]:
        asked = {"Bucket": self._bucket, "Prefix": prefix}
        found = await self._clients.all("s3", "list_objects_v2", "Contents", **asked)
        return {one["Key"]: one["ETag"].strip('"') for one in found}

    async def _read(self, key: str) -> str:
        try:
            answer = await self._clients.call("s3", "get_object", Bucket=self._bucket, Key=key)
        except AwsError as error:
            if error.code in _GONE:
                return ""
            raise
        return str(answer["Body"].decode())

    async def _write(self, key: str, text: str, before: Check) -> None:
        asked = {"Bucket": self._bucket, "Key": key, "ContentType": "application/json"}
        await self._clients.call("s3", "put_object", before, Body=text.encode(), CacheControl="no-store", **asked)


def _manifest(digest: str) -> str:
    return f"{OWN}releases/{digest.rpartition(':')[2]}.json"


async def _each(work: Any, items: Iterable[Any]) -> None:
    """So many at once; the first that fails ends it."""
    gate = asyncio.Semaphore(_AT_ONCE)

    async def one(item: Any) -> None:
        async with gate:
            await work(item)

    async with asyncio.TaskGroup() as group:
        for item in items:
            group.create_task(one(item))
