// Orders, each confirmed first: what will happen stands in the question, and "Leave it" has the focus.

import { plain } from "./dom.js";

const sure = document.getElementById("sure");
const said = document.getElementById("said");

/** Ask, and send the order when the answer is yes. `body` says what its giver saw, so that nothing else is ordered. */
export async function order(button, { title, text, yes, path, body, done }) {
  if (!(await confirmed(title, text, yes))) return;
  button.disabled = true;
  tell("", "");
  try {
    const answer = await fetch(path, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
    const found = await answer.json();
    if (found.error) tell("bad", `${found.error.cause}. ${found.error.way_out}`);
    else tell("good", done);
  } catch (error) {
    tell("bad", `The controller does not answer, so it is not known whether that was done: ${error.message}`);
  } finally {
    button.disabled = false;
  }
}

function tell(kind, text) {
  said.className = kind;
  said.textContent = plain(text);
}

function confirmed(title, text, yes) {
  document.getElementById("sure-title").textContent = plain(title);
  document.getElementById("sure-text").textContent = plain(text);
  const button = document.getElementById("sure-yes");
  button.textContent = plain(yes);
  return new Promise((resolve) => {
    button.onclick = () => sure.close("yes");
    document.getElementById("sure-no").onclick = () => sure.close("");
    sure.onclose = () => resolve(sure.returnValue === "yes");
    sure.returnValue = "";
    sure.showModal();
    document.getElementById("sure-no").focus();
  });
}
