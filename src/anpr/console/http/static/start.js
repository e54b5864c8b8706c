// Marks the page for GOV.UK Frontend and starts its components, where they were fetched.
document.body.classList.add("js-enabled", "govuk-frontend-supported");
if (document.querySelector('link[href^="/static/govuk/"]')) {
  import("/static/govuk/govuk-frontend.min.js").then((govuk) => govuk.initAll());
}

// The night screen: a press turns it round, from what the system shows if nobody has chosen yet.
const theme = document.getElementById("theme");
const systemIsDark = matchMedia("(prefers-color-scheme: dark)");
const isNight = () => (document.documentElement.dataset.theme || (systemIsDark.matches ? "night" : "day")) === "night";
const drawTheme = () => theme.setAttribute("aria-pressed", String(isNight()));
theme.onclick = () => {
  const chosen = isNight() ? "day" : "night";
  localStorage.setItem("anpr-theme", chosen);
  document.documentElement.dataset.theme = chosen;
  drawTheme();
};
systemIsDark.addEventListener("change", drawTheme);
drawTheme();
theme.hidden = false;

// A second press sends nothing twice, and a button shows that its form is being sent. While the page knows that it is
// cut off it sends nothing: the browser would replace it with an error page, and what it shows would be lost.
let sent = null;
document.addEventListener("submit", (event) => {
  if (document.body.dataset.cut) {
    document.getElementById("not-sent").hidden = false;
    return event.preventDefault();
  }
  if (event.target.hasAttribute("data-download")) return; // the page stays, so its other buttons must work
  if (sent) return event.preventDefault();
  sent = event.submitter ?? event.target;
  sent.classList?.add("is-sending");
});
addEventListener("pageshow", () => {
  sent?.classList?.remove("is-sending");
  sent = null;
});
