"""Jobs of our file from what a Compose project runs by the clock."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from crossfade.file.init.compose import crons, running
from crossfade.file.init.compose.judge.roles import Kind, Role, Roles
from crossfade.file.init.compose.notes import Notes
from crossfade.file.init.compose.service import CarriedService
from crossfade.file.init.compose.source.project import Project
from crossfade.file.init.starter import app_name
from crossfade.file.init.todo import Rank, Todo


def by_clock(
    project: Project, roles: Roles, judged: Mapping[str, Role], carried: dict[str, CarriedService], *, notes: Notes
) -> dict[str, Any]:
    """The jobs, in releases of the services that they are run in; a scheduler that has no more to do is left out."""
    made = _ByClock(project, roles, judged, carried, notes)
    for ours, one in list(carried.items()):
        made.take(ours, one)
    return made.jobs


@dataclass
class _ByClock:
    project: Project
    roles: Roles
    judged: Mapping[str, Role]
    carried: dict[str, CarriedService]
    notes: Notes
    jobs: dict[str, Any] = field(default_factory=dict)

    def take(self, ours: str, one: CarriedService) -> None:
        labels = self.roles.services[one.compose_name].get("labels")
        self._add(crons.from_labels(labels), ours)
        for job in crons.elsewhere(labels):
            what = f"write the job {job}, which ofelia ran in a container of its own"
            self.notes.todos.append(Todo(Rank.MISSING, f"services.{ours}", what))
        if self.judged[one.compose_name].kind is Kind.SCHEDULER:
            self._replace(ours, one)

    def _replace(self, ours: str, one: CarriedService) -> None:
        """One that does nothing but what is a job now is not carried."""
        compose, image = self.roles.services[one.compose_name], one.settings["image"]
        if "ofelia" in running.image_of(compose, "", one.compose_name):
            self._leave(ours, one, "what it ran by the clock; job-run and job-local are to be written there")
            return
        found = crons.from_crontab(compose, self.project.folder)
        others = [name for name, same in self.carried.items() if name != ours and same.settings["image"] == image]
        if found and others and all(line.schedule for line in found):
            self._leave(ours, one, f"the lines of its crontab in releases of {others[0]}")
            self._add(found, others[0])

    def _leave(self, ours: str, one: CarriedService, what: str) -> None:
        del self.carried[ours]
        self.notes.todos = [todo for todo in self.notes.todos if not f"{todo.where}.".startswith(f"services.{ours}.")]
        self.notes.leave(("services", one.compose_name), one.compose_name, f"see `jobs`: the controller runs {what}")

    def _add(self, found: Iterable[crons.FoundCron], service: str) -> None:
        for one in found:
            name = self._free(app_name(Path(one.name)))
            if not one.schedule:
                what = f"write the job {one.name} ({one.written}: {one.command}), which cron's five words cannot say"
                self.notes.todos.append(Todo(Rank.MISSING, f"services.{service}", what))
            else:
                self.jobs[name] = {"service": service, "command": one.command, "schedule": one.schedule}

    def _free(self, name: str) -> str:
        """The name, with a number where another job has it: two crontabs have a first line each."""
        others = (f"{name}-{number}" for number in range(2, len(self.jobs) + 3))
        return next(one for one in (name, *others) if one not in self.jobs)
