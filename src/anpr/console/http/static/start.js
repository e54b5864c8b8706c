// Marks the page for GOV.UK Frontend and starts its components, where they were fetched.
document.body.classList.add("js-enabled", "govuk-frontend-supported");
if (document.querySelector('link[href^="/static/govuk/"]')) {
  import("/static/govuk/govuk-frontend.min.js").then((govuk) => govuk.initAll());
}

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
