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

follow({ changes });
