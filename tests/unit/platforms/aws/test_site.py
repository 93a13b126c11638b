"""The site's releases in its bucket: what is brought when, what visitors keep, and what follows one that broke off."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.adapters.token_fence import TokenFence
from tests.support.in_moto import InMoto, in_moto
from tests.support.moto import REGION

from crossfade.core.errors import PlatformError, RefusedError, StaleTokenError, WrongInputError
from crossfade.core.release import Release
from crossfade.core.routing import Routing, TargetGroup
from crossfade.core.service import SITE, Service, Site
from crossfade.engine.clock import SystemClock
from crossfade.platforms.aws.clients import Answer, Check, Clients, unfenced
from crossfade.platforms.aws.refusals import AwsError
from crossfade.platforms.aws.site.edge import SiteEdge
from crossfade.platforms.aws.site.place import SiteFinder, SitePlace
from crossfade.platforms.aws.site.runtime import SiteRuntime
from crossfade.platforms.aws.site.shelf import Shelf
from crossfade.platforms.aws.site.tree import OWN, SiteFile, order, read

BUCKET, TOKEN = "shop-dev-site-1", 7


class Elsewhere:
    """Finds the bucket, and a distribution that is gone."""

    async def place(self) -> SitePlace:
        return SitePlace("E0", BUCKET, "")


class Bench:
    """A site's adapters before moto, and the folder that it is built in."""

    def __init__(self, aws: InMoto, folder: Path) -> None:
        self.aws, self.folder = aws, folder
        self.s3 = aws.aws("s3")
        self.s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
        origin = {"Id": "bucket", "DomainName": f"{BUCKET}.s3.{REGION}.amazonaws.com"}
        config = {
            "CallerReference": "1",
            "Comment": "shop-dev site",
            "Enabled": True,
            "Origins": {"Quantity": 1, "Items": [{**origin, "S3OriginConfig": {"OriginAccessIdentity": ""}}]},
            "DefaultCacheBehavior": {"TargetOriginId": "bucket", "ViewerProtocolPolicy": "allow-all"},
        }
        self.distribution = aws.aws("cloudfront").create_distribution(DistributionConfig=config)["Distribution"]["Id"]
        self.fence = TokenFence(TOKEN)
        finder, clock = SiteFinder(aws.clients, aws.places), SystemClock()
        self.runtime = SiteRuntime(aws.clients, finder, self.fence, clock)
        self.edge = SiteEdge(aws.clients, finder, fence=self.fence, clock=clock, look=0.01)
        site = Site(folder="dist")
        self.service = Service(
            app="shop", name=SITE, environment="dev", runtime=SITE, source=str(folder), site=site, routes=()
        )

    def cut_off(self) -> SiteEdge:
        """One whose switch breaks off before edges have forgotten anything."""
        return SiteEdge(self.aws.clients, Elsewhere(), fence=self.fence, clock=SystemClock())

    def write(self, **files: str) -> None:
        """`app_js="x"` is app.js."""
        for name, text in files.items():
            path = self.folder / "dist" / name.replace("_", ".").replace("--", "/")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    async def release(self, number: int, **files: str) -> Release:
        """Built of these files alone."""
        for path in (self.folder / "dist").glob("*"):
            path.unlink()
        self.write(**files)
        made = await self.runtime.build(self.service)
        return Release(number=number, service=self.service, version=f"v{number}", digest=made.digest, config_hash="")

    async def bring(self, release: Release) -> None:
        await self.runtime.resize(release, 1, {}, TOKEN)
        await self.switch(release)

    async def switch(self, release: Release) -> Routing:
        group = TargetGroup(release=release.number, registered=(f"shop@dev-site-{release.number}",))
        routing = Routing(groups=(group,), weights=((release.number, 100),))
        await self.edge.apply(release.service, routing, {}, TOKEN)
        return routing

    def shown(self) -> dict[str, str]:
        listed = self.s3.list_objects_v2(Bucket=BUCKET).get("Contents", [])
        keys = [one["Key"] for one in listed if not one["Key"].startswith(OWN)]
        return {key: self.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read().decode() for key in keys}

    def forgotten(self) -> list[list[str]]:
        """Paths of each invalidation, oldest first."""
        front = self.aws.aws("cloudfront")
        listed = front.list_invalidations(DistributionId=self.distribution)["InvalidationList"].get("Items", [])
        found = [
            front.get_invalidation(DistributionId=self.distribution, Id=one["Id"])["Invalidation"] for one in listed
        ]
        found.sort(key=lambda one: one["CreateTime"])
        return [sorted(one["InvalidationBatch"]["Paths"]["Items"]) for one in found]


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with in_moto() as aws:
        (tmp_path / "dist").mkdir()
        yield Bench(aws, tmp_path)


