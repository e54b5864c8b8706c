// The live board: puts what the console sends where it belongs, and never moves what the officer is about to press.

import { ago, setClock, start } from "/static/live.js";

const LANES = ["now", "review", "elsewhere", "over"];
const HOLD_MS = 10000; // a pointer that rests on the list this long is not about to press anything
const GUARD_MS = 600; // a press just after the list has moved was meant for what stood there before
const RING_AGAIN_MS = 20000;
const { user, role } = document.body.dataset;
const byId = (id) => document.getElementById(id);
const stored = (name, otherwise) => localStorage.getItem("anpr-" + name) ?? otherwise;

let head = null;
let linkFault = "";
let paused = false;
let pointerAt = 0; // when the pointer last moved over a lane; 0 while it is elsewhere
let movedAt = 0;
let waiting = new Map(); // card id → its newest value, null when it is gone
const cards = new Map(); // what the console last said of each card, shown or not
setClock(document.body.dataset.now);

// --- what is on the page ---------------------------------------------------------------------------------------

function changes({ set = {}, gone = [] }) {
  for (const [name, value] of Object.entries(set)) {
    if (name === "head") head = value;
    else note(name, value);
  }
  for (const name of gone) note(name, null);
  drawHead();
  settle();
}

function state(whole) {
  const gone = [...cards.keys()].filter((name) => !(name in whole.set));
  changes({ set: whole.set, gone });
}

function note(name, value) {
  const before = cards.get(name);
  if (value) cards.set(name, value);
  else cards.delete(name);
  waiting.set(name, value);
  if (value && value.rings === role && before?.rings !== role) ring(value);
}

/** Shows what waits, unless the officer has paused the list or is about to press something on it. */
function settle() {
  if (!isHeld()) showWaiting();
  drawHeld();
}

function isHeld() {
  return paused || (pointerAt > 0 && Date.now() - pointerAt < HOLD_MS);
}

function showWaiting() {
  if (!waiting.size) return;
  const focused = document.activeElement?.closest?.("li[id^=card-]");
  const focusedId = focused?.id;
  const control = focused && [...focused.querySelectorAll("a,button,article")].indexOf(document.activeElement);
  const top = focused?.getBoundingClientRect().top;
  const before = document.body.scrollHeight;
  for (const [name, value] of waiting) {
    byId("card-" + name)?.remove();
    if (value) put(name, value);
  }
  waiting = new Map();
  const again = focusedId && byId(focusedId);
  if (again) {
    const controls = [...again.querySelectorAll("a,button,article")];
    (controls[control] ?? controls[0])?.focus({ preventScroll: true });
    scrollBy(0, again.getBoundingClientRect().top - top); // what is worked on stays where it is
  }
  if (before !== document.body.scrollHeight) movedAt = Date.now();
  drawTimes();
}

function put(name, card) {
  const lane = byId("lane-" + (LANES.includes(card.lane) ? card.lane : "now"));
  const item = document.createElement("li");
  item.id = "card-" + name;
  item.dataset.order = card.order;
  item.dataset.rings = card.rings;
  item.innerHTML = card.html;
  const next = [...lane.children].find((other) => other.dataset.order > card.order);
  lane.insertBefore(item, next ?? null);
}

function drawHead() {
  const faults = [...(linkFault ? [linkFault] : []), ...(head?.faults ?? [])];
  const known = head?.known ?? 0;
  const count = linkFault ? "?" : head?.count ?? "?";
  byId("status").classList.toggle("status--fault", faults.length > 0);
  setText(byId("count"), count);
  setText(byId("count-words"), count === "?" ? `open (${known} known, there may be more)` : "open");
  const list = byId("faults");
  if ([...list.children].map((item) => item.textContent).join("\n") !== faults.join("\n")) {
    list.replaceChildren(...faults.map((fault) => Object.assign(document.createElement("li"), { textContent: fault })));
  }
  for (const lane of LANES) if (lane !== "over") setText(byId("n-" + lane), head?.lanes[lane] ? `(${head.lanes[lane]})` : "");
  document.title = document.title.replace(/^\(.*?\)/, `(${count})`);
  byId("icon").href = `/badge/${count === "?" ? "unknown" : known > 9 ? "9plus" : known}.svg`;
}

function drawHeld() {
  const button = byId("held");
  const fresh = [...waiting].filter(([name, card]) => card && !byId("card-" + name) && card.lane === "now").length;
  button.hidden = !waiting.size;
  setText(button, waiting.size ? `${fresh ? fresh + " NEW and " : ""}${waiting.size - fresh} changes wait: show them` : "");
}

