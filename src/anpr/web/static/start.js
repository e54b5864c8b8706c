// Marks the page for GOV.UK Frontend and starts its components, where they were fetched.
document.body.classList.add("js-enabled", "govuk-frontend-supported");
if (document.querySelector('link[href^="/static/govuk/"]')) {
  import("/static/govuk/govuk-frontend.min.js").then((govuk) => govuk.initAll());
}
