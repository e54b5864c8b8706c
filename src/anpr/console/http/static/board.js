// The live board: puts each card where it belongs, and never moves a button that the officer is about to press.

import { byId, drawTimes, follow, setText } from "/static/status.js";

const SECTIONS = ["now", "review", "elsewhere", "passed", "dealt", "settled"];
const NEEDS_SOMEBODY = ["now", "review", "elsewhere"];
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

/** Whether nobody may miss a card that enters this section: all that is here now, and priority 1 wherever it is. */
function mustBeSeen(section, priority) {
  return section === "now" || (Number(priority) === 1 && NEEDS_SOMEBODY.includes(section));
}

function sectionOf(item) {
  return item?.parentElement.id.replace("section-", "");
}

/** Cards that wait to enter, also from another section: a withdrawn incident may be back. */
function newHereNow() {
  const comes = ([name, card]) => card && mustBeSeen(card.section, card.priority) && sectionOf(byId("card-" + name)) !== card.section;
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
  drawGroups();
  drawNewest();
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
  const kept = item?.parentElement === section && item.dataset.order === card.order && item.dataset.lane === card.lane;
  if (kept) {
    const height = item.offsetHeight;
    item.innerHTML = card.html;
    return item.offsetHeight !== height;
  }
  item?.remove();
  const made = document.createElement("li");
  made.id = "card-" + name;
  Object.assign(made.dataset, { order: card.order, priority: card.priority, lane: card.lane });
  made.innerHTML = card.html;
  const place = placeOf(made, section);
  section.insertBefore(made, [...section.children].find((other) => placeOf(other, section) > place) ?? null);
  return true;
}

/** Sorts by the console's order; what is here now, by the lane of this screen first. Priority 1 stays on top. */
function placeOf(item, section) {
  const { order, priority, lane } = item.dataset;
  if (!["section-now", "section-review"].includes(section.id) || !ownLane()) return order;
  return (Number(priority) === 1 ? "0" : "1") + (lane === ownLane() ? "0" : "1") + order;
}

function sortAgain() {
  for (const name of SECTIONS) {
    const section = byId("section-" + name);
    section.append(...[...section.children].sort((one, other) => (placeOf(one, section) < placeOf(other, section) ? -1 : 1)));
  }
  movedAt = Date.now();
}

/** Shows the time of a group of arrivals once, above the first of them. */
function drawGroups() {
  for (const section of ["elsewhere", "dealt"]) {
    let before = "";
    for (const group of byId("section-" + section).querySelectorAll("[data-group]")) {
      group.hidden = group.dataset.group === before;
      before = group.dataset.group;
    }
  }
}

function isInView(item) {
  const { top, bottom } = item.getBoundingClientRect();
  return bottom > byId("status").getBoundingClientRect().bottom && top < innerHeight;
}

function drawWaiting() {
  for (const name of fresh) {
    const item = byId("card-" + name);
    if (!item || !mustBeSeen(sectionOf(item), item.dataset.priority) || isInView(item)) fresh.delete(name);
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

let newest = "";

function drawNewest() {
  for (const item of document.querySelectorAll(".cards > li.is-newest")) item.classList.toggle("is-newest", item.id === "card-" + newest);
  byId("card-" + newest)?.classList.add("is-newest");
}

const topOfList = () => byId("main").getBoundingClientRect().top;
let listTop = topOfList(); // where the list was when the page was last drawn or scrolled

/** Notes where the list is now. Only a scroll may move it: otherwise a press was meant for what was there before. */
function noteMove() {
  if (Math.abs(topOfList() - listTop) >= 1) movedAt = Date.now();
  listTop = topOfList();
}

/**
 * A warning makes the head of the page higher. The browser keeps a list in place that is scrolled far enough. Another
 * one is scrolled under a pointer, so that the button which is about to be pressed stays there.
 */
function keepInPlace() {
  if (pointerAt) scrollBy(0, topOfList() - listTop);
  noteMove();
}

addEventListener("scroll", () => (listTop = topOfList()));
new ResizeObserver(noteMove).observe(byId("status")); // other lines of the head, and the zoom, move the list too
document.addEventListener("before-head", noteMove);
document.addEventListener("head", ({ detail: { bySection, count, newest: now } }) => {
  keepInPlace();
  newest = now;
  drawNewest();
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
// The lane of this screen. It is kept on this machine: the booth stays where it is, whoever sits in it.
function ownLane() {
  return byId("lane")?.value ?? "";
}
if (byId("lane")) {
  byId("lane").value = localStorage.getItem("anpr-lane") ?? "";
  if (byId("lane").selectedIndex < 0) byId("lane").value = ""; // that lane is no more
  byId("lane").onchange = () => {
    localStorage.setItem("anpr-lane", ownLane());
    sortAgain();
  };
  sortAgain();
}
drawGroups();
byId("waiting").onclick = () => {
  showWaiting();
  const first = [...document.querySelectorAll(".cards > li")].find((item) => fresh.has(item.id.slice(5)));
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
