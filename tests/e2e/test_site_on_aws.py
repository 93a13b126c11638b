"""A site and the service that it asks as one release on AWS, with visitors who load a page and all that it names."""

import re
import shutil
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from tests.rig import Rig
from tests.rig.place import make
from tests.support.shipped import PACE, Ran, Shipped, asked, counted, repeated, throttled

from crossfade.aws.places import Places

pytestmark = pytest.mark.long

FILE = """
app: {app}
services:
  web:
    image: {image}
    port: 8080
    replicas: 1
    resources: {{cpu: 0.25, memory: 512M}}
    health: {{path: /health, interval: 6s, timeout: 2s}}
    drain: 2s
    env: {{RELEASE: "{release}", FAULT: "{fault}"}}
    deploy: {{strategy: blue-green, keep_previous: 0s, timeout: 120s, rollback_on: {{min_requests: 0}}}}
environments:
  dev:
    platform: aws
    cloud: {{region: us-east-1, site: {{folder: public, build: "sh build.sh"}}}}
"""
PAGE = '<!doctype html><html><head><script src="/app-{hash}.js"></script></head><body>release {release}</body></html>'


@dataclass
class Visitors:
    """Who loads the page and then its script: which releases were seen, and what was broken."""

    seen: Counter[str] = field(default_factory=Counter)
    broken: Counter[str] = field(default_factory=Counter)


class Shop(Shipped):
    """An app with a site on the rig, and the folder that it is shipped from."""

    def __init__(self, rig: Rig, app: str, folder: Path) -> None:
        super().__init__(rig, folder)
        self.app = app
        self.place = make(rig, app, desired=0)
        self.bucket = f"{app}-dev-site-0"
        self.s3 = rig.client("s3")
        self.s3.create_bucket(Bucket=self.bucket)
        self.edge = _distribution(rig, self.bucket, Places(app, "dev").site)
        self.write(1)

    def write(self, release: int, *, fault: str = "", pages: str = "", image: str = "") -> None:
        self.file(FILE.format(app=self.app, image=image or self.place.image, release=release, fault=fault))
        script = f"{release:x}" * 8
        page = PAGE.format(hash=script, release=release)
        lines = ["rm -rf public", "mkdir -p public/img", f"printf '%s' '{page}' > public/index.html"]
        lines += [f"echo 'release({release})' > public/app-{script}.js", "echo logo > public/img/logo.svg"]
        (self.folder / "build.sh").write_text("\n".join(["set -e", *lines, pages]))

    def there(self, *words: str) -> Ran:
        return self.run(*words, "-e", "dev")

    def ask(self, path: str) -> tuple[int, str, str]:
        """Status, text, and how long it may be kept."""
        return asked(self.rig.address_of(self.edge), path)

    @contextmanager
    def visited(self) -> Iterator[Visitors]:
        visitors = Visitors()
        with repeated(*[lambda: self._visit(visitors)] * 2):
            yield visitors

    def _visit(self, visitors: Visitors) -> None:
        status, page, _ = self.ask("/index.html")
        script = re.search(r'src="([^"]+)"', page)
        if status != 200 or script is None:
            visitors.broken[f"page {status}"] += 1
            return
        time.sleep(0.05)  # a browser takes a moment until it asks for what the page names
        got, text, _ = self.ask(script[1])
        release = re.search(r"release (\d+)", page)
        if got != 200 or release is None or f"release({release[1]})" not in text:
            visitors.broken[f"{script[1]} {got}"] += 1
            return
        visitors.seen[release[1]] += 1


def _distribution(rig: Rig, bucket: str, comment: str) -> str:
    behaviour = {
        "TargetOriginId": "bucket",
        "ViewerProtocolPolicy": "allow-all",
        "ForwardedValues": {"QueryString": False, "Cookies": {"Forward": "none"}},
        "MinTTL": 0,
        "DefaultTTL": 86400,
        "MaxTTL": 31536000,
    }
    origin = {
        "Id": "bucket",
        "DomainName": f"{bucket}.s3.us-east-1.amazonaws.com",
        "S3OriginConfig": {"OriginAccessIdentity": ""},
    }
    config = {
        "CallerReference": bucket,
        "Comment": comment,
        "Enabled": True,
        "DefaultRootObject": "index.html",
        "Origins": {"Quantity": 1, "Items": [origin]},
        "DefaultCacheBehavior": behaviour,
    }
    return str(rig.client("cloudfront").create_distribution(DistributionConfig=config)["Distribution"]["ARN"])


