// Follows one hand-off. The link's token stands behind "#", which browsers never send by themselves.
"use strict";

const PATH = "/hand-off";
const EVERY_MS = 1000;
const [id, token] = location.hash.slice(1).split(".");
// Only the id stays in the address bar: a reload goes on by this browser's cookie.
history.replaceState(null, "", `${location.pathname}#${id}`);

const part = (name) => document.getElementById(name);
const sections = ["start", "live", "gone", "slow"];
const show = (name) => sections.forEach((one) => { part(one).hidden = one !== name; });

const send = (path, fields) => fetch(`${PATH}/${path}`, { method: "POST", body: new URLSearchParams({ id, ...fields }) });

function draw(state) {
  show("live");
  part("told").textContent = state.text;
  part("told").classList.toggle("good", state.phase === "linked");
  part("frame").hidden = !state.qr;
  if (state.qr && part("qr").src !== state.qr) part("qr").src = state.qr;
  part("code").hidden = !state.code;
  part("code").textContent = state.code;
  part("how").hidden = !state.how;
  part("how").textContent = state.how;
  part("again").hidden = !state.may_ask;
  part("left").textContent = state.left;
}

// Returns whether there is anything more to follow.
async function tell(answer) {
  part("lost").hidden = true;
  if (answer.status === 429) show("slow");
  else if (answer.status >= 500) part("lost").hidden = false;
  else if (!answer.ok) show("gone");
  else {
    const state = await answer.json();
    draw(state);
    return state.phase !== "linked";
  }
  return answer.status >= 500;
}

let following = 0;
async function follow(first) {
  const mine = ++following;
  let next = first;
  for (;;) {
    let goesOn = true;
    try {
      const answer = await next();
      if (mine !== following) return;
      goesOn = await tell(answer);
      if (answer.ok) next = () => send("state", {});
    } catch {
      part("lost").hidden = false;
    }
    if (!goesOn) return;
    await new Promise((done) => { setTimeout(done, EVERY_MS); });
    if (mine !== following) return;
  }
}

part("show").addEventListener("click", () => follow(() => send("open", { token })));
part("again").addEventListener("click", () => {
  part("again").hidden = true;
  follow(() => send("code", {}));
});
if (!id) show("gone");
else if (!token) follow(() => send("state", {}));