async def test_what_is_new_comes_before_the_switch_and_what_is_replaced_with_it(bench: Bench) -> None:
    """Nobody asks for a new name yet; a name that is there is an open page's until everything changes."""
    await bench.bring(await bench.release(1, index_html="one", a1_js="a", logo_svg="old"))
    two = await bench.release(2, index_html="two", b2_js="b", logo_svg="new", about_html="about")
    assert bench.shown() == {"index.html": "one", "a1.js": "a", "logo.svg": "old"}
    await bench.runtime.resize(two, 1, {}, TOKEN)
    assert bench.shown() == {"index.html": "one", "a1.js": "a", "b2.js": "b", "logo.svg": "old"}
    routing = await bench.switch(two)
    assert bench.shown() == {
        "index.html": "two", "about.html": "about", "a1.js": "a", "b2.js": "b", "logo.svg": "new"
    }  # fmt: skip
    assert bench.forgotten()[-1] == ["/", "/a1.js", "/about.html", "/index.html", "/logo.svg"]
    assert (await bench.edge.report(bench.service.key)).routing == routing


async def test_a_page_that_a_release_has_not_is_gone_with_the_switch(bench: Bench) -> None:
    """And is back with its release; files that open pages may ask for stay."""
    one = await bench.release(1, index_html="one", old_html="old", a1_js="a")
    await bench.bring(one)
    await bench.bring(await bench.release(2, index_html="two"))
    assert bench.shown() == {"index.html": "two", "a1.js": "a"}
    await bench.switch(one)
    assert bench.shown() == {"index.html": "one", "old.html": "old", "a1.js": "a"}


async def test_how_long_a_file_is_kept_is_a_part_of_its_release(bench: Bench) -> None:
    """The same files with another time are put anew."""
    one = await bench.release(1, index_html="one", a1_js="a", logo_svg="old")
    await bench.bring(one)
    said = {key: bench.s3.head_object(Bucket=BUCKET, Key=key)["CacheControl"] for key in bench.shown()}
    assert said == {
        "index.html": "public, max-age=300",
        "a1.js": "public, max-age=31536000, immutable",
        "logo.svg": "public, max-age=604800",
    }
    fresh = replace(bench.service, site=Site(folder="dist", html=60))
    await bench.bring(replace(one, number=2, service=fresh))
    assert bench.s3.head_object(Bucket=BUCKET, Key="index.html")["CacheControl"] == "public, max-age=60"


async def test_a_switch_that_broke_off_is_done_by_the_next(bench: Bench) -> None:
    """Before edges have forgotten, the old release is said to serve; done again, all of it comes."""
    one = await bench.release(1, index_html="one")
    await bench.bring(one)
    two = await bench.release(2, index_html="two")
    await bench.runtime.resize(two, 1, {}, TOKEN)

    whole, bench.edge = bench.edge, bench.cut_off()
    with pytest.raises(PlatformError, match="CreateInvalidation"):
        await bench.switch(two)
    bench.edge = whole
    assert (await bench.edge.report(bench.service.key)).routing.weights == ((1, 100),)
    before = len(bench.forgotten())
    await bench.switch(two)
    assert bench.forgotten()[before:] == [["/", "/index.html"]]
    assert bench.shown() == {"index.html": "two"}


async def test_instances_are_the_releases_that_are_kept_ready(bench: Bench) -> None:
    """Told absolutely, known to whoever asks, and gone when told so."""
    one = await bench.release(1, index_html="one")
    for _ in range(2):
        await bench.runtime.resize(one, 1, {}, TOKEN)
    assert [(i.release, i.id) for i in await bench.runtime.instances(bench.service.key)] == [(1, "shop@dev-site-1")]
    await bench.runtime.resize(one, 0, {}, TOKEN)
    assert await bench.runtime.instances(bench.service.key) == []
    assert await bench.runtime.sizes(bench.service.key) == {1: 0}


async def test_what_only_one_release_needs_goes_with_it(bench: Bench) -> None:
    """Not while it serves; what others name stays."""
    one = await bench.release(1, index_html="one", a1_js="a", both_js="b")
    await bench.bring(one)
    with pytest.raises(RefusedError, match="runs from release 1"):
        await bench.runtime.forget(one, TOKEN)
    await bench.bring(await bench.release(2, index_html="two", both_js="b"))
    await bench.runtime.resize(one, 0, {}, TOKEN)
    await bench.runtime.forget(one, TOKEN)
    assert bench.shown() == {"index.html": "two", "both.js": "b"}
    with pytest.raises(PlatformError, match=r"the files of release 1 \(v1\) of the site are not in its bucket"):
        await bench.runtime.check(one)


