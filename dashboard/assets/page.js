// What only the browser knows or can do: whether somebody looks at this tab, the clipboard, the share sheet.
"use strict";

if (navigator.share) document.documentElement.dataset.opsShare = "";

// The page is shown once it is drawn as a whole (first_paint.css); what came piece by piece would move under the finger.
const drawing = setInterval(() => {
  const app = document.querySelector('.stApp[data-test-script-state="notRunning"]');
  if (!app || !app.querySelector(".st-key-ops-top, .ops-signed-out") || app.querySelector("[data-testid=stSkeleton]")) return;
  document.documentElement.dataset.opsDrawn = "";
  clearInterval(drawing);
}, 50);

// The page marks the button that is to be pressed by itself, once for each mark, in a tab that is looked at.
let pressed = "";
setInterval(() => {
  const mark = document.visibilityState === "visible" && document.querySelector("[data-ops-press]");
  if (!mark || mark.dataset.opsMark === pressed) return;
  const button = document.querySelector(`.stApp[data-test-connection-state="CONNECTED"] .st-key-${CSS.escape(mark.dataset.opsPress)} button`);
  if (!button || button.disabled) return;
  pressed = mark.dataset.opsMark;
  button.click();
}, 250);

// Whoever taps twice means it once: what is sent or answered is neither sent again nor answered twice.
document.addEventListener("click", (event) => {
  const again = event.detail > 1 && event.target instanceof Element;
  if (again && event.target.closest("[data-testid=stFormSubmitButton] button, [role=dialog] .stButton button")) {
    event.preventDefault();
    event.stopPropagation();
  }
}, true);

// Streamlit marks the current page for the eye only, and a session's page as none.
setInterval(() => {
  for (const link of document.querySelectorAll(".st-key-ops-nav a")) {
    const isHere = link.closest('[class*="st-key-nav-"][class*="-here"]') !== null;
    if (isHere !== link.hasAttribute("aria-current")) link.toggleAttribute("aria-current", isHere);
    if (isHere && link.getAttribute("aria-current") !== "page") link.setAttribute("aria-current", "page");
  }
}, 250);

// What a click has made is brought onto the screen, once; it may stand far from the button.
const shown = { "[data-ops=link]": "", "img.ops-qr": "" };
let asked = false;
document.addEventListener("click", (event) => {
  if (event.target instanceof Element && event.target.closest(".stButton, .stFormSubmitButton")) asked = true;
}, true);
setInterval(() => {
  for (const what in shown) {
    const made = document.querySelector(what), now = made && (made.textContent || what);
    // A later code comes by itself, while somebody may read elsewhere on the page.
    if (made && asked && now !== shown[what]) {
      asked = false;
      made.scrollIntoView({ block: "center" });
    }
    shown[what] = now;
  }
}, 250);

// A tab whose sign-in ended while it was away, as on a laptop that slept, is told nothing: it asks, and leads back.
const OWN_ADDRESS = document.currentScript.src;
setInterval(async () => {
  const app = document.querySelector(".stApp");
  if (!app || app.dataset.testConnectionState === "CONNECTED" || document.querySelector(".ops-signed-out")) return;
  const answer = await fetch(OWN_ADDRESS, { method: "HEAD", cache: "no-store" }).catch(() => null);
  if (answer?.status === 401) location.reload();
}, 3000);

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // Without https there is no clipboard object.
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
    // Closing the share sheet without a choice is no error.
    await navigator.share({ text: button.dataset.opsShareText, url: button.dataset.opsShareUrl }).catch(() => {});
  }
});

// A proxy that signs people in may have taken somebody out meanwhile, and an open websocket does not notice. What it
// answers instead of us is its own sign-in: the reload shows it.
const stillHere = new URL("-/still-here", document.currentScript.src);
const asking = setInterval(async () => {
  if (document.querySelector(".ops-signed-out")) return;  // It says why, and the way back.
  try {
    const { type, status } = await fetch(stillHere, { redirect: "manual" });
    if (status === 205) clearInterval(asking);
    else if (type === "opaqueredirect" || [200, 401, 403].includes(status)) location.reload();
  } catch {
    // No network just now.
  }
}, 30_000);
