// The night screen that the officer has chosen on this machine; without a choice the system's own. Runs before the page is
// drawn, so that no white page flashes in a dark booth.
document.documentElement.dataset.theme = localStorage.getItem("anpr-theme") ?? "";
