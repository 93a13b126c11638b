// One service: what it is at, who runs, its jobs, and the rollout under way if there is one.

import { h } from "./dom.js";
import { ledger, logs } from "./ledger.js";
import { rollout } from "./rollout.js";
import { clock, milliseconds, percent, plural, release, seconds } from "./words.js";

export function service(one, outcome, samples) {
  const name = `${one.app}/${one.name}`;
  return h(
    "article",
    { key: name, "data-service": name, "aria-label": name, class: state(one) },
    h("header", {}, h("h3", {}, one.name), h("p", { class: `badge ${state(one)}` }, badge(one))),
    h("p", { class: "runs" }, runs(one)),
    one.lately ? h("p", { class: "quiet" }, lately(one.lately)) : null,
    one.trouble ? h("p", { class: "bad" }, `trouble: ${one.trouble}`) : null,
    one.locked ? h("p", { class: "bad" }, `locked by ${one.locked.by} since ${clock(one.locked.since)}: ${one.locked.reason || "no reason given"}`) : null,
    one.rollout ? rollout(one, samples) : null,
    !one.rollout && outcome ? h("div", { key: "last", class: "last" }, outcome.map((line, index) => h("p", { class: index ? "quiet" : null }, line))) : null,
    Object.entries(one.warm).map(([number, left]) => h("p", { class: "quiet" }, `release ${number} is kept warm for ${seconds(left)} more`)),
    Object.entries(one.pages ?? {}).map(([number, left]) => h("p", { class: "quiet" }, `release ${number} is kept for pages that it sent for ${seconds(left)} more`)),
    one.preview ? h("p", { class: "quiet" }, `release ${one.preview.release} in preview: ${one.preview.url}`) : null,
    (one.jobs ?? []).map((job) => h("p", { key: `job ${job.name}`, class: job.run?.state === "failed" ? "bad" : "quiet" }, scheduled(job))),
    instances(one),
    ledger(one),
    logs(one),
  );
}

function state(one) {
  if (one.rollout) return one.rollout.state === "rolling_back" ? "back" : "moving";
  return one.trouble || serving(one) < one.replicas ? "weak" : "sound";
}

function badge(one) {
  if (one.rollout?.paused) return "paused";
  return { back: "going back", moving: "rolling out", weak: "not at full size", sound: "serving" }[state(one)];
}

function serving(one) {
  const mine = one.stands_in ? one.instances.filter((each) => each.release === one.release) : one.instances;
  return mine.filter((each) => (one.kind === "worker" ? each.state === "healthy" : each.weight > 0)).length;
}

function runs(one) {
  const does = one.kind === "worker" ? "at work" : "serving";
  if (one.release === null) {
    return serving(one) ? `Its first release has ${plural(serving(one), "instance")} ${does}` : "No release serves";
  }
  const of = one.rollout ? "" : `${serving(one)} of `; // meanwhile there are those of both releases
  return `Release ${release(one.release, one.version)}, ${of}${plural(one.rollout ? serving(one) : one.replicas, "instance")} ${does}${instead(one.stands_in)}`;
}

function instead(other) {
  return other ? `; release ${release(other.release, other.version)} stands in for it` : "";
}

function lately(counted) {
  const last = `Last ${seconds(counted.seconds)}: `;
  if (!counted.requests) return `${last}no requests`;
  return `${last}${plural(counted.requests, "request")}, ${percent(counted.error_rate)} failed, 95 % within ${milliseconds(counted.p95_ms)}`;
}

function scheduled(job) {
  const run = job.run;
  const said = !run ? "has not run yet" : run.state === "running" ? `runs since ${clock(run.started_at)}`
    : `${run.state} at ${clock(run.ended_at)}${run.detail ? `, ${run.detail}` : ""}`;
  const left = job.skipped ? `; left out at ${clock(job.skipped.due)}: ${job.skipped.why}` : "";
  return `job ${job.name} (${job.schedule} ${job.timezone}): ${said}${left}${job.next ? `, next at ${clock(job.next)}` : ""}`;
}

function instances(one) {
  if (!one.instances.length) return null;
  const heads = ["instance", "release", "state", "traffic", "in flight"];
  return h("details", { key: "instances" },
    h("summary", {}, plural(one.instances.length, "instance")),
    h("div", { class: "wide", tabindex: 0, role: "region", "aria-label": `Instances of ${one.app}/${one.name}` },
      h("table", {},
        h("thead", {}, h("tr", {}, heads.map((name) => h("th", { scope: "col" }, name)))),
        h("tbody", {}, one.instances.map((each) => h("tr", { key: each.id },
          h("th", { scope: "row" }, each.id, each.detail ? h("small", {}, each.detail) : null),
          h("td", {}, each.release),
          h("td", { class: each.state === "unhealthy" ? "bad" : null }, each.state),
          h("td", {}, each.weight === null ? "-" : `${each.weight} %`),
          h("td", {}, each.in_flight === null || each.streams === null ? "-" : each.in_flight + each.streams)))))));
}
