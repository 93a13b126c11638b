"""CloudFront before a bucket: what an edge keeps, and until when."""

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
from tests.rig import Rig
from tests.rig.edge.cache import Cache, Kept, Lifetimes
from tests.rig.wire import Json


@pytest.mark.parametrize(
    ("control", "seconds"),
    [("", 60), ("max-age=5", 10), ("max-age=30", 30), ("max-age=30, s-maxage=20", 20), ("max-age=999", 100)],
)
def test_an_answer_is_kept_as_long_as_it_says_within_bounds(control: str, seconds: float) -> None:
    assert Lifetimes(least=10, usual=60, most=100).of(control) == seconds


@pytest.mark.parametrize("control", ["no-store", "private", "no-cache, max-age=60"])
def test_what_must_not_be_kept_is_kept_for_the_least_time(control: str) -> None:
    assert Lifetimes(least=0).of(control) == 0


def test_what_is_kept_gets_old_and_is_forgotten_by_path() -> None:
    now = [100.0]
    cache = Cache(lambda: now[0])
    for path in ("/a/1", "/a/2", "/b"):
        cache.keep(path, "", Kept(200, {}, b"x"), 10)
    cache.forget(["/a/*"])
    assert cache.find("/a/1", "") is None
    kept = cache.find("/b", "")
    assert kept is not None
    now[0] = 104
    assert cache.age(kept) == 4
    now[0] = 110
    assert cache.find("/b", "") is None


class Site:
    """A bucket and a distribution before it."""

    def __init__(self, rig: Rig, bucket: str = "edge-site") -> None:
        self.rig, self.bucket = rig, bucket
        self.s3, self.front = rig.client("s3"), rig.client("cloudfront")
        self.s3.create_bucket(Bucket=bucket)
        forwarded = {"QueryString": False, "Cookies": {"Forward": "none"}}
        behaviour: Json = {
            "TargetOriginId": "bucket",
            "ViewerProtocolPolicy": "allow-all",
            "ForwardedValues": forwarded,
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
            "Comment": "",
            "Enabled": True,
            "DefaultRootObject": "index.html",
            "Origins": {"Quantity": 1, "Items": [origin]},
            "DefaultCacheBehavior": behaviour,
        }
        made = self.front.create_distribution(DistributionConfig=config)["Distribution"]
        self.id, self.arn = made["Id"], made["ARN"]

    def put(self, key: str, text: str, control: str) -> None:
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=text.encode(), CacheControl=control)

    def get(self, path: str) -> tuple[int, str, str]:
        """Status, body, and whether the edge had it."""
        try:
            with urllib.request.urlopen(f"http://{self.rig.address_of(self.arn)}{path}", timeout=5) as answer:
                return answer.status, answer.read().decode(), answer.headers["X-Cache"]
        except urllib.error.HTTPError as error:
            return error.code, "", str(error.headers["X-Cache"])

    def invalidate(self, *paths: str) -> Any:
        batch = {"Paths": {"Quantity": len(paths), "Items": list(paths)}, "CallerReference": json.dumps(paths)}
        return self.front.create_invalidation(DistributionId=self.id, InvalidationBatch=batch)["Invalidation"]


@pytest.fixture(scope="module")
def site(rig: Rig) -> Iterator[Site]:
    return Site(rig)


@pytest.mark.long
def test_an_edge_shows_the_old_page_until_it_is_invalidated(site: Site) -> None:
    """And says that it is still at it."""
    site.put("index.html", "one", "max-age=3600")
    assert site.get("/") == (200, "one", "Miss from cloudfront")
    site.put("index.html", "two", "max-age=3600")
    assert site.get("/") == (200, "one", "Hit from cloudfront")
    made = site.invalidate("/index.html")
    assert made["Status"] == "InProgress"
    waiter = site.front.get_waiter("invalidation_completed")
    waiter.wait(DistributionId=site.id, Id=made["Id"], WaiterConfig={"Delay": 0.1, "MaxAttempts": 300})
    assert site.get("/") == (200, "two", "Miss from cloudfront")


@pytest.mark.long
def test_a_page_that_names_an_asset_too_early_makes_the_edge_keep_its_absence(site: Site) -> None:
    """New assets before the pages that name them: CloudFront keeps errors for ten seconds."""
    assert site.get("/app.js")[0] == 403
    site.put("app.js", "code", "max-age=60")
    assert site.get("/app.js")[0::2] == (403, "Hit from cloudfront")


@pytest.mark.long
def test_an_invalidation_that_is_not_there_is_an_error(site: Site) -> None:
    with pytest.raises(site.front.exceptions.NoSuchInvalidation):
        site.front.get_invalidation(DistributionId=site.id, Id="INONE")
