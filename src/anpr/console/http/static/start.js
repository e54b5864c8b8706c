// Marks the page for GOV.UK Frontend and starts its components, where they were fetched.
document.body.classList.add("js-enabled", "govuk-frontend-supported");
if (document.querySelector('link[href^="/static/govuk/"]')) {
  import("/static/govuk/govuk-frontend.min.js").then((govuk) => govuk.initAll());
}

// An impatient second press sends nothing twice; what is under way says so. While the page knows that it is cut off it
// sends nothing: the browser would put a page of its own in the place of what is known.
let sent = null;
document.addEventListener("submit", (event) => {
  if (document.body.dataset.cut) {
    document.getElementById("not-sent").hidden = false;
    return event.preventDefault();
  }
  if (sent) return event.preventDefault();
  sent = event.submitter ?? event.target;
  sent.classList?.add("is-sending");
});
addEventListener("pageshow", () => {
  sent?.classList?.remove("is-sending");
  sent = null;
});
