// Fetches the page again every few seconds and puts its regions in the place of the old ones.
"use strict";

const PAUSE_MS = 3000;
const connection = document.getElementById("connection");
let lostSince = null;

function replaceRegions(fresh) {
  const focused = document.activeElement && document.activeElement.id;
  for (const region of document.querySelectorAll("[data-region]")) {
    const next = fresh.querySelector(`[data-region="${region.dataset.region}"]`);
    if (!next || next.innerHTML === region.innerHTML) continue;
    const open = [...region.querySelectorAll("details[open]")].map((it) => it.id);
    region.innerHTML = next.innerHTML;
    for (const id of open) {
      const details = document.getElementById(id);
      if (details) details.open = true;
    }
  }
  document.title = fresh.title;
  const again = focused && document.getElementById(focused);
  if (again && again !== document.activeElement) again.focus({ preventScroll: true });
}

function found() {
  lostSince = null;
  connection.hidden = true;
}

function lost() {
  lostSince = lostSince || new Date();
  connection.querySelector("time").textContent = lostSince.toLocaleTimeString();
  connection.hidden = false;
  document.title = "no answer - trim";
}

async function refresh() {
  if (document.hidden) return;
  try {
    const answer = await fetch("/", { cache: "no-store", signal: AbortSignal.timeout(10000) });
    if (answer.redirected) {
      // The login has ended.
      location.assign(answer.url);
      return;
    }
    if (!answer.ok) throw new Error(answer.statusText);
    replaceRegions(new DOMParser().parseFromString(await answer.text(), "text/html"));
    found();
  } catch {
    lost();
  }
}

async function keepFresh() {
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    await refresh();
  }
}

keepFresh();
