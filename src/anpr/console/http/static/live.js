// The connection to the console: changes as they come, and the truth about it when none can come.
//
// `start` takes the id of the state that the page has and calls back:
//   changes({set, removed})  the state has changed
//   state({set})          this is the whole state: whatever the page has is to be replaced
//   heartbeat({last_read_at})  the console is alive
//   link(words, cut)      "" while the console is heard; else why not, for the officer; cut: nothing can be sent
// Ids are the browser's own business: EventSource sends the last one when it reconnects.

const SILENT_MS = 6000; // the console says something every two seconds; of a request nothing for so long is no answer
const AGAIN_MS = 2000;

export function start(after, { changes, state, heartbeat, link }) {
  let source = null;
  let openedAt = 0;
  let lastId = after;
  let heardAt = Date.now();
  let ended = "";
  let frozen = "";

  function open(id) {
    source?.close();
    lastId = id;
    openedAt = Date.now();
    source = new EventSource("/board/stream?after=" + encodeURIComponent(id));
    source.addEventListener("changes", (event) => {
      lastId = event.lastEventId;
      heard();
      changes(JSON.parse(event.data));
    });
    source.addEventListener("heartbeat", (event) => {
      const message = JSON.parse(event.data);
      setClock(message.now);
      heartbeat(message);
      frozen = message.frozen_seconds >= 5 ? "The console cannot see the ports: it has not updated for " + message.frozen_seconds + " s." : "";
      heard();
    });
    source.addEventListener("resync", () => {
      source.close();
      readState();
    });
    source.addEventListener("signed-out", () => {
      source.close();
      ended = "You are signed out. This page is OLD. Sign in again.";
      tell();
    });
    source.addEventListener("too-many", () => {
      source.close();
      ended = "This page is OLD: you opened too many other pages after it. Close some of them, then reload this one.";
      tell();
    });
    source.onerror = () => {
      tell();
      // Refused, not merely cut: the browser gives up then, so it is tried again here.
      if (source.readyState === EventSource.CLOSED && !ended) setTimeout(readState, AGAIN_MS);
    };
  }

  async function readState() {
    try {
      const answer = await fetch("/board/state", { cache: "no-store", redirect: "error", signal: AbortSignal.timeout(SILENT_MS) });
      if (answer.status === 401 || answer.status === 403) {
        ended = "You are signed out. This page is OLD. Sign in again.";
        return tell();
      }
      if (!answer.ok) throw new Error(answer.status);
      const whole = await answer.json();
      state(whole);
      open(whole.id);
      heard();
    } catch {
      setTimeout(readState, AGAIN_MS);
    }
  }

  function heard() {
    heardAt = Date.now();
    tell();
  }

  function tell() {
    const silent = Date.now() - heardAt > SILENT_MS;
    const cut = silent && !ended;
    link(ended || (cut ? "No connection to the console since " + clockText(heardAt) + ". What is on this page is OLD." : frozen), cut);
  }

  setInterval(() => {
    tell();
    // Lost on the way without a word, it would stay silent for ever, and the browser would not make another.
    const silentMs = Date.now() - Math.max(heardAt, openedAt);
    if (silentMs > SILENT_MS && source.readyState !== EventSource.CLOSED) open(lastId);
  }, 1000);
  // A page that was asleep is told at once what it has missed.
  document.addEventListener("visibilitychange", tell);
  addEventListener("pagehide", () => source?.close());
  addEventListener("pageshow", (event) => event.persisted && !ended && readState());
  open(after);
}

let clockOffsetMs = 0;

/** The console's clock: an officer's machine may be wrong. */
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

/** A moment of this machine's clock as the console writes times: in its site's own, by the console's clock. */
export function clockText(ms) {
  return timeOfSite.format(ms + clockOffsetMs).replaceAll(",", "");
}

/** How long ago a moment was, in the largest unit that tells. */
export function ago(moment) {
  const seconds = Math.max(0, Math.round((now() - Date.parse(moment)) / 1000));
  if (seconds < 60) return seconds + " s ago";
  if (seconds < 7200) return Math.floor(seconds / 60) + " min ago";
  return Math.floor(seconds / 3600) + " h ago";
}
