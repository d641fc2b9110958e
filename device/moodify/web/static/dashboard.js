// All devices at a glance: who is there, how it feels, what plays, what needs somebody.

import { band } from "./bands.js";
import { WORDS } from "./charts.js";
import { $, clock, field, form, make, write } from "./parts.js";

export const title = "Devices";

const BANDS_MS = 300_000;
const SEARCH_FROM = 9;
const HOURS = 24;
const STATES = { online: "online", offline: "offline", new: "not heard of yet", revoked: "revoked" };

export function stateOf(device) {
  if (device.state === "offline") return `offline since ${clock(device.last_seen)}`;
  return STATES[device.state];
}

// What is wrong at a device, as [state, words].
export function troublesOf(device) {
  if (device.state !== "online") return [];
  const parts = [["Camera", device.camera], ["Speaker", device.speaker]]
    .filter(([, part]) => part && (part.state === "degraded" || part.state === "broken"))
    .map(([name, part]) => [part.state, `${name}: ${part.message ?? part.state}`]);
  return [...parts, ...(device.health?.reasons ?? []).map((reason) => ["degraded", reason])];
}

export function moodOf(device) {
  if (device.state !== "online" || !device.now) return { mood: "none", words: "" };
  if (device.privacy) return { mood: "none", words: "privacy" };
  const mood = device.now.override?.mood ?? device.now.mood;
  return mood ? { mood, words: WORDS[mood] ?? mood } : { mood: "none", words: "looking" };
}

function card() {
  const parts = {
    link: make("a", { class: "device-name" }),
    state: make("span", { class: "device-state" }),
    mood: make("p", { class: "device-mood" }),
    band: make("div"),
    song: make("p", { class: "device-song" }),
    troubles: make("ul", { class: "device-troubles" }),
  };
  const { link, state, mood, band: under, song, troubles } = parts;
  const shown = make("article", { class: "card device" }, make("div", { class: "device-top" }, make("h2", {}, link), state), mood, under, song, troubles);
  return { shown, parts };
}

function fill({ shown, parts }, device) {
  const { mood, words } = moodOf(device);
  shown.dataset.mood = mood;
  shown.dataset.state = device.state;
  parts.link.href = `#/device/${device.id}`;
  write(parts.link, device.name);
  write(parts.state, stateOf(device));
  parts.state.className = `device-state is-${device.state}`;
  write(parts.mood, words || "—");
  const { playing, title: song, artist } = device.now ?? {};
  write(parts.song, device.state !== "online" ? "" : song ? `${playing ? "Plays" : "Paused:"} ${song}${artist ? ` by ${artist}` : ""}` : "Silence");
  const troubles = troublesOf(device);
  parts.troubles.replaceChildren(...troubles.map(([state, text]) => make("li", { class: state }, text)));
}

export async function open(main, shell) {
  const cards = new Map();
  let devices = [];
  let total = 0;
  let bands = null;
  let wanted = "";

  const summary = make("p", { class: "quiet" });
  const search = field("Find a device", { type: "search", oninput: (event) => { wanted = event.target.value.trim().toLowerCase(); show(); } });
  search.hidden = true;
  const grid = make("div", { class: "devices" });
  const none = make("section", { class: "card narrow", hidden: true }, make("h2", {}, "No device yet"), make("p", {}, "On a device, run ", make("code", {}, "moodify device enroll"), ". It finds this hub and shows one line to paste here."));
  const enrolling = shell.me.role === "owner" ? enrol(shell) : null;
  main.replaceChildren(make("div", { class: "view-top" }, make("div", {}, make("h1", {}, "Devices"), summary), search), none, grid, ...(enrolling ? [enrolling] : []));

  function show() {
    const counts = Object.keys(STATES).map((state) => [devices.filter((device) => device.state === state).length, STATES[state]]).filter(([count]) => count);
    const beyond = total > devices.length ? `; the first ${devices.length} of ${total}, by name` : "";
    write(summary, counts.map(([count, words]) => `${count} ${words}`).join(", ") + beyond);
    none.hidden = devices.length > 0;
    search.hidden = devices.length < SEARCH_FROM;
    const found = devices.filter(({ name, id }) => !wanted || name.toLowerCase().includes(wanted) || id.includes(wanted));
    for (const id of [...cards.keys()]) if (!devices.some((device) => device.id === id)) cards.delete(id);
    const order = found.map((device) => {
      if (!cards.has(device.id)) {
        cards.set(device.id, card());
        showBand(device.id);
      }
      fill(cards.get(device.id), device);
      return cards.get(device.id).shown;
    });
    if (order.length !== grid.children.length || order.some((shown, at) => grid.children[at] !== shown)) grid.replaceChildren(...order);
  }

  function showBand(id) {
    const moods = bands?.bands[id];
    if (moods) cards.get(id)?.parts.band.replaceChildren(band({ from: bands.from, to: bands.to, moods }));
  }

  async function askBands() {
    try {
      bands = await shell.ask("GET", `/api/bands?hours=${HOURS}`);
      for (const id of cards.keys()) showBand(id);
    } catch (problem) {
      // The frame says where the hub does not answer; a band that is missing hides nothing else.
      if (problem.status !== 401) console.warn(problem.detail);
    }
  }

  const known = new Map();
  const leave = shell.onNow((now) => {
    ({ devices, total } = now);
    for (const { id, name, state } of devices) {
      if (known.has(id) && known.get(id) !== state) write($("said"), `${name} is ${STATES[state]}.`);
      known.set(id, state);
    }
    show();
  });
  await askBands();
  const again = setInterval(askBands, BANDS_MS);
  return () => {
    leave();
    clearInterval(again);
  };
}

// The line that `moodify device enroll` shows: moodify hub enroll m-… KEY.
function readLine(line) {
  const found = /^(?:.*\benroll\s+)?([A-Za-z0-9._-]{1,64})\s+(\S[\s\S]*)$/.exec(line.trim());
  return found ? { id: found[1], public_key: found[2].trim() } : null;
}

function enrol(shell) {
  const line = field("The line that the device shows", { name: "line", required: true, rows: 3, spellcheck: "false", autocomplete: "off" }, "It begins with moodify hub enroll, and holds no secret.");
  const name = field("Name", { name: "name", maxlength: 80, autocomplete: "off", placeholder: "Kitchen" });
  const shown = form(
    "Let it in",
    async ({ line: said, name: called }) => {
      const read = readLine(said);
      if (!read) throw Object.assign(new Error(), { detail: "This is not the line. Copy it whole from what moodify device enroll shows: it has the device’s id, as m-…, and its key." });
      const device = await shell.ask("POST", "/v1/devices", { ...read, ...(called.trim() ? { name: called.trim() } : {}) });
      shown.reset();
      return `${device.name} may come in.`;
    },
    line,
    name,
  );
  return make("details", { class: "card" }, make("summary", {}, "Let a device in"), make("p", { class: "quiet" }, "On the device, run ", make("code", {}, "moodify device enroll"), ". Compare the hub’s fingerprint that it shows, then paste its line here."), shown);
}
