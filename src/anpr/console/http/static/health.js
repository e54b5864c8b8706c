// The page of health renews itself: it is asked for again, and what differs is put in place.
//
// Those who may not see the board have no stream, so the page does not depend on one. Without a script there is a link.

import { clockText, setClock } from "/static/live.js";

const AGAIN_MS = 2000;
const SILENT_MS = 6000; // as live.js has it for the stream

let heardAt = Date.now();
let ended = "";

async function look() {
  try {
    const answer = await fetch("/health", { cache: "no-store", redirect: "manual", signal: AbortSignal.timeout(SILENT_MS) });
    if (answer.type === "opaqueredirect" || answer.status === 403) {
      ended = "You are signed out. This page is OLD. Sign in again.";
    } else if (answer.ok) {
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      renew(document.getElementById("health"), page.getElementById("health"));
      setClock(page.getElementById("as-of").dateTime);
      heardAt = Date.now();
    }
  } catch {
    // Nothing was heard: `tell` says so when that has lasted.
  }
  tell();
  if (!ended) setTimeout(look, AGAIN_MS);
}

/** Changes only what differs, so that focus, selection and scrolling stay, and only news is read out. */
function renew(old, fresh) {
  if (old.isEqualNode(fresh)) return;
  const sameKind = old.nodeName === fresh.nodeName && old.childNodes.length === fresh.childNodes.length;
  if (!sameKind || old.nodeType !== Node.ELEMENT_NODE) return old.replaceWith(fresh);
  for (const { name, value } of fresh.attributes) old.setAttribute(name, value);
  const fresher = [...fresh.childNodes];
  [...old.childNodes].forEach((child, at) => renew(child, fresher[at]));
}

function tell() {
  const silent = Date.now() - heardAt > SILENT_MS;
  const words = ended || (silent ? `No answer from the console since ${clockText(heardAt)}. What is on this page is OLD.` : "");
  const old = document.getElementById("old");
  if (old.textContent !== words) old.textContent = words;
  old.hidden = !words;
  document.getElementById("health").classList.toggle("is-old", Boolean(words));
}

setTimeout(look, AGAIN_MS);
setInterval(tell, 1000);