@pytest.fixture(scope="module")
def rig() -> Iterator[Rig]:
    with Rig(pace=PACE, lag=2) as rig:
        yield rig


SHOPS = list("hgfedcba")


@pytest.fixture
def shop(rig: Rig, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shop]:
    shop = Shop(rig, f"site{request.module.SHOPS.pop()}", tmp_path)
    yield shop
    for service in shop.place.services.values():
        rig.client("ecs").update_service(cluster=shop.place.cluster, service=service, desiredCount=0)


def test_a_site_is_switched_and_goes_back_with_its_service_without_a_broken_page(shop: Shop) -> None:
    """A page and what it names fit at every moment; open pages find their old files, and edges forget the old page."""
    assert shop.there("deploy", "--version", "v1").code == 0
    assert "immutable" in shop.ask("/app-11111111.js")[2]
    assert shop.ask("/index.html")[2] == "public, max-age=300"
    assert shop.ask("/img/logo.svg")[2] == "public, max-age=604800"
    with shop.visited() as visitors:
        shop.write(2)
        ran = shop.there("deploy", "--version", "v2")
        assert ran.code == 0, ran.out + ran.err
        time.sleep(0.5)
        assert "release 2" in shop.ask("/index.html")[1]
        assert shop.ask("/app-11111111.js")[0] == 200
        shutil.rmtree(shop.folder / "public")  # whoever goes back needs nothing of the machine that built it
        back = shop.there("rollback", "site")
        assert back.code == 0, back.out + back.err
        assert "release 1" in shop.ask("/index.html")[1]
    assert not visitors.broken
    assert visitors.seen.keys() == {"1", "2"}
    assert shop.releases("site") == [("v2", "bad"), ("v1", "good")]


def test_every_operation_of_a_deploy_of_a_site_may_be_throttled(rig: Rig, shop: Shop) -> None:
    """Some times in a row: it takes longer, and nobody gets a page without its script."""
    assert shop.there("deploy", "--version", "v1").code == 0
    shop.write(2)
    with counted(rig) as operations:
        assert shop.there("deploy", "--version", "v2").code == 0
    assert {one.partition(":")[0] for one in operations} >= {"cloudfront", "s3"}
    shop.write(3)
    with shop.visited() as visitors, throttled(rig, operations):
        ran = shop.there("deploy", "--version", "v3")
    assert ran.code == 0, ran.out + ran.err
    assert not visitors.broken
    assert "release 3" in shop.ask("/index.html")[1]


def test_a_site_stays_when_its_service_goes_back(shop: Shop) -> None:
    """They are one release: a service that never gets healthy leaves the old page where it is."""
    assert shop.there("deploy", "--version", "v1").code == 0
    shop.write(2, fault="broken")
    with shop.visited() as visitors:
        assert shop.there("deploy", "--version", "v2").code == 1
        assert "release 1" in shop.ask("/index.html")[1]
    assert not visitors.broken
    assert visitors.seen.keys() == {"1"}


def test_a_site_that_is_none_changes_nothing(shop: Shop) -> None:
    """A build that fails and a folder without a page are named, with exit code 2 and nothing on record."""
    shop.write(1, pages="echo no such module; exit 9")
    failed = shop.there("deploy")
    assert (failed.code, "ended with 9" in failed.err, "no such module" in failed.err) == (2, True, True)
    shop.write(1, pages="rm public/index.html")
    empty = shop.there("deploy")
    assert (empty.code, "the site's folder public has no index.html" in empty.err) == (2, True)
    assert "nothing runs here" in shop.there("status").out
    planned = shop.there("plan")
    assert (planned.code, "site" in planned.out) == (0, True), planned.out + planned.err
