// How the appliance is, in full; and for owners what is kept: diagnostics, backup, erasing.

import { fetched } from "./fetched.js";
import { day, field, form, make, sentence, sure, toldHere } from "./parts.js";

export const title = "Health";

const FRESH_MS = 15_000;
const STATES = { ok: "ok", degraded: "limited", broken: "needs somebody", off: "off", starting: "starting" };

const number = (value, digits = 0) => value.toLocaleString([], { maximumFractionDigits: digits });

function ago(seconds) {
  const [days, hours, minutes] = [Math.floor(seconds / 86_400), Math.floor(seconds / 3_600) % 24, Math.floor(seconds / 60) % 60];
  return days ? `${days} d ${hours} h` : hours ? `${hours} h ${minutes} min` : `${minutes} min`;
}

function room(megabytes) {
  return megabytes >= 1_000 ? `${number(megabytes / 1_000, 1)} GB` : `${number(megabytes)} MB`;
}

function card(id, words, ...children) {
  return make("section", { class: "card", "aria-labelledby": id }, make("h2", { id, class: "label" }, words), ...children);
}

// Rows of [name, value, note, state]; what is null is left out.
function facts(...rows) {
  return make(
    "dl",
    { class: "states" },
    ...rows.filter(Boolean).map(([name, value, note = "", state = null]) =>
      make("div", { class: state }, make("dt", {}, name), make("dd", {}, state ? make("span", { class: "mark", "aria-hidden": "true" }) : null, value), note.length ? make("dd", { class: "note" }, ...[note].flat()) : null),
    ),
  );
}

function meter(words, value, most, note) {
  return make(
    "div",
    { class: "meter-row" },
    make("p", {}, words, make("span", { class: "quiet" }, note)),
    make("meter", { min: 0, max: most, value: Math.min(value, most), "aria-label": `${words}: ${note}` }),
  );
}

function parts({ parts: { camera, speaker }, models, privacy }, owner) {
  const row = (name, { state, message }) => [name, STATES[state], toldHere(message, owner), state];
  return card(
    "parts-title", "Parts",
    facts(row("Camera", camera), row("Speaker", speaker), ["Models", models.length ? models.join(", ") : "none are loaded", privacy ? "at rest: privacy is on" : ""]),
  );
}

function spotify(told, owner) {
  if (told === null) return card("spotify-title", "Spotify", make("p", { class: "quiet" }, "The simulated speaker plays."));
  const { state, usable, days_left: left, ends, message, requests } = told;
  const soon = left !== null && left <= 14;
  return card(
    "spotify-title", "Spotify",
    facts(
      ["Sign-in", state, toldHere(state === "not signed in" ? "sign in with: moodify spotify login" : message, owner), usable ? (soon || message ? "degraded" : "ok") : state === "not signed in" ? "off" : "broken"],
      left === null ? null : ["Ends", left > 0 ? `in ${left} ${left === 1 ? "day" : "days"}` : "today", ends ? new Date(`${ends}T12:00`).toLocaleDateString([], { day: "numeric", month: "long", year: "numeric" }) : ""],
      requests && requests.shut_s > 0 ? ["Requests", `wait ${ago(requests.shut_s + 59)}`, "Spotify wants to be left alone until then; what plays goes on.", "degraded"] : null,
    ),
    requests ? meter("Asked unasked, in the last hour", requests.unasked, requests.per_hour, ` ${requests.unasked} of ${requests.per_hour}`) : null,
    requests ? make("p", { class: "quiet" }, `And ${requests.asked} ${requests.asked === 1 ? "time" : "times"} because somebody pressed, which is always let through.`) : null,
  );
}

function machine({ machine: read, clock, running_s: running, system, version }) {
  const throttled = read?.throttled;
  return card(
    "machine-title", "Machine",
    facts(
      read ? ["Free on the disk", room(read.disk_free_mb)] : null,
      read && read.temperature_c !== null ? ["Temperature", `${number(read.temperature_c)} °C`, read.temperature_c >= 80 ? "Give it air: it is slowed from 80 °C on." : "", read.temperature_c >= 80 ? "degraded" : "ok"] : null,
      read ? ["Throttling", throttled === null || throttled === undefined ? "this machine does not say" : throttled.length ? throttled.join(", ") : "none", "", throttled?.length ? "degraded" : null] : null,
      ["Clock", day(clock.now), clock.trusted ? "" : "It can’t be trusted yet: connect the network, so that it is set.", clock.trusted ? "ok" : "degraded"],
      read ? ["Memory", `${number(read.rss_mb)} MB`, `${number(read.rss_anon_mb)} MB of it its own`] : null,
      ["Running for", ago(running), read ? `the machine for ${ago(read.uptime_s)}` : ""],
      ["Version", version, system],
    ),
    read ? null : make("p", { class: "quiet" }, "The machine was not looked at yet; it is every few minutes."),
  );
}

