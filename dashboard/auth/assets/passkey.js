// Passkeys: pass a form's options to the browser's authenticator, and its answer to the server in the form.
"use strict";

const BINARY = ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"];

function decode(text) {
  return Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (sign) => sign.charCodeAt(0));
}

function encode(buffer) {
  const text = btoa(String.fromCharCode(...new Uint8Array(buffer)));
  return text.replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}

// Browsers before 2025 have neither parseRequestOptionsFromJSON nor toJSON.
function optionsOf(form) {
  const options = JSON.parse(form.dataset.passkey);
  options.challenge = decode(options.challenge);
  if (options.user) options.user.id = decode(options.user.id);
  for (const one of [...(options.allowCredentials || []), ...(options.excludeCredentials || [])]) {
    one.id = decode(one.id);
  }
  return options;
}

function answerOf(credential) {
  const { id, rawId, type, response } = credential;
  const parts = { transports: response.getTransports ? response.getTransports() : undefined };
  for (const name of BINARY) {
    if (response[name]) parts[name] = encode(response[name]);
  }
  return JSON.stringify({ id, rawId: encode(rawId), type, response: parts });
}

function showProblem(form, name) {
  const problems = [...form.querySelectorAll("[data-failed]")];
  for (const problem of problems) problem.hidden = true;
  (problems.find((one) => one.dataset.failed === name) || problems.at(-1)).hidden = false;
}

async function submitWithPasskey(event) {
  event.preventDefault();
  const form = event.target;
  try {
    const request = { publicKey: optionsOf(form) };
    const credential = await (form.dataset.create
      ? navigator.credentials.create(request)
      : navigator.credentials.get(request));
    form.elements.namedItem("credential").value = answerOf(credential);
  } catch (error) {
    showProblem(form, error.name);
    return;
  }
  const remember = document.querySelector("input[type=checkbox][name=remember]");
  if (remember && remember.checked) {
    form.append(Object.assign(document.createElement("input"), { type: "hidden", name: "remember", value: "yes" }));
  }
  form.submit();
}

for (const form of document.querySelectorAll("form[data-passkey]")) {
  form.hidden = false;
  form.addEventListener("submit", submitWithPasskey);
}
