"""Names that only the files of Terraform need: of its state and lock, of its modules, of local values."""

from crossfade.aws.terraform.hcl import Expression
from crossfade.file.model import App

DEPLOYER_POLICY = "deployer.json.tftpl"  # beside main.tf
MODULES = "../../modules"  # seen from environments/<env>


def state_bucket(app: App) -> str:
    """Where Terraform keeps its state."""
    return app.cloud.state.bucket or f"{app.name}-terraform-state"


def lock_table(app: App) -> str:
    """What lets one run of Terraform at a time."""
    return app.cloud.state.table or f"{app.name}-terraform-lock"


def from_module(module: str, output: str) -> Expression:
    return Expression(f"module.{module}.{output}")


NAME = Expression("local.name")
REGION = Expression("var.region")
