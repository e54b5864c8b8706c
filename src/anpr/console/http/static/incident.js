// The page of an incident: it says when the incident has changed, and leaves what the officer is writing alone.

import { byId, follow, setText } from "/static/status.js";

const { incident, reads, version } = document.body.dataset;

function changes({ set, removed = [] }) {
  if (removed.includes(incident)) return report("This incident is no longer on the board.");
  if (!(incident in set)) return;
  const card = new DOMParser().parseFromString(set[incident].html, "text/html").querySelector("article").dataset;
  const more = Number(card.reads) - Number(reads);
  if (card.version !== version) report("This incident has changed: somebody acted on it, or there is new information.");
  else if (more > 0) report(`Seen again since: ${more} more ${more === 1 ? "read" : "reads"}.`, true);
}

function report(words, quiet = false) {
  byId("changed").hidden = false;
  byId("changed").classList.toggle("changed--quiet", quiet);
  setText(byId("changed-words"), words);
}

/** Asks the other ports when the officer opens that line, once. Without an answer its button stays. */
async function askOtherPorts({ currentTarget: line }) {
  const form = line.querySelector("form");
  if (!line.open || !form || form.hidden || document.body.dataset.cut) return;
  const said = line.querySelector("[role=status]");
  form.hidden = true;
  setText(said, "Asking the other ports.");
  try {
    const answer = await fetch(form.action, { method: "POST", body: new URLSearchParams(new FormData(form)), redirect: "error" });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const found = page.getElementById("found");
    if (!found) throw new Error(page.getElementById("main").textContent.trim());
    said.replaceWith(found);
    form.remove();
  } catch (error) {
    form.hidden = false;
    setText(said, error instanceof TypeError ? "No answer from the console." : error.message);
  }
}

byId("other-ports")?.addEventListener("toggle", askOtherPorts);
follow({ changes });
