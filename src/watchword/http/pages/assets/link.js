// A mailed link carries its token behind the #, which browsers send to nobody. It goes into the form from there, and out
// of the address bar and the history.
"use strict";
const match = /^#token=([\w-]+)$/.exec(location.hash);
if (match) {
  document.getElementById("token").value = match[1];
  document.getElementById("token-row").hidden = true;
  history.replaceState(null, "", location.pathname + location.search);
}