function outbox({ outbox: counts, parts: { link } }) {
  return card(
    "link-title", "Link",
    facts(
      ["To the hub", STATES[link.state], sentence(link.message), link.state],
      counts ? ["Waiting to be sent", number(counts.waiting), counts.waiting ? "They go as soon as the broker is reached." : ""] : null,
      counts && counts.merged ? ["Told as summaries", number(counts.merged), "There was no room for each."] : null,
      counts && counts.lost ? ["Lost", number(counts.lost), "There was no room while the broker was away. Set store.outbox_mb higher.", "degraded"] : null,
      counts && counts.refused ? ["Refused", number(counts.refused), "The broker takes none like them; the log says why.", "degraded"] : null,
    ),
  );
}

// What an owner may take along or take away.

function erasing(main, shell) {
  const password = field("Your password", { name: "password", type: "password", autocomplete: "current-password", required: true, maxlength: 256 });
  const erase = form(
    "Erase everything",
    async ({ password: typed }) => {
      if (!(await sure("Erase history, taste, songs, settings, accounts, keys and sign-ins? Nobody can bring them back.", "Erase everything"))) return "Nothing was erased.";
      const { message } = await shell.ask("POST", "/api/erase", { password: typed });
      main.replaceChildren(make("section", { class: "card narrow", role: "status" }, make("h1", {}, "Everything is being erased"), make("p", {}, message)));
      return "";
    },
    // So that a password manager knows whose it is.
    make("input", { type: "email", name: "username", autocomplete: "username", value: shell.me.email, hidden: true }),
    password,
  );
  erase.querySelector("button").className = "button danger";
  return make(
    "details",
    { class: "erase" },
    make("summary", {}, "Erase everything"),
    make("p", {}, "History, taste, songs, settings, accounts, the device’s key and all sign-ins go, here and at its hub; the hub and a broker are told where they can be reached. Moodify restarts as a new device. Backups that you made and the configuration file stay."),
    erase,
  );
}

function data(main, shell) {
  const answer = make("p", { class: "answer", role: "status" });
  return card(
    "data-title", "Your data",
    make("p", {}, "A backup holds history, taste, songs and settings, but no keys, accounts and sign-ins: it is for moodify restore. Diagnostics are for somebody who helps you: no secrets, no moods, no songs."),
    make("div", { class: "form-end" }, ...[["Backup", "/api/backup"], ["Diagnostics", "/api/diagnostics"]].map(([words, path]) => fetched(words, path, shell, answer, "Your browser is fetching it. A long history takes a while."))),
    answer,
    erasing(main, shell),
  );
}

function summary({ reasons, parts: all, demo }) {
  const worst = ["broken", "degraded"].find((state) => Object.values(all).some((part) => part.state === state));
  if (worst === "broken") return "Something needs somebody.";
  return worst || reasons.length ? "It works, and something is missing." : demo ? "All is well, for a demo: sample pictures and the simulated speaker stand in." : "All is well.";
}

export async function open(main, shell) {
  const head = make("header", { class: "history-head" });
  const cards = make("div", { class: "health-cards" });
  const owner = shell.me?.role === "owner";
  const show = (told) => {
    head.replaceChildren(make("div", {}, make("h1", {}, "Health"), make("p", { class: "quiet", role: "status" }, summary(told))));
    cards.replaceChildren(
      ...(told.reasons.length ? [make("ul", { class: "troubles wide" }, ...told.reasons.map((reason) => make("li", {}, reason)))] : []),
      parts(told, owner), spotify(told.spotify, owner), machine(told), outbox(told),
    );
  };
  let shown = "";
  const look = async () => {
    const told = await shell.ask("GET", "/api/health");
    const text = JSON.stringify(told);
    if (text !== shown) show(told);
    shown = text;
  };
  await look();
  main.replaceChildren(head, cards, owner ? make("div", { class: "health-cards" }, data(main, shell)) : "");
  const timer = setInterval(() => { if (!document.hidden && cards.isConnected) look().catch(() => {}); }, FRESH_MS);
  return () => clearInterval(timer);
}
