// Keys that are pressed before the page's modules run: `keys.js` takes them over, so that none is lost.
const early = [];
const noteEarly = (event) => early.push(event);
document.addEventListener("keydown", noteEarly);
globalThis.takeEarlyKeys = () => {
  document.removeEventListener("keydown", noteEarly);
  return early;
};
