"""The audit of what the modules make: as much as the file says, and nothing that only the modules brought."""

import pytest
from tests.support.planned import Planned, Plans, file_of, to_plan

from crossfade.aws.audit import file, plan
from crossfade.aws.audit.file import audit_file
from crossfade.aws.audit.plan import audit_plan
from crossfade.aws.audit.rule import Severity
from crossfade.aws.resources.plan import understand
from crossfade.file.load import load_whole

# Of a database on a host of its own a plan shows a host, which alone is no finding.
ONLY_THE_FILE_TELLS = frozenset({"CF-DAT-006"})

pytestmark = pytest.mark.slow


@pytest.fixture(params=to_plan())
def planned(request: pytest.FixtureRequest, plans: Plans) -> tuple[str, Planned]:
    return request.param[0], plans.of(*request.param)


def test_the_plan_is_as_dangerous_as_its_file(planned: tuple[str, Planned]) -> None:
    """What the file is warned of shows in the plan, and the modules add nothing to it."""
    system, made = planned
    app = made.app
    of_file = audit_file(load_whole(file_of(system), app.environment))
    of_plan = audit_plan(understand(made.json, "plan.json"), "plan.json")
    both = file.RULES & plan.RULES

    said = {one.rule.id for one in of_file if one.severity > Severity.LOW and one.rule.id in both}
    shown = {one.rule.id for one in of_plan if one.severity > Severity.LOW}

    assert shown <= said
    assert said - shown <= ONLY_THE_FILE_TELLS
