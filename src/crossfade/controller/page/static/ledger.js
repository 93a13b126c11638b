// The releases of a service, what became of them, and the record of each rollout; and what its instances write.

import { h, patch, plain } from "./dom.js";
import { order } from "./orders.js";
import { clock, release } from "./words.js";

const MOST_LINES = 1000; // of a log, on the page
const OUTCOMES = { good: "good", bad: "bad", failed: "bad", aborted: "quiet" };

/** Folded in; read from the controller when it is opened, and again when `mark` is another. */
export function ledger(service) {
  const mark = `${service.release} ${service.last?.rollout.id ?? 0} ${service.last?.rollout.state ?? ""} ${service.rollout ? 1 : 0}`;
  return h("details", { key: "ledger", ontoggle: (event) => load(event.currentTarget, service), "data-mark": mark },
    h("summary", {}, "Releases and their proofs"),
    h("div", { kept: true, class: "loaded" }));
}

/** Read again what is folded open and out of date. */
export function refresh(root, services) {
  for (const service of services) {
    const card = root.querySelector(`[data-service="${CSS.escape(`${service.app}/${service.name}`)}"]`);
    const details = card?.querySelector("details[data-mark]");
    if (details?.open && details.shown !== details.dataset.mark) load(details, service);
  }
}

async function load(details, service) {
  if (!details.open || details.shown === details.dataset.mark) return;
  details.shown = details.dataset.mark;
  const place = details.querySelector(".loaded");
  try {
    const answer = await fetch(`ledger?${new URLSearchParams({ app: service.app, service: service.name })}`);
    const found = await answer.json();
    if (found.error) throw new Error(`${found.error.cause}. ${found.error.way_out}`);
    patch(place, [releases(service, found.releases), ...proofs(found.rollouts)]);
  } catch (error) {
    details.shown = "";
    patch(place, [h("p", { class: "bad" }, error.message)]);
  }
}

function releases(service, all) {
  const rows = all.map((one) => h("tr", { key: one.number },
    h("th", { scope: "row" }, release(one.number, one.version)),
    h("td", { class: OUTCOMES[one.outcome] ?? "" }, one.outcome, one.why ? h("small", {}, one.why) : null),
    h("td", {}, one.tags.join(" ")),
    h("td", {}, clock(one.at), one.by ? h("small", {}, one.by) : null),
    h("td", {}, goBack(service, one))));
  return h("div", { key: "releases", class: "wide", tabindex: 0, role: "region", "aria-label": "Releases" },
    h("table", {},
      h("thead", {}, h("tr", {}, ["release", "outcome", "tags", "when, by whom"].map((name) => h("th", { scope: "col" }, name)),
        h("th", { scope: "col" }, h("span", { class: "hidden" }, "way back")))),
      h("tbody", {}, rows)));
}

function goBack(service, one) {
  if (service.rollout || one.number === service.release || one.outcome !== "good" || !one.kept) return null;
  const name = `${service.app}/${service.name}`, to = release(one.number, one.version);
  return h("button", {
    type: "button",
    "aria-label": `Roll ${name} back to release ${to}`,
    onclick: (event) => order(event.currentTarget, {
      title: `Roll ${name} back to release ${to}?`,
      text: `Release ${release(service.release, service.version)} runs now. Release ${to} takes over as it was: its code, settings and secrets.`,
      yes: "Roll back",
      path: "rollback",
      body: { app: service.app, service: service.name, from: service.release, to: one.number },
      done: `${name} is on its way back to release ${to}.`,
    }),
  }, "Roll back to it");
}

function proofs(rollouts) {
  if (!rollouts.length) return [];
  return [h("h4", { key: "proofs" }, "What each rollout did"),
    h("ol", { key: "records", class: "proofs" }, rollouts.map(({ rollout, told }) =>
      h("li", { key: rollout.id, class: rollout.state === "succeeded" ? "good-edge" : "bad-edge" },
        h("strong", {}, `${rollout.id}. `), told[0], h("small", {}, told.slice(1).join(" ")))))];
}

/** What the instances write, followed while it is folded open. */
export function logs(service) {
  return h("details", { key: "logs", ontoggle: (event) => follow(event.currentTarget, service) },
    h("summary", {}, "Logs"),
    h("pre", { kept: true, class: "log", tabindex: 0, role: "log", "aria-live": "off", "aria-label": `Logs of ${service.app}/${service.name}` }));
}

async function follow(details, service) {
  details.stop?.abort();
  if (!details.open) return;
  const stop = (details.stop = new AbortController());
  const place = details.querySelector("pre");
  place.replaceChildren();
  try {
    const answer = await fetch(`logs?${new URLSearchParams({ app: service.app, service: service.name })}`, { signal: stop.signal });
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    let begun = "";
    for (;;) {
      const { value, done } = await reader.read();
      if (done) break;
      const lines = (begun + value).split("\n");
      begun = lines.pop();
      append(place, lines.map(JSON.parse));
    }
  } catch (error) {
    if (!stop.signal.aborted) append(place, [{ instance: "this page", line: `the log broke off: ${error.message}` }]);
  }
}

function append(place, lines) {
  const atEnd = place.scrollHeight - place.scrollTop - place.clientHeight < 30;
  for (const { instance, line, error } of lines) {
    const row = document.createElement("span");
    row.textContent = plain(error ? `${error.cause}. ${error.way_out}\n` : `${instance}  ${line}\n`);
    place.append(row);
  }
  while (place.childElementCount > MOST_LINES) place.firstElementChild.remove();
  if (atEnd) place.scrollTop = place.scrollHeight;
}
