"""`crossfade infra rights`: the policy of whoever deploys."""

import json

import click

from crossfade.cli.call import Call, called

ANY = "*"


@click.command(
    epilog="Examples: crossfade infra rights -e prod | crossfade infra rights -e prod --account 123456789012 | "
    "crossfade infra rights -e prod --secrets --restore --json"
)
@called(file=True, state=False)
@click.option("--account", metavar="ID", help="The account, twelve digits. Default: whichever the policy is used in.")
@click.option("--secrets", is_flag=True, help="Also what `crossfade secrets set` takes.")
@click.option("--restore", is_flag=True, help="Also what `crossfade restore database` takes.")
def rights(call: Call, *, account: str | None, secrets: bool, restore: bool) -> None:
    """Print the IAM policy that whoever deploys an environment needs, and no more than that.

    It is the one that Terraform gives to the role of `cloud: {deployer: ...}`. Infrastructure itself takes more: who
    runs `infra apply` makes roles and networks.
    """
    from crossfade.aws.choose import one_on_aws
    from crossfade.aws.places import partition
    from crossfade.aws.rights.deployer import policy
    from crossfade.core.errors import WrongInputError

    if account is not None and not (len(account) == 12 and account.isascii() and account.isdigit()):  # noqa: PLR2004
        raise WrongInputError(f'"{account}" is not an account', "twelve digits, such as 123456789012")
    app = one_on_aws(call.required(), call.environment)
    text = json.dumps(policy(app, fills_secrets=secrets, restores=restore), indent=2)
    filled = text.replace("${partition}", partition(app.cloud.region)).replace("${account}", account or ANY)
    call.answer({"ok": True, "environment": app.environment, "policy": json.loads(filled)}, filled)
