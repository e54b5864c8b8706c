// The live board: puts each card where it belongs, and never moves a button that the officer is about to press.

import { byId, drawTimes, follow, setText } from "/static/status.js";

const SECTIONS = ["now", "review", "elsewhere", "settled"];
const HOLD_MS = 10000; // a pointer that stays on the list this long, but on no button, is not about to press one
const GUARD_MS = 600; // a press just after the list has moved was meant for the card that was there before

let paused = false;
let pointerAt = 0; // when the pointer last moved over a section; 0 while it is not over one
let movedAt = 0;
let fresh = new Set(); // new cards outside of the visible part of the page
let waiting = new Map(); // card id → its newest value, null for a removed card
const cards = new Set([...document.querySelectorAll("li[id^=card-]")].map((item) => item.id.slice(5)));

// --- what is on the page ---------------------------------------------------------------------------------------

function changes({ set, removed }) {
  for (const [name, card] of Object.entries(set)) note(name, card);
  for (const name of removed) note(name, null);
  settle();
}

function state({ set }) {
  changes({ set, removed: [...cards].filter((name) => !(name in set)) });
}

function note(name, card) {
  if (card) cards.add(name);
  else cards.delete(name);
  waiting.set(name, card);
}

/** Shows what waits, unless the officer has paused the list or is about to press a button on it. */
function settle() {
  if (!isStill()) showWaiting();
  drawWaiting();
}

/** Cards that wait to enter the first section, also from another one: a withdrawn incident may be back. */
function newHereNow() {
  const comes = ([name, card]) => card?.section === "now" && byId("card-" + name)?.parentElement.id !== "section-now";
  return [...waiting].filter(comes).map(([name]) => name);
}

function isStill() {
  if (paused || !pointerAt) return paused;
  return Date.now() - pointerAt < HOLD_MS || Boolean(document.querySelector(".cards :is(a, button):hover"));
}

function showWaiting() {
  if (!waiting.size) return;
  const focused = document.activeElement?.closest?.("li[id^=card-]");
  const focusedId = focused?.id;
  const control = focused && [...focused.querySelectorAll("a,button,article")].indexOf(document.activeElement);
  const top = focused?.getBoundingClientRect().top;
  const news = newHereNow();
  let moved = false;
  for (const [name, card] of waiting) moved = put(name, card) || moved;
  waiting = new Map();
  const again = focusedId && byId(focusedId);
  if (again) {
    const controls = [...again.querySelectorAll("a,button,article")];
    (controls[control] ?? controls[0])?.focus({ preventScroll: true });
    scrollBy(0, again.getBoundingClientRect().top - top); // the focused card stays where it is
  }
  done(news, moved);
}

function done(news, moved) {
  if (moved) movedAt = Date.now();
  for (const name of news) if (!isInView(byId("card-" + name))) fresh.add(name);
  drawTimes();
}

/** Draws a card where it belongs, or removes it (null). Returns whether other cards had to move. */
function put(name, card) {
  const item = byId("card-" + name);
  if (!card) {
    item?.remove();
    return Boolean(item);
  }
  const section = byId("section-" + (SECTIONS.includes(card.section) ? card.section : "now"));
  if (item?.parentElement === section && item.dataset.order === card.order) {
    const height = item.offsetHeight;
    item.innerHTML = card.html;
    return item.offsetHeight !== height;
  }
  item?.remove();
  const made = document.createElement("li");
  made.id = "card-" + name;
  made.dataset.order = card.order;
  made.innerHTML = card.html;
  section.insertBefore(made, [...section.children].find((other) => other.dataset.order > card.order) ?? null);
  return true;
}

function isInView(item) {
  const { top, bottom } = item.getBoundingClientRect();
  return bottom > byId("status").getBoundingClientRect().bottom && top < innerHeight;
}

function drawWaiting() {
  for (const name of fresh) {
    const item = byId("card-" + name);
    if (!item || item.parentElement.id !== "section-now" || isInView(item)) fresh.delete(name);
  }
  const newHere = newHereNow().length;
  const button = byId("waiting");
  const others = waiting.size - newHere;
  const words = [
    ...(newHere || fresh.size ? [`${newHere + fresh.size} NEW`] : []),
    ...(others ? [`${others} ${others === 1 ? "change" : "changes"}`] : []),
  ];
  button.hidden = !words.length;
  setText(button, words.length ? `${paused ? "PAUSED. " : ""}${words.join(" and ")}: show` : "");
}

document.addEventListener("head", ({ detail: { bySection, count } }) => {
  for (const section of SECTIONS) {
    const empty = document.querySelector(`.section--${section} .section__empty`);
    setText(empty, count === "?" ? "Not known: see the red bar." : empty.dataset.empty);
    if (section === "settled") continue;
    setText(byId("n-" + section), bySection[section] ? `(${bySection[section]})` : "");
    byId("more-" + section).hidden = !(bySection[section] > Number(byId("more-" + section).dataset.most));
  }
});

// --- what the officer presses ------------------------------------------------------------------------------------------

byId("pause").onclick = () => {
  paused = !paused;
  byId("pause").setAttribute("aria-pressed", String(paused));
  setText(byId("pause"), paused ? "Paused: resume" : "Pause");
  settle();
};
byId("waiting").onclick = () => {
  showWaiting();
  const first = [...document.querySelectorAll("#section-now > li")].find((item) => fresh.has(item.id.slice(5)));
  fresh = new Set();
  first?.scrollIntoView({ block: "center" });
  first?.querySelector("article").focus({ preventScroll: true });
  drawWaiting();
};

for (const section of SECTIONS) {
  const list = byId("section-" + section);
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

setInterval(settle, 1000);
follow({ changes, state });
