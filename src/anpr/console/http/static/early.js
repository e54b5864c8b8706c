// Keeps the keys that are pressed before the page's modules run. `keys.js` handles them, so that none is lost.
const early = [];
const noteEarly = (event) => early.push(event);
document.addEventListener("keydown", noteEarly);
globalThis.takeEarlyKeys = () => {
  document.removeEventListener("keydown", noteEarly);
  return early;
};
