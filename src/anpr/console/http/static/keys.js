// The keyboard, and the panel that lists its keys. They can be switched off: single letters disturb people who dictate.

const EARLY_MS = 3000;
const byId = (id) => document.getElementById(id);
const KEYS = {
  n: () => step(1),
  p: () => step(-1),
  c: () => here().querySelector("[data-claim]")?.click(),
  o: () => (here().querySelector(".card__open") ?? byId("outcome"))?.[here() === document ? "focus" : "click"](),
  s: () => check("same"),
  d: () => check("different"),
  x: () => check("unreadable"),
  u: () => (byId("waiting") ?? byId("called"))?.click(),
  b: () => (location.href = "/"),
  "?": () => byId("help-panel").showModal(),
};

/** The card that has the focus; on a page without cards, the whole page. */
function here() {
  return document.querySelector(".cards") ? (document.activeElement?.closest?.("article") ?? document.createElement("i")) : document;
}

function step(by) {
  const all = [...document.querySelectorAll(".cards article")];
  const at = all.indexOf(document.activeElement?.closest?.("article"));
  all[Math.min(all.length - 1, Math.max(0, at < 0 ? 0 : at + by))]?.focus();
}

function check(value) {
  document.querySelector(`[data-check="${value}"]`)?.click();
}

export function startKeys() {
  const on = byId("keys");
  on.checked = localStorage.getItem("anpr-keys") !== "false";
  on.onchange = () => localStorage.setItem("anpr-keys", String(on.checked));
  byId("help").onclick = () => byId("help-panel").showModal();
  const onKey = (event) => {
    if (!on.checked || event.ctrlKey || event.altKey || event.metaKey || event.repeat || byId("help-panel").open) return;
    if (event.target.closest?.("input:not([type=radio]),textarea,select,[contenteditable]")) return;
    KEYS[event.key]?.();
  };
  // An older key may have been pressed again, because nothing happened.
  takeEarlyKeys().filter((event) => performance.now() - event.timeStamp < EARLY_MS).forEach(onKey);
  document.addEventListener("keydown", onKey);
}
