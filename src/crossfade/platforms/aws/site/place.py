"""The place of an environment's site: its distribution, and the bucket behind it."""

from dataclasses import dataclass

from crossfade.aws.places import Places
from crossfade.core.errors import PlatformError
from crossfade.platforms.aws.clients import Answer, Clients
from crossfade.platforms.aws.refusals import absent


@dataclass(frozen=True, slots=True)
class SitePlace:
    """`distribution` is an id; `url` is where visitors come in."""

    distribution: str
    bucket: str
    url: str


class SiteFinder:
    """The finder of the site, which it finds once, by the comment that Terraform gives to the distribution."""

    def __init__(self, clients: Clients, places: Places) -> None:
        self._clients, self._places = clients, places
        self._found: SitePlace | None = None

    async def place(self) -> SitePlace:
        """PlatformError where there is none."""
        if self._found is None:
            self._found = await self._find()
        return self._found

    async def _find(self) -> SitePlace:
        token: dict[str, str] = {}
        while True:
            page = (await self._clients.call("cloudfront", "list_distributions", **token))["DistributionList"]
            for one in page.get("Items") or ():
                if one.get("Comment") == self._places.site:
                    return _place(one)
            if not page.get("NextMarker"):
                what, where = f"distribution of CloudFront for {self._places.site}", await self._clients.whereabouts()
                raise PlatformError(*absent(what, where, f"infra apply -e {self._places.environment}"))
            token = {"Marker": page["NextMarker"]}


def _place(distribution: Answer) -> SitePlace:
    origins = distribution["Origins"]["Items"]
    bucket = next((one["DomainName"].partition(".s3.")[0] for one in origins if ".s3." in one["DomainName"]), "")
    names = (distribution.get("Aliases") or {}).get("Items") or [distribution["DomainName"]]
    return SitePlace(distribution["Id"], bucket, f"https://{names[0]}")