function drawTimes() {
  for (const time of document.querySelectorAll("time[data-ago]")) {
    time.title ||= time.textContent;
    setText(time, ago(time.dateTime));
  }
}

function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

// --- being called ------------------------------------------------------------------------------------------------

let audio = null;
let rungAt = 0;

function ring(card) {
  const text = new DOMParser().parseFromString(card.html, "text/html").querySelector("h3")?.textContent.replace(/\s+/g, " ").trim();
  setText(byId("say"), "New: " + text);
  sound();
  if (pressed("notify") && globalThis.Notification?.permission === "granted") new Notification("ANPR: " + text, { tag: "anpr" });
}

function sound() {
  if (!pressed("sound") || !audio) return;
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

function pressed(id) {
  return byId(id).getAttribute("aria-pressed") === "true";
}

function press(id, on) {
  byId(id).setAttribute("aria-pressed", String(on));
  localStorage.setItem("anpr-" + id, String(on));
}

// --- what the officer does ------------------------------------------------------------------------------------------

byId("pause").onclick = () => {
  paused = !paused;
  byId("pause").setAttribute("aria-pressed", String(paused));
  setText(byId("pause"), paused ? "Paused: go on" : "Pause");
  settle();
};
byId("held").onclick = () => {
  showWaiting();
  drawHeld();
};
byId("sound").onclick = async () => {
  press("sound", !pressed("sound"));
  audio ??= new AudioContext();
  await audio.resume();
  sound();
};
byId("notify").onclick = async () => {
  const on = !pressed("notify") && (await globalThis.Notification?.requestPermission()) === "granted";
  press("notify", on);
};
byId("keys").onclick = () => press("keys", !pressed("keys"));
byId("keys").setAttribute("aria-pressed", stored("keys", "true"));
byId("tools").hidden = false;

for (const lane of LANES) {
  const list = byId("lane-" + lane);
  list.addEventListener("pointermove", () => (pointerAt = Date.now()));
  list.addEventListener("pointerleave", () => {
    pointerAt = 0;
    settle();
  });
}
document.addEventListener(
  "click",
  (event) => {
    if (event.isTrusted && event.detail > 0 && event.target.closest(".cards") && Date.now() - movedAt < GUARD_MS) {
      event.preventDefault();
      event.stopPropagation();
      setText(byId("say"), "The list has just moved. Press again.");
    }
  },
  true,
);

const KEYS = { n: () => step(1), p: () => step(-1), c: () => inCard("[data-claim]"), o: () => inCard(".card__open"), u: () => byId("held").click() };
document.addEventListener("keydown", (event) => {
  if (!pressed("keys") || event.ctrlKey || event.altKey || event.metaKey) return;
  if (event.target.closest("input,textarea,select,[contenteditable]")) return;
  KEYS[event.key]?.();
});

function step(by) {
  const all = [...document.querySelectorAll(".cards article")];
  const at = all.indexOf(document.activeElement?.closest?.("article"));
  all[Math.min(all.length - 1, Math.max(0, at < 0 ? 0 : at + by))]?.focus();
}

function inCard(selector) {
  document.activeElement?.closest?.("article")?.querySelector(selector)?.click();
}

// --- start ------------------------------------------------------------------------------------------------------------

for (const item of document.querySelectorAll("li[id^=card-]")) {
  cards.set(item.id.slice(5), { lane: item.parentElement.id.slice(5), order: item.dataset.order, rings: item.dataset.rings, html: item.innerHTML });
}
head = {
  count: byId("count").textContent,
  known: document.querySelectorAll("#lane-now > li, #lane-review > li, #lane-elsewhere > li").length,
  lanes: Object.fromEntries(LANES.map((lane) => [lane, Number(byId("n-" + lane).textContent.replace(/\D/g, "")) || 0])),
  faults: [...byId("faults").children].map((item) => item.textContent),
};
head.known = head.lanes.now + head.lanes.review + head.lanes.elsewhere;
setInterval(() => {
  drawTimes();
  settle();
  const outstanding = [...cards.values()].some((card) => card.rings === role);
  if (outstanding && Date.now() - rungAt > RING_AGAIN_MS) sound();
}, 1000);
drawTimes();
start(document.body.dataset.after, {
  changes,
  state,
  link(words) {
    if (words !== linkFault) {
      linkFault = words;
      drawHead();
    }
  },
});
