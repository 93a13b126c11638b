// The page: it listens while somebody sees it, and shows what it is told.

import { h, patch } from "./dom.js";
import { refresh } from "./ledger.js";
import { shareOf } from "./rollout.js";
import { service } from "./service.js";
import { clock } from "./words.js";

const LINES = 200; // of what happened
const SAMPLES = 600; // of a rollout's shares
const AGAIN = 3000; // milliseconds until the next try, where the browser tries no more by itself

const main = document.getElementById("services");
const story = document.getElementById("story");
const connection = document.getElementById("connection");
const samples = new Map(); // by service and rollout: the new release's share, as this page saw it
let stream = null;
let lines = [];
let shown = {};

function listen() {
  stream?.close();
  lines = [];
  stream = new EventSource("live");
  stream.addEventListener("status", (event) => show(JSON.parse(event.data)));
  stream.addEventListener("story", (event) => tell(JSON.parse(event.data)));
  stream.onopen = () => {
    lines = []; // the controller tells the newest ones again
    connected("live", "live");
  };
  stream.onerror = () => {
    if (stream.readyState === EventSource.CONNECTING) return connected("lost", "the controller does not answer: trying again");
    connected("lost", "this page was closed: crossfade dashboard opens it again");
    setTimeout(() => document.hidden || listen(), AGAIN);
  };
}

function connected(state, text) {
  document.body.dataset.connection = state;
  if (connection.textContent !== text) connection.textContent = text;
}

function show(found) {
  if (found.error) return connected("lost", `${found.error.cause}. ${found.error.way_out}`);
  connected("live", "live");
  shown = found;
  sample(found.services);
  const apps = new Map();
  for (const one of found.services) apps.set(one.app, [...(apps.get(one.app) ?? []), one]);
  patch(main, [...others(found), ...[...apps].map(([app, services]) => card(app, services, found))]);
  patch(document.getElementById("troubles"), found.trouble.map((line) => h("p", { class: "bad" }, `trouble: ${line}`)));
  refresh(main, found.services);
  const moving = found.services.filter((one) => one.rollout).length;
  document.title = moving ? `(${moving}) crossfade` : "crossfade";
}

function card(app, services, found) {
  const groups = found.groups.filter((group) => group.app === app);
  return h("section", { key: app, class: "app", "aria-label": app },
    h("h2", {}, app),
    groups.map((group) => h("p", { key: `group ${group.id}`, class: "group" },
      `Release group ${group.id}, ${group.state.replace("_", " ")}${group.reason ? `: ${group.reason}` : ""}: all of `,
      group.members.map((member) => member.service.split("/")[1]).join(", "), ", or all back")),
    h("div", { class: "cards" },
      services.map((one) => service(one, found.outcomes[`${one.app}/${one.name}`], samples.get(sampleKey(one)) ?? []))));
}

function others(found) {
  const building = found.building.map((one) => h("p", { key: `building ${one.service}`, class: "group" },
    `${one.service}: ${one.by} has been building a release since ${clock(one.since)}`));
  const unknown = found.unknown.map((one) => h("p", { key: `unknown ${one.what}`, class: "bad" },
    `Runs although no record says so: ${one.service || "unknown"}, ${one.what}`));
  const nothing = found.services.length || building.length || unknown.length ? []
    : [h("p", { key: "nothing", class: "quiet" }, "Nothing runs here. crossfade deploy brings a release, and this page shows it.")];
  return [...building, ...unknown, ...nothing];
}

const sampleKey = (one) => `${one.app}/${one.name} ${one.rollout?.id}`;

function sample(services) {
  const current = new Set();
  for (const one of services.filter((each) => each.rollout)) {
    const key = sampleKey(one);
    current.add(key);
    const known = samples.get(key) ?? [];
    samples.set(key, [...known.slice(1 - SAMPLES), { at: one.rollout.seconds, share: shareOf(one, one.rollout.to) }]);
  }
  for (const key of samples.keys()) if (!current.has(key)) samples.delete(key);
}

function tell(fresh) {
  lines = [...lines, ...fresh].slice(-LINES);
  patch(story, lines.map((one) => h("li", { key: one.number },
    h("time", {}, clock(one.at)), h("b", {}, one.service), h("span", {}, one.line))).reverse());
}

// A page that nobody sees asks for nothing, and holds none of the few connections that a browser has for us.
document.addEventListener("visibilitychange", () => {
  if (document.hidden) {
    stream?.close();
    connected("rests", "resting");
  } else listen();
});
window.addEventListener("pagehide", () => stream?.close());
listen();
