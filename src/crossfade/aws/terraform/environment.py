"""The files of environments/<env>: what the file asks for, as calls of modules."""

import json
import re
from collections.abc import Callable, Iterable, Iterator

from crossfade.aws.resources.hostnames import at_edge
from crossfade.aws.resources.names import places, prefix
from crossfade.aws.rights.deployer import policy
from crossfade.aws.terraform.hcl import Block, Expression, block, value
from crossfade.aws.terraform.names import DEPLOYER_POLICY, lock_table, state_bucket
from crossfade.aws.terraform.parts.cicd import cicd
from crossfade.aws.terraform.parts.compute import compute
from crossfade.aws.terraform.parts.data import data
from crossfade.aws.terraform.parts.delivery import delivery
from crossfade.aws.terraform.parts.monitoring import monitoring
from crossfade.aws.terraform.parts.network import network
from crossfade.aws.terraform.parts.security import security
from crossfade.file.model import App

# In the order of main.tf. A part yields blocks of any kind; outputs and variables go to their own files.
PARTS: tuple[Callable[[App], Iterator[Block]], ...] = (
    *(network, compute, data),
    *(delivery, security, monitoring, cicd),
)

TERRAFORM = ">= 1.5"
LOCKING = ">= 1.10"  # with a lock beside the state
PROVIDER = "~> 5.0"
_IMAGE_TAGS = re.compile(r"^image_tags = \{(?:\}|.*?^\})\n", re.MULTILINE | re.DOTALL)
_HEAD = "# Written by `crossfade infra init`. Yours to edit: an edited file is not overwritten.\n\n"


def files(app: App) -> dict[str, str]:
    """Text by file name."""
    blocks = [made for part in PARTS for made in part(app)]
    own = {"variable": "variables.tf", "output": "outputs.tf"}
    texts = {
        "main.tf": [block("locals", name=prefix(app)), *(b for b in blocks if b.kind not in own)],
        "variables.tf": [*_variables(), *(b for b in blocks if b.kind == "variable")],
        "outputs.tf": [b for b in blocks if b.kind == "output"],
        "backend.tf": [_backend(app)],
        "providers.tf": list(_providers(app)),
    }
    written = {name: _text(blocks) for name, blocks in texts.items()}
    policies = {DEPLOYER_POLICY: json.dumps(policy(app), indent=2) + "\n"} if deploys(app) else {}
    return written | {"terraform.tfvars": _HEAD + _values(app)} | policies


def deploys(app: App) -> bool:
    """True when somebody is given the rights to deploy: a role of the file's, or the pipeline."""
    pipeline = app.cloud.pipeline
    return app.cloud.deployer is not None or (pipeline is not None and pipeline.on_aws == "codepipeline")


def tags(app: App) -> dict[str, str]:
    """On everything. The file's own may say otherwise, but not about those by which a deploy finds it."""
    usual = {"Environment": app.environment, "Project": app.name, "ManagedBy": "crossfade"}
    return usual | app.cloud.tags | places(app).tags()


def modules(app: App) -> set[str]:
    """The modules that are called, as `networking/vpc`."""
    calls = (made for part in PARTS for made in part(app) if made.kind == "module")
    sources = (dict(item for item in call.body if not isinstance(item, Block))["source"] for call in calls)
    return {source.removeprefix("../../modules/") for source in sources}


def _text(blocks: Iterable[Block]) -> str:
    return _HEAD + "\n".join(map(str, blocks))


def _variables() -> Iterator[Block]:
    yield block("variable", "region", description="Where.", type=Expression("string"))
    yield block("variable", "tags", description="On everything.", type=Expression("map(string)"))
    yield block(
        "variable",
        "image_tags",
        description="The image that each service begins with. Deploys bring later ones.",
        type=Expression("map(string)"),
    )


def _values(app: App) -> str:
    names = ("region", "tags", "image_tags")
    images = {name: image_tag(service.image.name if service.image else None) for name, service in app.services.items()}
    given = (app.cloud.region, tags(app), images)
    return "\n\n".join(f"{name} = {value(of)}" for name, of in zip(names, given, strict=True)) + "\n"


def without_image_tags(values: str) -> str:
    """terraform.tfvars but for what each service begins with: another tag in the file is a deploy's to bring."""
    return _IMAGE_TAGS.sub("", values)


def image_tag(image: str | None) -> str:
    """The tag in acme/web:1.4; `latest` when there is none."""
    tag = (image or "").rpartition("/")[2].partition("@")[0].partition(":")[2]
    return tag or "latest"


def _backend(app: App) -> Block:
    in_file = app.cloud.state.lock == "file"
    s3 = block(
        "backend",
        "s3",
        bucket=state_bucket(app),
        key=f"{app.name}/{app.environment}/terraform.tfstate",
        region=app.cloud.region,
        dynamodb_table=None if in_file else lock_table(app),
        use_lockfile=True if in_file else None,
        encrypt=True,
    )
    return block("terraform", body=[s3])


def _providers(app: App) -> Iterator[Block]:
    required = {"aws": {"source": "hashicorp/aws", "version": PROVIDER}}
    needs = block("required_providers", body=tuple(required.items()))
    yield block("terraform", required_version=LOCKING if app.cloud.state.lock == "file" else TERRAFORM, body=[needs])
    tagged = block("default_tags", tags=Expression("var.tags"))
    only = [app.cloud.account] if app.cloud.account else None
    yield block("provider", "aws", region=Expression("var.region"), allowed_account_ids=only, body=[tagged])
    if at_edge(app):
        # CloudFront takes certificates from there only.
        # https://docs.aws.amazon.com/acm/latest/userguide/acm-regions.html
        yield block("provider", "aws", alias="global", region="us-east-1", allowed_account_ids=only, body=[tagged])
