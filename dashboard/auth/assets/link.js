// The link's token stands behind "#", which browsers never send by themselves: hand it over in the form's body.
"use strict";

const form = document.getElementById("exchange");
const token = location.hash.slice(1);
// Out of the address bar and the history before anything else happens.
history.replaceState(null, "", location.pathname + location.search);
if (token) {
  form.elements.namedItem("token").value = token;
  form.submit();
} else {
  document.getElementById("waiting").hidden = true;
  document.getElementById("incomplete").hidden = false;
}
