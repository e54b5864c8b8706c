// On the page of an incident: says so when somebody has changed it, and leaves what is being written alone.

import { byId, follow, setText } from "/static/status.js";

const { incident, reads, version } = document.body.dataset;

function changes({ set, removed = [] }) {
  if (removed.includes(incident)) return tell("This incident is no longer on the board.");
  if (!(incident in set)) return;
  const card = new DOMParser().parseFromString(set[incident].html, "text/html").querySelector("article").dataset;
  const more = Number(card.reads) - Number(reads);
  if (card.version !== version) tell("This incident has changed: somebody acted on it, or there is new information.");
  else if (more > 0) tell(`Seen again since: ${more} more ${more === 1 ? "read" : "reads"}.`, true);
}

function tell(words, quiet = false) {
  byId("changed").hidden = false;
  byId("changed").classList.toggle("changed--quiet", quiet);
  setText(byId("changed-words"), words);
}

follow({ changes });
