"""Everything of `infrastructure/`: modules, environments, and what goes with a release."""

from collections.abc import Iterable

from crossfade.aws.terraform.environment import files, modules
from crossfade.aws.terraform.modules import texts
from crossfade.aws.terraform.revision import revision
from crossfade.file.model import App

IGNORED = """\
# What Terraform makes while it works. `.terraform.lock.hcl` belongs into the repository, beside the files here.
.terraform/
*.tfstate
*.tfstate.*
crash.log
"""


def tree(apps: Iterable[App]) -> dict[str, str]:
    """Text by path. A module is there when some environment calls it."""
    made = {".gitignore": IGNORED}
    for app in apps:
        for module in sorted(modules(app)):
            made |= {f"modules/{module}/{name}": text for name, text in texts(module).items()}
        made |= {f"environments/{app.environment}/{name}": text for name, text in files(app).items()}
        made |= revision(app)
    return dict(sorted(made.items()))
