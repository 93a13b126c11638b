// A rollout as it happens: where it stands, old and new beside each other, what it waits for, and its orders.

import { h } from "./dom.js";
import { order } from "./orders.js";
import { milliseconds, percent, release, seconds } from "./words.js";

export function rollout(service, samples) {
  const one = service.rollout;
  const back = one.state === "rolling_back";
  const name = `${service.app}/${service.name}`;
  return h(
    "section",
    { key: `rollout ${one.id}`, class: back ? "rollout back" : "rollout", "aria-label": `Rollout ${one.id}` },
    h("h4", {}, back ? "Going back to release " : "On the way to release ",
      back ? release(one.from, one.from_version) : release(one.to, one.to_version)),
    h("p", { class: "quiet" }, `rollout ${one.id}, ${one.strategy}, ${seconds(one.seconds)} so far`,
      one.by ? `, by ${one.by}` : ""),
    back || one.reason ? h("p", { class: "bad" }, one.reason) : null,
    steps(one),
    service.kind === "worker" ? null : shares(service, one),
    service.kind === "worker" ? null : curve(samples),
    beside(service, one),
    waits(one),
    buttons(service, one, name),
  );
}

function steps(one) {
  if (!one.steps.length) return null;
  return h("ol", { class: "steps", "aria-label": "Steps" }, one.steps.map((label, index) => {
    const now = index + 1 === one.step;
    const state = index + 1 < one.step ? "done" : now ? "now" : "to come";
    return h("li", { class: state.replace(" ", "-"), "aria-current": now ? "step" : null },
      label, h("span", { class: "hidden" }, `, ${state}`));
  }));
}

/** Percent of the traffic by release, as the balancer has it. */
export function shareOf(service, number) {
  const weights = service.instances.filter((one) => one.release === number).map((one) => one.weight ?? 0);
  const share = weights.reduce((sum, weight) => sum + weight, 0); // of instances, each rounded to a tenth
  return share < 1 ? Math.round(10 * share) / 10 : Math.round(share);
}

function shares(service, one) {
  const fresh = shareOf(service, one.to);
  const old = one.from === null ? 0 : shareOf(service, one.from);
  const told = one.from === null ? `release ${one.to} has ${fresh} % of the traffic`
    : `release ${one.from} has ${old} %, release ${one.to} ${fresh} % of the traffic`;
  return h("svg", { class: "shares", viewBox: "0 0 100 6", preserveAspectRatio: "none", role: "img", "aria-label": told },
    h("rect", { class: "empty", width: 100, height: 6 }),
    h("rect", { class: "old", width: old, height: 6 }),
    h("rect", { class: "new", x: 100 - fresh, width: fresh, height: 6 }));
}

/** The new release's share since this page looked; the numbers beside it say the same, so it is not read out. */
function curve(samples) {
  if (samples.length < 2) return null;
  const first = samples[0].at, span = Math.max(1, samples[samples.length - 1].at - first);
  const points = samples.map((one, index) => {
    const x = (100 * (one.at - first)) / span, y = 28 - (26 * one.share) / 100;
    return index ? `H${x.toFixed(1)}V${y.toFixed(1)}` : `M${x.toFixed(1)} ${y.toFixed(1)}`;
  });
  return h("svg", { class: "curve", viewBox: "0 0 100 30", preserveAspectRatio: "none", "aria-hidden": "true" },
    h("path", { class: "area", d: `${points.join("")}V30H0Z` }), h("path", { class: "line", d: points.join("") }));
}

function beside(service, one) {
  const releases = one.from === null ? [one.to] : [one.from, one.to];
  const judged = (number) => (one.judged ?? []).find((each) => each.release === number);
  const rows = [["instances healthy", (number) => health(service, number)]];
  if (service.kind !== "worker") {
    const counted = (read) => (number) => (judged(number)?.requests ? read(judged(number)) : "none yet");
    rows.unshift(["share of traffic", (number) => `${shareOf(service, number)} %`]);
    rows.push(
      ["requests in this step", counted((found) => found.requests.toLocaleString("en"))],
      ["of them failed", counted((found) => percent(found.error_rate))],
      ["95 % within", counted((found) => milliseconds(found.p95_ms))],
    );
  }
  const head = (number) => {
    const version = number === one.to ? one.to_version : one.from_version;
    return h("th", { key: number, scope: "col", class: number === one.to ? "new" : "old" },
      number === one.to ? "new: " : "old: ", release(number, version));
  };
  return h("table", { class: "beside" },
    h("thead", {}, h("tr", {}, h("td", {}), releases.map(head))),
    h("tbody", {}, rows.map(([label, read]) =>
      h("tr", { key: label }, h("th", { scope: "row" }, label), releases.map((number) => h("td", { key: number }, read(number)))))));
}

function health(service, number) {
  const all = service.instances.filter((one) => one.release === number);
  return `${all.filter((one) => one.state === "healthy" || one.state === "warm").length} of ${all.length}`;
}

function waits(one) {
  const lines = one.paused ? ["paused: nothing moves until it is resumed", ...one.waiting_for] : one.waiting_for;
  return h("ul", { class: "waits", "aria-label": "Waits for" }, lines.map((line) => h("li", {}, line)));
}

function buttons(service, one, name) {
  const body = { app: service.app, service: service.name, rollout: one.id, step: one.step };
  const to = release(one.to, one.to_version);
  const all = one.group_id ? " All services that are deployed with it go back, too." : "";
  const button = (label, verb, question, kind = null) => h("button", {
    key: verb, type: "button", class: kind,
    "aria-label": `${label}: ${name}`,
    onclick: (event) => order(event.currentTarget, { path: `order/${verb}`, body, yes: label, ...question }),
  }, label);
  if (one.state === "rolling_back") return null;
  return h("div", { class: "buttons" },
    button("Promote", "promote", {
      title: `Promote release ${to} of ${name}?`,
      text: `Its step ${one.step} of ${one.steps.length} is approved, or its bake cut short, and the rollout goes on.`,
      done: `${name} goes on.`,
    }),
    one.paused
      ? button("Resume", "resume", {
        title: `Let ${name} go on?`, text: "Its step has the whole timeout again.", done: `${name} goes on.`,
      })
      : button("Pause", "pause", {
        title: `Pause ${name} where it is?`,
        text: "Nothing moves until it is resumed. Health is still watched, and a bad release still taken back.",
        done: `${name} is paused.`,
      }),
    button("Take back", "abort", {
      title: `Take release ${to} of ${name} back?`,
      text: `${one.from === null ? "Nothing runs then: there was no release before it." :
        `All traffic returns to release ${release(one.from, one.from_version)}.`} Its release is not marked bad.${all}`,
      done: `${name} is taken back.`,
    }, "danger"));
}
