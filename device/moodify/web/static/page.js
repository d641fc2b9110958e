// The page on the device: which views there are, and what the frame around them shows of the room.

import { $, make, toldHere, write } from "./parts.js";
import { start } from "./shell.js";

const PARTS = { camera: "Camera", speaker: "Speaker", link: "Link" };
const STATES = { ok: "ok", degraded: "limited", broken: "broken", off: "off", starting: "starting" };

// Spotify sends the browser back to the page itself; its address is read where signing in goes on.
const sentBack = new URLSearchParams(location.search);
if (sentBack.has("state") && (sentBack.has("code") || sentBack.has("error"))) location.hash = "#/setup/spotify";

const shell = start({
  brand: "Moodify",
  music: true,
  signedInStream: "/api/stream",
  views: [
    { path: "now", name: "Now", icon: "M3 12h4l3-8 4 16 3-8h4", load: () => import("./now.js") },
    { path: "history", name: "History", icon: "M3 3v18h18M7 15l4-5 3 3 6-8", load: () => import("./history.js") },
    { path: "health", name: "Health", icon: "M12 20s-8-4.6-8-10.3A4.5 4.5 0 0 1 12 7a4.5 4.5 0 0 1 8 2.7C20 15.4 12 20 12 20z", load: () => import("./health.js") },
    { path: "setup", name: "Set-up", icon: "M4 7h10M18 7h2M4 17h2M10 17h10M16 4.5v5M8 14.5v5", owner: true, load: () => import("./setup.js") },
    { path: "people", name: "People", icon: "M16 20v-2a4 4 0 0 0-4-4H7a4 4 0 0 0-4 4v2M9.5 10a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7M21 20v-2a4 4 0 0 0-3-3.9M15.5 3.2a3.5 3.5 0 0 1 0 6.6", load: () => import("./people.js") },
    { path: "skin", name: "Your skin", hidden: true, under: "people", load: () => import("./skin.js") },
  ],
});

function showHealth(now) {
  const parts = Object.entries(PARTS).map(([part, name]) => ({ name, ...now[part] }));
  const shown = JSON.stringify(parts);
  if ($("health").dataset.shown === shown) return;
  $("health").dataset.shown = shown;
  $("health").replaceChildren(
    ...parts.map(({ name, state, message }) =>
      make("li", { class: state, title: message }, make("span", { class: "mark", "aria-hidden": "true" }), name, make("span", { class: "state" }, STATES[state])),
    ),
  );
  $("troubles").replaceChildren(
    ...parts
      .filter(({ state }) => state === "degraded" || state === "broken")
      .map(({ name, state, message }) => make("li", { class: state }, make("strong", {}, `${name}: `), ...toldHere(message, shell.me?.role === "owner"))),
  );
}

shell.onNow((now) => {
  document.documentElement.dataset.mood = now.mood ? now.mood.mood : "none";
  document.body.classList.toggle("playing", now.music.playing);
  showHealth(now);
  $("demo").hidden = !now.demo;
  write($("device"), `${now.device} · Moodify ${now.version}`);
});
