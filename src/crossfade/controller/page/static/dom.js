// Elements as data, and the page made like them: nodes that are right already stay, and with them focus, scrolling and
// what is folded open. Text reaches the page as text alone: nothing that an app wrote is ever read as HTML.

const SVG = "http://www.w3.org/2000/svg";
// What a terminal would act on and what turns the reading direction, as the command line shows them.
const CONTROL = /[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/g;

export function plain(text) {
  return String(text).replace(CONTROL, "\ufffd");
}

/** An element. `attributes.key` names it among its siblings; functions are handlers: `{onclick: f}`. */
export function h(tag, attributes = {}, ...children) {
  const shown = children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false);
  return { tag, attributes, children: shown };
}

/** Make the children of `parent` these. */
export function patch(parent, wanted) {
  const known = new Map();
  for (const node of parent.childNodes) known.set(node.crossfade?.key ?? node, node);
  let at = parent.firstChild;
  wanted.forEach((want, index) => {
    const key = keyOf(want, index);
    let node = known.get(key);
    known.delete(key);
    if (!node) node = created(want, key, parent);
    if (node === at) at = at.nextSibling;
    else parent.insertBefore(node, at);
    update(node, want);
  });
  for (const node of known.values()) node.remove();
}

function keyOf(want, index) {
  if (typeof want !== "object") return `text ${index}`;
  return `${want.tag} ${want.attributes.key ?? index}`;
}

function created(want, key, parent) {
  let node;
  if (typeof want !== "object") node = document.createTextNode("");
  else if (want.tag === "svg" || parent.namespaceURI === SVG) node = document.createElementNS(SVG, want.tag);
  else node = document.createElement(want.tag);
  node.crossfade = { key, attributes: {} };
  return node;
}

function update(node, want) {
  if (typeof want !== "object") {
    const text = plain(want);
    if (node.data !== text) node.data = text;
    return;
  }
  const before = node.crossfade.attributes;
  const { key, kept, ...attributes } = want.attributes;
  for (const name of Object.keys(before)) {
    if (!(name in attributes)) name.startsWith("on") ? (node[name] = null) : node.removeAttribute(name);
  }
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node[name] = value;
    else if (value === false || value === null || value === undefined) node.removeAttribute(name);
    else if (node.getAttribute(name) !== plain(value)) node.setAttribute(name, plain(value));
  }
  node.crossfade.attributes = attributes;
  if (!kept) patch(node, want.children); // `kept`: somebody else looks after what is in it
}
