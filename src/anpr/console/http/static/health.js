// The health page renews itself: it loads itself again and changes only what differs.
//
// Users who may not see the board have no stream, so the page does not use one. Without scripts there is a link.

import { REPLACED, clockText, setClock } from "/static/live.js";

const AGAIN_MS = 2000;
const SILENT_MS = 6000; // as in live.js

let answeredAt = Date.now();
let ended = "";

async function reload() {
  try {
    const answer = await fetch("/health", { cache: "no-store", redirect: "manual", signal: AbortSignal.timeout(SILENT_MS) });
    if (answer.type === "opaqueredirect" || answer.status === 403) {
      ended = "You are signed out. This page is OLD. Sign in again.";
    } else if (answer.status === 404) {
      ended = REPLACED;
    } else if (answer.ok) {
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      renew(document.getElementById("health"), page.getElementById("health"));
      setClock(page.getElementById("as-of").dateTime);
      answeredAt = Date.now();
    }
  } catch {
    // No answer: `report` says so once that has lasted.
  }
  report();
  if (!ended) setTimeout(reload, AGAIN_MS);
}

/** Changes only what differs. So focus, selection and scrolling stay, and a screen reader reads only what is new. */
function renew(old, fresh) {
  if (old.isEqualNode(fresh)) return;
  const sameKind = old.nodeName === fresh.nodeName && old.childNodes.length === fresh.childNodes.length;
  if (!sameKind || old.nodeType !== Node.ELEMENT_NODE) return old.replaceWith(fresh);
  for (const { name, value } of fresh.attributes) old.setAttribute(name, value);
  const fresher = [...fresh.childNodes];
  [...old.childNodes].forEach((child, at) => renew(child, fresher[at]));
}

function report() {
  const silent = Date.now() - answeredAt > SILENT_MS;
  const problem = ended || (silent ? `No answer from the console since ${clockText(answeredAt)}. What is on this page is OLD.` : "");
  const old = document.getElementById("old");
  if (old.textContent !== problem) old.textContent = problem;
  old.hidden = !problem;
  document.getElementById("health").classList.toggle("is-old", Boolean(problem));
}

setTimeout(reload, AGAIN_MS);
setInterval(report, 1000);
