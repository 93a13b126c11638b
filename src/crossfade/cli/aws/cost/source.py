"""Where the bills of `crossfade cost` come from: the file, a plan, or a table that a team wrote."""

from pathlib import Path
from typing import TYPE_CHECKING

from crossfade.aws.cost.bill.bill import Bill
from crossfade.cli.call import Call
from crossfade.file.cloud.month import Month

if TYPE_CHECKING:
    from crossfade.file.model import App  # half of the time that a plan's bill takes, which has no use for it

# A bill, and the environment of the file that it is the bill of.
Made = tuple[Bill, "App | None"]


def made(call: Call, plan: Path | None, region: str | None, table: Path | None, prices: Path | None) -> list[Made]:
    """One bill, or one for each environment on AWS."""
    if table is not None:
        from crossfade.aws.cost.check.bill import table_bill

        return [(table_bill(table), None)]
    if plan is None:
        from crossfade.aws.choose import on_aws
        from crossfade.aws.cost.ask import of_app

        return [(of_app(app, prices), app) for app in on_aws(call.required(), [call.environment])]
    from crossfade.aws.cost.planned import of_plan

    if call.environment is None:
        return [(of_plan(plan, Month(), region, prices), None)]
    from crossfade.aws.cost.ask import month
    from crossfade.file.load import load

    app = load(call.required(), call.environment)
    return [(of_plan(plan, month(app), region or app.cloud.region, prices), app)]
