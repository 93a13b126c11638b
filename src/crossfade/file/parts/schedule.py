"""A schedule: five words of cron, and the time zone that they are meant in."""

from collections.abc import Iterator

from crossfade import cron
from crossfade.file.part import Clash
from crossfade.file.units import Text

SCHEDULE = Text(r"\S+( +\S+){4}", 'five words of cron, such as "0 3 * * *"')


def wrong_times(schedule: str | None, timezone: str) -> Iterator[Clash]:
    """What is wrong with the values of `schedule` and `timezone`."""
    if not cron.is_zone(timezone):
        meant = cron.nearest_zone(timezone)
        yield Clash(("timezone",), f'"{timezone}"', "a time zone such as Asia/Seoul or UTC", meant)
    elif schedule is not None and (why := cron.complaint(schedule, timezone)):
        yield Clash(("schedule",), f'"{schedule}", {why}', 'five words of cron, such as "0 3 * * *"')