async def test_who_lost_the_lease_changes_nothing(bench: Bench) -> None:
    """Neither what is staged nor what visitors get."""
    one, two = await bench.release(1, index_html="one"), await bench.release(2, index_html="two", b_js="b")
    await bench.bring(one)
    bench.fence.newest = TOKEN + 1
    for work in (bench.runtime.resize(two, 1, {}, TOKEN), bench.switch(two), bench.runtime.forget(one, TOKEN)):
        with pytest.raises(StaleTokenError):
            await work
    assert bench.shown() == {"index.html": "one"}


async def test_the_same_files_are_the_same_release(bench: Bench) -> None:
    """Wherever and whenever they were made; another content is another."""
    digests = [(await bench.release(n, index_html="one", a_js="a")).digest for n in (1, 2)]
    assert digests[0] == digests[1] != (await bench.release(3, index_html="one", a_js="b")).digest


async def test_without_a_distribution_nothing_is_built(bench: Bench) -> None:
    """Terraform makes it, and that is said before minutes have passed."""
    front = bench.aws.aws("cloudfront")
    tag = front.get_distribution(Id=bench.distribution)["ETag"]
    front.delete_distribution(Id=bench.distribution, IfMatch=tag)
    with pytest.raises(PlatformError, match="there is no distribution of CloudFront for shop-dev site"):
        await bench.runtime.build(replace(bench.service, build="exit 9"))


@pytest.mark.parametrize(("files", "why"), [([], "does not exist"), (["a.js"], "has no index.html")])
def test_a_folder_that_is_no_site_is_wrong_input(tmp_path: Path, files: list[str], why: str) -> None:
    """Named as the file does."""
    for name in files:
        (tmp_path / "dist").mkdir(exist_ok=True)
        (tmp_path / "dist" / name).write_text("x")
    with pytest.raises(WrongInputError, match=f"the site's folder dist {why}"):
        read(tmp_path / "dist", "dist")


def test_files_outside_the_folder_are_none_of_it(tmp_path: Path) -> None:
    """A link that leads out of it is not followed, and what version control keeps is not shown."""
    (tmp_path / "secret").write_text("s3cret")
    (tmp_path / "dist" / ".git").mkdir(parents=True)
    (tmp_path / "dist" / ".git" / "config").write_text("token")
    (tmp_path / "dist" / "index.html").write_text("x")
    (tmp_path / "dist" / "out.js").symlink_to(tmp_path / "secret")
    assert [file.path for file in read(tmp_path / "dist", "dist").files] == ["index.html"]


def test_pages_come_last_and_the_first_page_at_the_very_end() -> None:
    """Whoever sees a page finds what it names."""
    files = [SiteFile(path, "", "") for path in ("index.html", "b.js", "docs/index.html", "a.css")]
    named, pages = order(files)
    assert [file.path for file in named] == ["b.js", "a.css"]
    assert [file.path for file in pages] == ["docs/index.html", "index.html"]


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("a.js", "text/javascript; charset=utf-8"),
        ("a.css", "text/css; charset=utf-8"),
        ("index.html", "text/html; charset=utf-8"),
        ("a.json", "application/json; charset=utf-8"),
        ("a.svg", "image/svg+xml; charset=utf-8"),
        ("a.woff2", "font/woff2"),
        ("a.wasm", "application/wasm"),
        ("a.PNG", "image/png"),
        ("LICENSE", "application/octet-stream"),
    ],
)
def test_a_browser_is_told_what_a_file_is(path: str, kind: str) -> None:
    """It does not guess: nosniff is set."""
    assert SiteFile(path, "", "").content_type == kind


class Closed(Clients):
    """Whoever asks may not read the bucket."""

    async def call(self, service: str, operation: str, before: Check = unfenced, /, **parameters: Any) -> Answer:
        raise AwsError("these credentials may not s3:GetObject", code="AccessDenied")


async def test_who_may_not_read_the_record_does_not_take_it_for_an_empty_one() -> None:
    """It would be written anew without the releases that are kept, and they could not come back."""
    with pytest.raises(AwsError, match="may not s3:GetObject"):
        await Shelf(Closed(REGION), "site").state()
