// Functions of the browser that the server lacks: visibility of the tab, clipboard, share sheet.
"use strict";

if (navigator.share) document.documentElement.dataset.opsShare = "";

// Show the page once it is complete (first_paint.css). Elements drawn one by one would move under the pointer.
const drawing = setInterval(() => {
  const app = document.querySelector('.stApp[data-test-script-state="notRunning"]');
  if (!app || !app.querySelector(".st-key-ops-top, .ops-signed-out") || app.querySelector("[data-testid=stSkeleton]")) return;
  document.documentElement.dataset.opsDrawn = "";
  clearInterval(drawing);
}, 50);

// Click the button that the page marks, once for each mark, if the tab is visible.
let pressed = "";
setInterval(() => {
  const mark = document.visibilityState === "visible" && document.querySelector("[data-ops-press]");
  if (!mark || mark.dataset.opsMark === pressed) return;
  const button = document.querySelector(`.stApp[data-test-connection-state="CONNECTED"] .st-key-${CSS.escape(mark.dataset.opsPress)} button`);
  if (!button || button.disabled) return;
  pressed = mark.dataset.opsMark;
  button.click();
}, 250);

// Streamlit holds a click until the end of the browser's task queue. A fragment's timer that is due before that sends
// the click, too, and its action would run once more. Timers wait until the click has been sent.
let isSendingClick = false;
document.addEventListener("click", () => {
  isSendingClick = true;
  // The outer timeout ends before Streamlit's, which is set later; the inner one after it.
  setTimeout(() => setTimeout(() => { isSendingClick = false; }));
}, true);
const setPlainInterval = window.setInterval;
window.setInterval = (run, ...rest) => setPlainInterval(function tick(...given) {
  if (isSendingClick) setTimeout(tick, 0, ...given);
  else run(...given);
}, ...rest);

// Ignore the second click of a double click on buttons of forms and dialogs, so that nothing is submitted twice.
document.addEventListener("click", (event) => {
  const again = event.detail > 1 && event.target instanceof Element;
  if (again && event.target.closest("[data-testid=stFormSubmitButton] button, [role=dialog] .stButton button")) {
    event.preventDefault();
    event.stopPropagation();
  }
}, true);

// Set aria-current: Streamlit marks the current page only visually, and does not mark a session's page.
setInterval(() => {
  for (const link of document.querySelectorAll(".st-key-ops-nav a")) {
    const isHere = link.closest('[class*="st-key-nav-"][class*="-here"]') !== null;
    if (isHere !== link.hasAttribute("aria-current")) link.toggleAttribute("aria-current", isHere);
    if (isHere && link.getAttribute("aria-current") !== "page") link.setAttribute("aria-current", "page");
  }
}, 250);

// Set title and icon of the tab to the state that the page marks. Streamlit sets its own whenever a page is opened.
setInterval(() => {
  const mark = document.querySelector("[data-ops-tab]");
  if (!mark) return;
  if (document.title !== mark.dataset.opsTab) document.title = mark.dataset.opsTab;
  for (const icon of document.querySelectorAll('link[rel~="icon"]')) {
    if (icon.href !== mark.dataset.opsIcon) icon.href = mark.dataset.opsIcon;
  }
}, 250);

// Scroll the result of a click into view, once: it may be far from the button.
const shown = { "[data-ops=link]": "", "img.ops-qr": "" };
let asked = false;
document.addEventListener("click", (event) => {
  if (event.target instanceof Element && event.target.closest(".stButton, .stFormSubmitButton")) asked = true;
}, true);
setInterval(() => {
  for (const what in shown) {
    const made = document.querySelector(what), now = made && (made.textContent || what);
    // Later codes appear without a click, while the user may be reading elsewhere on the page.
    if (made && asked && now !== shown[what]) {
      asked = false;
      made.scrollIntoView({ block: "center" });
    }
    shown[what] = now;
  }
}, 250);

// A disconnected tab, as on a laptop that slept, is not notified that its sign-in ended: check it, and reload on 401.
const OWN_ADDRESS = document.currentScript.src;
setInterval(async () => {
  const app = document.querySelector(".stApp");
  if (!app || app.dataset.testConnectionState === "CONNECTED" || document.querySelector(".ops-signed-out")) return;
  const answer = await fetch(OWN_ADDRESS, { method: "HEAD", cache: "no-store" }).catch(() => null);
  if (answer?.status === 401) location.reload();
}, 3000);

// An uncaught error in Streamlit's frontend empties the document for good. Reload, at most once in ten minutes: an error
// that recurs must not reload the tab for ever.
const RELOADED = "ops-reloaded", LEAST_MS = 600_000, root = document.getElementById("root");
let wasDrawn = root.firstElementChild !== null;
const reloadIfWhite = () => {
  const isDrawn = root.firstElementChild !== null;
  wasDrawn ||= isDrawn;
  if (isDrawn || !wasDrawn || Date.now() - Number(sessionStorage.getItem(RELOADED)) < LEAST_MS) return;
  sessionStorage.setItem(RELOADED, String(Date.now()));
  location.reload();
};
new MutationObserver(reloadIfWhite).observe(root, { childList: true });
setInterval(reloadIfWhite, 10_000);

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // The clipboard API requires https.
    const field = document.createElement("textarea");
    field.value = text;
    field.style.position = "fixed";
    document.body.append(field);
    field.select();
    const done = document.execCommand("copy");
    field.remove();
    return done;
  }
}

document.addEventListener("click", async (event) => {
  const button = event.target instanceof Element && event.target.closest("[data-ops-copy], [data-ops-share-text]");
  if (!button) return;
  if (button.dataset.opsCopy !== undefined) {
    if (!(await copy(button.dataset.opsCopy))) return;
    const before = button.textContent;
    button.textContent = button.dataset.opsDone;
    setTimeout(() => { button.textContent = before; }, 2500);
  } else {
    // Ignore the rejection when the user closes the share sheet.
    await navigator.share({ text: button.dataset.opsShareText, url: button.dataset.opsShareUrl }).catch(() => {});
  }
});

// An authenticating proxy may have ended the user's session, which an open websocket does not notice. The proxy then
// responds with its own sign-in, which the reload shows.
const stillHere = new URL("-/still-here", document.currentScript.src);
const asking = setInterval(async () => {
  if (document.querySelector(".ops-signed-out")) return;  // That page explains it and offers the sign-in.
  try {
    const { type, status } = await fetch(stillHere, { redirect: "manual" });
    if (status === 205) clearInterval(asking);
    else if (type === "opaqueredirect" || [200, 401, 403].includes(status)) location.reload();
  } catch {
    // No network at the moment.
  }
}, 30_000);
