// The connection to the console: brings changes, and reports when none can come.
//
// `start` takes the id of the page's state and calls back:
//   changes({set, removed})    the state has changed
//   state({set})               this is the whole state: it replaces what the page has
//   heartbeat({last_read_at})  the console is alive
//   connection(problem, cut)   problem: what is wrong, for the officer, "" for nothing; cut: nothing can be sent
// EventSource itself sends the last id when it reconnects.

const SILENT_MS = 6000; // three heartbeats; a request without an answer for so long has failed
const AGAIN_MS = 2000;
// The console has no such address: it was upgraded while the page was open.
export const REPLACED = "This page is OLD: the console has a new version. Reload this page.";

/** What a page says whose user is signed out, with the reason if neither they nor time has ended their session. */
const signedOut = (why) => ["You are signed out. This page is OLD.", why, "Sign in again."].filter(Boolean).join(" ");

export function start(after, { changes, state, heartbeat, connection }) {
  let source = null;
  let openedAt = 0;
  let lastId = after;
  let receivedAt = Date.now();
  let ended = "";
  let frozen = "";

  function open(id) {
    source?.close();
    lastId = id;
    openedAt = Date.now();
    source = new EventSource("/board/stream?after=" + encodeURIComponent(id));
    source.addEventListener("changes", (event) => {
      lastId = event.lastEventId;
      received();
      changes(JSON.parse(event.data));
    });
    source.addEventListener("heartbeat", (event) => {
      const message = JSON.parse(event.data);
      setClock(message.now);
      heartbeat(message);
      frozen = message.frozen_seconds >= 5 ? "The console cannot see the ports: it has not updated for " + message.frozen_seconds + " s. Watch the lanes yourself, and tell your supervisor." : "";
      received();
    });
    source.addEventListener("resync", () => {
      source.close();
      readState();
    });
    source.addEventListener("signed-out", (event) => {
      source.close();
      ended = signedOut(JSON.parse(event.data).why);
      report();
    });
    source.addEventListener("too-many", () => {
      source.close();
      ended = "This page is OLD: you opened too many other pages after it. Close some of them, then reload this one.";
      report();
    });
    source.onerror = () => {
      report();
      // Refused, not only broken: the browser gives up then, so the page tries again.
      if (source.readyState === EventSource.CLOSED && !ended) setTimeout(readState, AGAIN_MS);
    };
  }

  async function readState() {
    try {
      const answer = await fetch("/board/state", { cache: "no-store", redirect: "error", signal: AbortSignal.timeout(SILENT_MS) });
      if (answer.status === 401 || answer.status === 403) {
        ended = signedOut(answer.status === 401 ? await answer.text() : "");
        return report();
      }
      if (answer.status === 404) {
        ended = REPLACED;
        return report();
      }
      if (!answer.ok) throw new Error(answer.status);
      const whole = await answer.json();
      state(whole);
      open(whole.id);
      received();
    } catch {
      setTimeout(readState, AGAIN_MS);
    }
  }

  function received() {
    receivedAt = Date.now();
    report();
  }

  function report() {
    const silent = Date.now() - receivedAt > SILENT_MS;
    const cut = silent && !ended;
    connection(ended || (cut ? "No connection to the console since " + clockText(receivedAt) + ". What is on this page is OLD. Watch the lanes yourself, and tell your supervisor." : frozen), cut);
  }

  setInterval(() => {
    report();
    // A connection that was lost silently would stay silent for ever: the browser does not replace it.
    const silentMs = Date.now() - Math.max(receivedAt, openedAt);
    if (silentMs > SILENT_MS && source.readyState !== EventSource.CLOSED) open(lastId);
  }, 1000);
  // A page that wakes up reports at once whether it has missed anything.
  document.addEventListener("visibilitychange", report);
  addEventListener("pagehide", () => source?.close());
  addEventListener("pageshow", (event) => event.persisted && !ended && readState());
  open(after);
}

let clockOffsetMs = 0;

/** The time by the console's clock: the clock of an officer's machine may be wrong. */
export function now() {
  return Date.now() + clockOffsetMs;
}

export function setClock(moment) {
  clockOffsetMs = Date.parse(moment) - Date.now();
}

const timeOfSite = new Intl.DateTimeFormat("en-GB", {
  timeZone: document.documentElement.dataset.timeZone,
  weekday: "short", hour: "2-digit", minute: "2-digit", second: "2-digit", timeZoneName: "short",
});

/** A moment of this machine's clock, written as the console writes times: corrected, in the site's time zone. */
export function clockText(ms) {
  return timeOfSite.format(ms + clockOffsetMs).replaceAll(",", "");
}

/** How long ago a moment was, in the largest unit that is still precise enough. */
export function ago(moment) {
  const seconds = Math.max(0, Math.round((now() - Date.parse(moment)) / 1000));
  if (seconds < 60) return seconds + " s ago";
  if (seconds < 7200) return Math.floor(seconds / 60) + " min ago";
  return Math.floor(seconds / 3600) + " h ago";
}
