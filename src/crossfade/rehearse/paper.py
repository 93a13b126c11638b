"""A rehearsal on paper: what would be lost, how long, how many, how much, and what nobody here can know."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from crossfade.load.journeys import paper
from crossfade.load.journeys.book import LoadBook, Period
from crossfade.load.journeys.verdict import VerdictRow, limits, number
from crossfade.rehearse.arrange import PlayedService, told_pace, told_times
from crossfade.rehearse.cast import Cast
from crossfade.rehearse.estimate import SLOW_START, GoodCourse, Need
from crossfade.rehearse.play import GOOD, SICK, USUAL, Played, each, state
from crossfade.telling.paper.html import page, table, text
from crossfade.telling.paper.markdown import table as sheet
from crossfade.telling.paper.markdown import text as marked
from crossfade.telling.text import outcome, plural, seconds, sentence

CENT = 0.005
VERDICT = ("question", "wanted", "found", "", "")
PLAYED = ("service", "played by", "instances", "with at most", "different from production")
UNKNOWN = (
    "how long AWS takes to start a task, to pull its image and to believe that a target is healthy",
    "the database and the cache under load, and the network between zones: what ran here was on this machine",
    "processors of AWS, which are other ones; what a second instance on the same machine takes away from the first",
    "what the load balancer does by itself: its weights settle late, its own errors, its limits",
    "rights, quotas, security groups, names and certificates: `crossfade audit` and `crossfade infra plan` look there",
    "how fast Auto Scaling grows a fleet, and whether the zone has room for it",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RehearsalAccount:
    """All that a rehearsal tells. `hour` is what a second fleet costs in one, in dollars; None where nobody knows."""

    cast: Cast
    faster: float
    played: Played
    courses: Mapping[str, GoodCourse]
    needs: tuple[Need, ...]
    hour: float | None
    sickness: str

    @property
    def book(self) -> LoadBook:
        return self.played.book

    @property
    def title(self) -> str:
        return f"Rehearsal of {self.cast.app.name} in {self.cast.app.environment}, {told_pace(self.faster)}"

    def period(self, name: str) -> Period:
        return next(one for one in self.book.commands if one.name == name)

    @property
    def there(self) -> float:
        """Seconds that a good release of all takes in production: what depends on another goes after it."""
        return max(self.until(role.name) for role in self.cast.roles)

    def until(self, service: str) -> float:
        """Seconds after which this one is out."""
        needs = next(role.plan.depends_on for role in self.cast.roles if role.name == service)
        return self.courses[service].there + max((self.until(other) for other in needs), default=0.0)

    @property
    def waves(self) -> int:
        return sum(course.waves for course in self.courses.values())

    @property
    def both(self) -> float:
        """Seconds in which both fleets run: the release itself, and as long as the old one is kept."""
        kept = max((role.plan.strategy.keep_previous for role in self.cast.roles), default=0.0)
        return self.there + kept

    @property
    def stand_ins(self) -> tuple[str, ...]:
        return tuple(role.name for role in self.cast.roles if role.by == "a stand-in")


def verdict(account: RehearsalAccount) -> list[VerdictRow]:
    """What was wanted of a release, and whether it is so."""
    return [*_of_releases(account), *_of_targets(account), *_of_needs(account)]


def holds(account: RehearsalAccount) -> bool:
    """Nothing that was found is bad; what is not known is no reproach."""
    return all(row.met is not False for row in verdict(account))


def _of_releases(account: RehearsalAccount) -> Iterator[VerdictRow]:
    good, sick = account.period(GOOD), account.period(SICK)
    lost = good.tally.failed
    yield VerdictRow(
        what="lost while a good release goes out",
        promised="0",
        measured=f"{lost:,} of {plural(good.tally.requests, 'request')}",
        met=lost == 0,
    )
    went = state(account.played.good)
    yield VerdictRow(
        what="a good release", promised="succeeds", measured=went.replace("_", " "), met=went == "succeeded"
    )
    went = state(account.played.sick)
    failed = f"{sick.tally.failed:,} of {plural(sick.tally.requests, 'request')} failed"
    yield VerdictRow(
        what=f"a release that is sick ({account.sickness})",
        promised="is taken back",
        measured=f"{went.replace('_', ' ')}; {failed}",
        met=went != "succeeded",
    )


def _of_targets(account: RehearsalAccount) -> Iterator[VerdictRow]:
    targets = account.cast.app.cloud.targets
    starts = f"; {plural(account.waves, 'launch')}" if account.waves == 1 else f"; {account.waves} launches"
    met = None
    if targets.deploy:
        before = {name: account.until(name) - course.there for name, course in account.courses.items()}
        answers = [course.meets(targets.deploy - before[name]) for name, course in account.courses.items()]
        met = False if False in answers else None if None in answers else True
    yield VerdictRow(
        what="a good release takes",
        promised=f"at most {seconds(targets.deploy)}" if targets.deploy else "",
        measured=f"{seconds(account.there)} and what AWS takes to start tasks",
        met=met if targets.deploy else True,
        note=f"here {seconds(account.period(GOOD).seconds)}{starts}"
        + (f", that take up to {seconds(SLOW_START)} each on AWS" if met is None and targets.deploy else ""),
    )
    here = account.book.failing(account.period(SICK))
    most = here * account.faster
    recovery = targets.recovery
    met = True if not recovery or most <= recovery else False if here > recovery else None
    yield VerdictRow(
        what="visitors met failures of the sick release for",
        promised=f"at most {seconds(recovery)}" if recovery else "",
        measured=seconds(here),
        met=met,
        note=f"at most {seconds(most)} there, where health checks are {account.faster:g} times rarer"
        if here and account.faster > 1
        else "",
    )


def _of_needs(account: RehearsalAccount) -> Iterator[VerdictRow]:
    for need in account.needs:
        yield VerdictRow(
            what=f"instances of {need.service} for {number(need.requests)} requests a second",
            promised=f"at most {need.most}",
            measured="not known" if need.wanted is None else str(need.wanted),
            met=need.fits,
            note=_why(need, stand_in=need.service in account.stand_ins),
        )


def _why(need: Need, *, stand_in: bool) -> str:
    if not need.requests:
        return "no journey of the load test asks it"
    said = []
    if need.by_requests is not None:
        said.append(f"{need.by_requests} by its own target of {need.a_minute:,} requests a minute")
    if need.cpu_ms is not None and need.by_cpu is not None:
        said.append(f"{need.by_cpu} by {number(need.cpu_ms)} ms of processor a request, at {number(need.share)} %")
    elif stand_in and need.cores:
        more = need.requests / 1000 / (need.cores * need.share / 100)
        said.append(f"a stand-in tells nothing of its processor: each ms that a request takes is {number(more)} more")
    elif need.cores is None:
        said.append("it has no limit of processor to be planned for")
    return "; ".join(said)


def costs(account: RehearsalAccount) -> str:
    if account.hour is None:
        return "What both fleets cost meanwhile is not known: the environment has no bill."
    spent = account.hour * account.both / 3600
    return (
        f"While both fleets run, {seconds(account.both)} with what is kept to go back to, they cost "
        f"{f'{spent:,.2f}' if spent >= CENT else 'less than 0.01'} USD more ({account.hour:,.2f} an hour)."
    )


def lead(account: RehearsalAccount) -> str:
    good, sick = account.period(GOOD), account.period(SICK)
    return (
        f"{good.tally.failed:,} of {plural(good.tally.requests, 'request')} were lost while a good release went out; "
        f"a sick one was {'taken back' if state(account.played.sick) != 'succeeded' else 'NOT taken back'}, "
        f"and {sick.tally.failed:,} of {sick.tally.requests:,} failed meanwhile."
    )


def notes(account: RehearsalAccount) -> list[str]:
    said = [f"Times: {told}." for role in account.cast.roles if (told := told_times(role.plan, role.played))]
    said.append("Not shortened: answers, boots, the time from SIGTERM to the end, and how fast visitors ask.")
    if account.stand_ins:
        names = ", ".join(account.stand_ins)
        said.append(
            f"{names}: played by crossfade's stand-in, a small server that answers at once. What is shown is the plan, "
            "not the app: journeys were gone without their logins, and whatever the answers held."
        )
    said.append(f"The sick release of {account.played.sick_service} is crossfade's own: {SICKNESS[account.sickness]}.")
    said += [f"Not played: {line}." for line in account.cast.left_out]
    said += [outcome(one)[0] for result in (account.played.good, account.played.sick) for one in each(result)]
    return [*said, *map(sentence, (*account.played.notes, *limits(account.book)))]


SICKNESS = {
    "errors": "it passes its health check, and all its other answers are 500s",
    "slow": "it passes its health check, and all its other answers take 2 s",
    "unhealthy": "it never passes its health check",
    "crash": "it ends 3 s after it began",
}


def markdown(account: RehearsalAccount) -> str:
    parts = [f"# {marked(account.title)}", marked(lead(account)), sheet(VERDICT, _verdict(account)), costs(account)]
    parts += ["## What visitors noticed", sheet(paper.HEAD, _noticed(account))]
    parts += ["## What ran here", sheet(PLAYED, list(map(_role, account.cast.roles)))]
    parts += ["\n".join(f"- {marked(line)}" for line in notes(account))]
    parts += ["## What this machine cannot know", "\n".join(f"- {marked(line)}" for line in UNKNOWN)]
    return "\n\n".join(parts) + "\n"


def html(account: RehearsalAccount) -> str:
    bad = "" if holds(account) else " bad"
    parts = [f"<h1>{text(account.title)}</h1>", f'<p class="lead{bad}">{text(lead(account))}</p>']
    parts += [table(VERDICT, _verdict(account)), f"<p>{text(costs(account))}</p>", *paper.charts(account.book)]
    parts += ["<h2>What visitors noticed</h2>", table(paper.HEAD, _noticed(account))]
    parts += ["<h2>What ran here</h2>", table(PLAYED, map(_role, account.cast.roles))]
    parts += ["<ul>", *(f"<li>{text(line)}</li>" for line in notes(account)), "</ul>"]
    parts += ["<h2>What this machine cannot know</h2><ul>", *(f"<li>{text(line)}</li>" for line in UNKNOWN), "</ul>"]
    return page(account.title, parts)


def data(account: RehearsalAccount) -> dict[str, Any]:
    rows = verdict(account)
    return {
        "app": account.cast.app.name,
        "environment": account.cast.app.environment,
        "faster": account.faster,
        "met": holds(account),
        "verdict": [asdict(row) for row in rows],
        "services": [
            {"name": role.name, "played_by": role.by, "instances": role.played.replicas, "otherwise": role.otherwise}
            for role in account.cast.roles
        ],
        "good": dict(account.played.good),
        "sick": dict(account.played.sick),
        "visitors": {name: paper.period(account.period(name)) for name in (USUAL, GOOD, SICK)},
        "production": {
            "seconds": round(account.there, 1),
            "both_fleets_seconds": round(account.both, 1),
            "both_fleets_hour": account.hour,
            "both_fleets": None if account.hour is None else round(account.hour * account.both / 3600, 4),
            "instances": [
                {**asdict(need), "by_cpu": need.by_cpu, "by_requests": need.by_requests} for need in account.needs
            ],
        },
        "left_out": list(account.cast.left_out),
        "unknown": list(UNKNOWN),
    }


def _verdict(account: RehearsalAccount) -> list[tuple[str, ...]]:
    return [
        (row.what, row.promised, row.measured, paper.MET[row.met] if row.promised else "", row.note)
        for row in verdict(account)
    ]


def _noticed(account: RehearsalAccount) -> list[tuple[str, ...]]:
    return [paper.noticed(account.period(name)) for name in (USUAL, GOOD, SICK)]


def _role(role: PlayedService) -> tuple[str, ...]:
    resources = role.played.resources
    cpu = f"{resources.cpu:g} cores" if resources.cpu else ""
    memory = f"{resources.memory / (1 << 30):.3g} GB" if resources.memory else ""
    with_most = " and ".join(filter(None, (cpu, memory))) or "no limit"
    return (role.name, role.by, str(role.played.replicas), with_most, "; ".join(role.otherwise) or "nothing but time")
