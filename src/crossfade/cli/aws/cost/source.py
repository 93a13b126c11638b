"""The bills of `crossfade cost`: of the file, of a plan, or from a table that a team wrote."""

from pathlib import Path
from typing import TYPE_CHECKING

from crossfade.aws.cost.bill.bill import Bill
from crossfade.cli.call import Call
from crossfade.file.cloud.month import Month

if TYPE_CHECKING:
    from crossfade.file.model import App  # half of the time that a plan's bill takes, which has no use for it

# A bill, and the environment of the file that it is the bill of.
BillOf = tuple[Bill, "App | None"]


def bills_of(
    call: Call,
    plan: Path | None = None,
    region: str | None = None,
    table: Path | None = None,
    prices: Path | None = None,
) -> list[BillOf]:
    """One bill, or one for each environment on AWS."""
    if table is not None:
        from crossfade.aws.cost.check.bill import table_bill

        return [(table_bill(table), None)]
    if plan is None:
        from crossfade.aws.choose import on_aws
        from crossfade.aws.cost.file import of_app

        return [(of_app(app, prices), app) for app in on_aws(call.required(), [call.environment])]
    from crossfade.aws.cost.plan import of_plan

    if call.environment is None:
        return [(of_plan(plan, Month(), region, prices), None)]
    from crossfade.aws.cost.file import month
    from crossfade.file.load import load

    app = load(call.required(), call.environment)
    return [(of_plan(plan, month(app), region or app.cloud.region, prices), app)]
