// What every page of an officer shows of the board: the count, the warnings, the last vehicle; and the ringing.
//
// A page follows the board with `follow`. A page that shows nothing else of the board loads only this file.

import { ago, setClock, start } from "/static/live.js";
import { startKeys } from "/static/keys.js";

const RING_AGAIN_MS = 20000;
const { after, elsewhere, now, role, user } = document.body.dataset;
const SECTION_WORDS = { now: "here", review: "to review", elsewhere, dealt: "being dealt with" };
export const byId = (id) => document.getElementById(id);

let head = null;
let connectionWarning = "";
let pageWarning = "";
let audio = null;
let rungAt = 0;
let newElsewhere = 0; // incidents that rang on a page that does not show the board
const ringing = new Set(document.body.dataset.ringing.split(" ").filter(Boolean));
const isBoard = Boolean(byId("section-now"));

/** Follows the board. `changes({set, removed})` and `state({set})` get the cards. The head is drawn here. */
export function follow({ changes = () => {}, state = changes } = {}) {
  start(after, {
    changes({ set = {}, removed = [] }) {
      const { head: newHead, ...cards } = set;
      head = newHead ?? head;
      guarded(() => changes({ set: cards, removed }));
      call(cards, removed);
      draw();
    },
    state({ set }) {
      const { head: newHead, ...cards } = set;
      head = newHead;
      guarded(() => state({ set: cards }));
      call(cards, [...ringing].filter((name) => !(name in cards)));
      draw();
    },
    heartbeat({ last_read_at: at }) {
      if (at) byId("last-read").dateTime = at;
    },
    connection(problem, cut) {
      if (problem === connectionWarning) return;
      connectionWarning = problem;
      document.body.dataset.cut = cut || "";
      draw();
    },
  });
}

/** A page that cannot show what it received must not look as if all were well. */
function guarded(show) {
  try {
    show();
  } catch (error) {
    pageWarning = "This page has failed and is OLD. Reload it.";
    console.error(error);
  }
}

export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

export function draw() {
  const warnings = [connectionWarning, pageWarning, ...(head?.warnings ?? [])].filter(Boolean);
  const count = connectionWarning || pageWarning ? "?" : (head?.count ?? "?");
  const open = Object.entries(SECTION_WORDS).filter(([section]) => head?.by_section[section]);
  const known = open.map(([section, words]) => `${head.by_section[section]} ${words}`).join(", ");
  const passed = head?.by_section.passed ? `. ${head.by_section.passed} passed earlier` : "";
  document.dispatchEvent(new Event("before-head"));
  if (!document.body.dataset.cut) byId("not-sent").hidden = true;
  byId("status").classList.toggle("status--warning", warnings.length > 0);
  setText(byId("count"), count);
  setText(byId("count-words"), count === "?" ? `open: not known${known ? ` (${known}, perhaps more)` : ""}` : `open${known ? ": " + known : ""}${passed}`);
  setText(byId("notes"), (head?.notes ?? []).join(" "));
  const list = byId("warnings");
  if ([...list.children].map((item) => item.textContent).join("\n") !== warnings.join("\n")) {
    list.replaceChildren(...warnings.map((warning) => Object.assign(document.createElement("li"), { textContent: warning })));
  }
  document.title = document.title.replace(/^\(.*?\)/, `(${count})`);
  const icon = `/badge/${count === "?" ? "unknown" : head.known > 9 ? "9plus" : head.known}.svg`;
  if (byId("icon").getAttribute("href") !== icon) byId("icon").setAttribute("href", icon);
  document.dispatchEvent(new CustomEvent("head", { detail: { bySection: head?.by_section ?? {}, count, newest: head?.newest ?? "" } }));
}

/** Puts times in words, and shows the holder of a claim what is for them. */
export function drawTimes() {
  for (const time of document.querySelectorAll("time[data-ago]")) {
    time.title ||= time.textContent;
    setText(time, ago(time.dateTime));
  }
  const last = byId("last-read");
  if (last.dateTime) setText(last, ago(last.dateTime));
  for (const own of document.querySelectorAll("[data-for]")) own.hidden = own.dataset.for !== user;
  for (const others of document.querySelectorAll("[data-not-for]")) others.hidden = others.dataset.notFor === user;
}

// --- being called ------------------------------------------------------------------------------------------------

// The roles that an incident calls: the officers from the start, the supervisor too once it is overdue. A claim to
// which nobody attends calls the supervisor, and the officers too once it is overdue; it calls its holder by name.
const ROLES_CALLED = {
  officer: ["officer"],
  supervisor: ["officer", "supervisor"],
  unattended: ["supervisor"],
  overdue: ["officer", "supervisor"],
};
const isForMe = ({ rings, calls }) => calls === user || Boolean(ROLES_CALLED[rings]?.includes(role));
const isCalled = Object.values(ROLES_CALLED).some((roles) => roles.includes(role));

