// On the page of an incident: says so when somebody has changed it, and leaves what is being written alone.

import { start } from "/static/live.js";

const { after, incident } = document.body.dataset;
const changed = document.getElementById("changed");

function changes({ set = {}, gone = [] }) {
  if (incident in set || gone.includes(incident)) changed.hidden = false;
}

start(after, {
  changes,
  state: changes,
  link(words) {
    if (words) {
      changed.hidden = false;
      changed.textContent = words;
    }
  },
});
