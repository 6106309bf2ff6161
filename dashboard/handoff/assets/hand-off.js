// Follows one hand-off. The link's token stands behind "#", which browsers never send by themselves.
"use strict";

const HERE = location.pathname.replace(/\/+$/, "");
const EVERY_MS = 1000;
const [id, token] = location.hash.slice(1).split(".");
// Only the id stays in the address bar: a reload goes on by this browser's cookie.
history.replaceState(null, "", `${location.pathname}#${id}`);

const part = (name) => document.getElementById(name);
const show = (name, seen) => { part(name).hidden = !seen; };
const fill = (name, text) => {
  // Screen readers say anew what is set anew.
  if (part(name).textContent !== text) part(name).textContent = text;
  show(name, Boolean(text));
};

const send = (path, fields) => fetch(`${HERE}/${path}`, { method: "POST", body: new URLSearchParams({ id, ...fields }) });
const look = () => send("state", {});
const askForCode = () => send("code", {});

// By this the server knows the browser again whose first answer was lost on its way.
const browser = btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(32)))).replaceAll("+", "-").replaceAll("/", "_").slice(0, 43);
let wantsNumber = false;
let number = "";

// How long the code on the screen is good for, counted here between the server's answers.
let good = null;

function count(state) {
  const kind = state.qr ? "qr" : state.code.length ? "code" : "";
  const over = performance.now() + state.seconds * 1000;
  const code = state.qr || state.code.join("");
  // The server tells whole seconds: following each of its answers would make the number jump.
  if (!good || good.code !== code || Math.abs(good.over - over) > 1500) good = { kind, code, over, life: state.life };
  tick();
}

function tick() {
  const { kind, over, life } = good ?? {};
  const left = kind ? Math.max(0, Math.ceil((over - performance.now()) / 1000)) : 0;
  fill("seconds", kind ? part("seconds").dataset[left ? kind : `${kind}Over`].replace("{seconds}", left) : "");
  show("bar", Boolean(kind && life));
  part("bar").max = life || 1;
  part("bar").value = left;
  // Without an answer nobody knows whether the code is still the one of now.
  if (!part("lost").hidden && !left) show("frame", false);
}
setInterval(tick, 250);

function draw(state) {
  const isOffer = state.phase === "offer";
  const isForm = isOffer && wantsNumber && state.by_number;
  ["start", "gone", "slow"].forEach((name) => show(name, false));
  show("live", true);
  part("live").dataset.phase = state.phase;
  fill("about", state.about);
  fill("text", isForm ? "" : state.text);
  fill("detail", isForm ? "" : state.detail);
  if (state.qr && part("qr").src !== state.qr) part("qr").src = state.qr;
  show("frame", state.qr);
  part("code").replaceChildren(...state.code.map((group) => Object.assign(document.createElement("span"), { textContent: group })));
  part("code").setAttribute("aria-label", [...state.code.join("")].join(" "));
  show("code", state.code.length);
  count(state);
  number = state.number || number;
  fill("whose", state.code.length && number ? part("whose").dataset.text.replace("{number}", number) : "");
  part("steps").replaceChildren(...state.steps.map((step) => Object.assign(document.createElement("li"), { textContent: step })));
  show("steps", state.steps.length);
  show("again", state.may_ask && !isForm);
  show("by-number", isOffer && state.by_number && !isForm);
  show("number", isForm);
  show("no-number", wantsNumber && !state.by_number && (isOffer || state.qr));
  if (state.problem) fill("problem", state.problem);
  fill("left", state.left);
}

// Draws an answer and returns what to send next; null when there is nothing more to follow.
async function tell(answer, next) {
  show("lost", answer.status >= 500);
  if (answer.status >= 500) return next;
  if (answer.status === 429) {
    fill(part("live").hidden ? "slow" : "problem", part("slow").textContent);
    opening(false);
    return part("live").hidden ? null : look;
  }
  if (!answer.ok) {
    ["start", "live", "number", "no-number", "slow"].forEach((name) => show(name, false));
    show("gone", true);
    return null;
  }
  const state = await answer.json();
  draw(state);
  if (state.phase === "linked") return null;
  // While the form is open nothing else begins by itself.
  return state.asks_by_itself && part("number").hidden ? askForCode : look;
}

const pause = () => new Promise((done) => { setTimeout(done, EVERY_MS); });
const untilSeen = () => new Promise((done) => {
  if (document.hidden) document.addEventListener("visibilitychange", done, { once: true });
  else done();
});

let following = 0;
async function follow(first) {
  const mine = ++following;
  let next = first;
  while (next) {
    try {
      const answer = await next();
      if (mine !== following) return;
      next = await tell(answer, next);
    } catch {
      show("lost", true);
    }
    await pause();
    // Nobody asks the gateway for codes that nobody looks at.
    await untilSeen();
    if (mine !== following) return;
  }
}

// A second tap before the cookie is there would be another browser's, to whom the link is used up.
const opening = (is) => ["show", "type"].forEach((name) => { part(name).disabled = is; });
function open(way) {
  opening(true);
  wantsNumber = way === "number";
  follow(() => send("open", { token, way, browser }));
}
function choose(wish, first) {
  wantsNumber = wish;
  follow(first);
}
part("show").addEventListener("click", () => open("qr"));
part("type").addEventListener("click", () => open("number"));
part("again").addEventListener("click", () => choose(false, askForCode));
part("instead").addEventListener("click", () => choose(false, askForCode));
part("by-number").addEventListener("click", () => choose(true, look));
part("number").addEventListener("submit", (event) => {
  event.preventDefault();
  fill("problem", "");
  const phone = part("phone").value;
  follow(() => send("number", { phone }));
});
if (!id) show("gone", true);
else if (token) show("start", true);
else follow(look);