function call(cards, removed) {
  for (const name of removed) ringing.delete(name);
  const news = [];
  for (const [name, card] of Object.entries(cards)) {
    if (!isForMe(card)) ringing.delete(name);
    else if (!ringing.has(name)) {
      ringing.add(name);
      news.push(card);
    }
  }
  if (news.length) ring(news);
}

/** Calls once for all that have come together, and names the most urgent. */
function ring(cards) {
  const [first, ...more] = cards.sort((one, other) => (one.order < other.order ? -1 : 1));
  const card = new DOMParser().parseFromString(first.html, "text/html");
  const due = card.querySelector(".card__due strong")?.textContent;
  const words = card.querySelector("h3")?.textContent.replace(/\s+/g, " ").replace(/ seen .*/, "").trim();
  const handedBy = first.calls === user && card.querySelector("[data-for] .handed");
  const why = handedBy ? `${handedBy.textContent}: ` : ["unattended", "overdue"].includes(first.rings) ? "Unattended: " : "";
  const text = why + words + (due ? `. ${due}` : "") + (more.length ? `, and ${more.length} more` : "");
  setText(byId("say"), (why ? "" : "New: ") + text);
  sound();
  if (!isBoard) {
    newElsewhere += 1 + more.length;
    byId("called").hidden = false;
    setText(byId("called"), `${newElsewhere} NEW: open the board`);
  }
  if (isOn("notify") && globalThis.Notification?.permission === "granted") {
    const notification = new Notification("ANPR: " + text, { tag: "anpr" });
    notification.onclick = () => globalThis.focus();
  }
}

function sound() {
  if (!isOn("sound") || audio?.state !== "running") return;
  rungAt = Date.now();
  for (const [at, pitch] of [[0, 880], [0.18, 1175]]) {
    const tone = audio.createOscillator();
    const volume = audio.createGain();
    tone.frequency.value = pitch;
    volume.gain.setValueAtTime(0.2, audio.currentTime + at);
    volume.gain.exponentialRampToValueAtTime(0.001, audio.currentTime + at + 0.16);
    tone.connect(volume).connect(audio.destination);
    tone.start(audio.currentTime + at);
    tone.stop(audio.currentTime + at + 0.17);
  }
}

// --- what the officer has switched on, on every page until it is switched off ------------------------------------

export const isOn = (id) => localStorage.getItem("anpr-" + id) === "true";

export function press(id, on) {
  localStorage.setItem("anpr-" + id, String(on));
  drawSwitches();
}

function drawSwitches() {
  for (const id of ["sound", "notify"]) byId(id).setAttribute("aria-pressed", String(isOn(id)));
  // A browser lets a page be heard only after the person has touched it: until then the button must not pretend.
  const isHeard = audio?.state === "running";
  setText(byId("sound"), !isOn("sound") ? "Sound: off" : isHeard ? "Sound: on" : "Sound: press any key");
  byId("tone").hidden = !isOn("sound");
  byId("ask-sound").hidden = isOn("sound") || !isCalled || sessionStorage.getItem("anpr-sound-left-off") === user;
}

async function wake() {
  if (!isOn("sound")) return;
  audio ??= new AudioContext();
  audio.onstatechange = drawSwitches;
  if (audio.state !== "running") await audio.resume();
  drawSwitches();
}

async function turnSound(on) {
  press("sound", on);
  await wake();
  sound(); // the test tone: what is not heard now is not heard later
}

byId("sound").onclick = () => turnSound(!isOn("sound"));
byId("tone").onclick = () => turnSound(true);
byId("turn-on").onclick = () => turnSound(true);
byId("leave-off").onclick = () => {
  sessionStorage.setItem("anpr-sound-left-off", user); // until this window is closed or somebody else signs in
  drawSwitches();
};
byId("notify").onclick = async () => {
  const on = !isOn("notify");
  const may = on && (await globalThis.Notification?.requestPermission()) === "granted";
  if (on && !may) setText(byId("notify"), "Notify: blocked by your browser");
  press("notify", may);
};
for (const kind of ["pointerdown", "keydown"]) document.addEventListener(kind, wake);
wake();
drawSwitches();
byId("tools").hidden = false;
startKeys();

setClock(now);
head = JSON.parse(document.body.dataset.head);
draw();
drawTimes();
setInterval(() => {
  drawTimes();
  if (ringing.size && Date.now() - rungAt > RING_AGAIN_MS) sound();
}, 1000);
if (document.querySelector('script[src="/static/status.js"]')) follow();
