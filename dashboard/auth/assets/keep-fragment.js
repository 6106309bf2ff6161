// Browsers never send what stands behind "#". Take it along over a sign-in, and to the same text in another language.
"use strict";

for (const next of document.querySelectorAll("input[name=next]")) {
  next.value += location.hash;
}
for (const link of document.querySelectorAll("a[data-keep-fragment]")) {
  link.addEventListener("click", () => { link.hash = location.hash; });
}
for (const provider of document.querySelectorAll("a[href*='/sign-in/provider']")) {
  if (!location.hash) break;
  const address = new URL(provider.href);
  address.searchParams.set("next", (address.searchParams.get("next") || "/") + location.hash);
  provider.href = address.href;
}
