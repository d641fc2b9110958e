// One device: how it is, how its day was, what it may be told to do, and what happened.

import { band, table, told } from "./bands.js";
import { FELT, WORDS } from "./charts.js";
import { moodOf, stateOf, troublesOf } from "./dashboard.js";
import { choice, clock, field, form, make, percent, press, sure, tell, write } from "./parts.js";

export const title = "Device";

const BAND_MS = 300_000;
const EVENTS_SHOWN = 20;
const WAIT_S = 20;
const GOALS = { match: "match the mood", lift: "lift it", calm: "calm it" };
const COMMANDS = { rescan: "Look again", pause: "Pause", resume: "Go on", privacy: "Privacy on", mood: "Mood", volume: "Volume", goal: "Goal", diagnostics: "Diagnostics" };
const ENDED = { waiting: "waiting", ok: "done", error: "failed", expired: "no answer in time" };

export async function open(main, shell, [id]) {
  if (!id) {
    shell.go("#/devices");
    return null;
  }
  let device = await shell.ask("GET", `/api/devices/${encodeURIComponent(id)}`);
  const path = `/api/devices/${encodeURIComponent(device.id)}`;
  const isOwner = shell.me.role === "owner";

  const name = make("h1", {});
  const key = make("p", { class: "quiet" });
  const state = make("span", { class: "device-state" });
  const room = make("section", { class: "card" });
  const health = make("section", { class: "card" });
  const past = back(shell, path);
  const events = lately(shell, path);
  const orders = isOwner && device.state !== "revoked" ? ordering(shell, device.id) : null;
  main.replaceChildren(
    make("div", { class: "view-top" }, make("div", {}, make("p", {}, make("a", { href: "#/devices" }, "Devices")), name, key), state),
    make(
      "div",
      { class: "columns" },
      make("div", { class: "stack" }, room, past.shown, events.shown),
      make("div", { class: "stack" }, ...(orders ? [orders.shown] : []), health, ...(isOwner ? [leaving(shell, device)] : [])),
    ),
  );

  function show() {
    document.title = `${device.name} · Moodify hub`;
    write(name, device.name);
    // One without a name is called by its id.
    write(key, device.name === device.id ? "" : device.id);
    main.dataset.mood = moodOf(device).mood;
    state.className = `device-state is-${device.state}`;
    write(state, stateOf(device));
    drawRoom(room, device);
    drawHealth(health, device);
  }

  show();
  await Promise.all([past.draw(), events.draw(), orders?.draw()]);
  let shown = JSON.stringify(device);
  const leave = shell.onNow(({ devices }) => {
    const newest = devices.find((one) => one.id === device.id);
    if (!newest || JSON.stringify(newest) === shown) return;
    const moved = newest.now?.mood !== device.now?.mood || newest.now?.title !== device.now?.title || newest.state !== device.state;
    device = newest;
    shown = JSON.stringify(newest);
    show();
    if (moved) {
      events.draw();
      past.draw();
    }
  });
  const again = setInterval(past.draw, BAND_MS);
  return () => {
    leave();
    clearInterval(again);
    delete main.dataset.mood;
  };
}

function drawRoom(card, device) {
  const { words } = moodOf(device);
  const now = device.now;
  const there = device.state === "online" && now;
  const detail = !there
    ? device.state === "new" ? "It has not come in yet. Once Moodify runs on it, this takes a minute; if it takes longer, its own page says why under Health. If its line was wrong, shut it out here and let it in anew." : device.state === "revoked" ? "It may not come in any more; what it said is kept." : `Something of it was last heard ${clock(device.last_seen)}. Look whether it has power and network.`
    : now.override ? `Named from afar until ${clock(now.override.until)}` : now.mood && now.since ? [FELT.includes(now.mood) && now.confidence !== null ? `${percent(now.confidence)} sure` : null, `since ${clock(now.since)}`, people(now.people)].filter(Boolean).join(", ") : "";
  card.replaceChildren(
    make("h2", { class: "unseen" }, "Now"),
    make("p", { class: "device-mood" }, there ? words : "—"),
    make("p", { class: "quiet" }, detail),
    ...(there
      ? [
          make("p", { class: "title" }, now.title ?? "Silence"),
          make("p", { class: "quiet" }, [now.title && !now.playing ? "Paused" : null, now.artist].filter(Boolean).join(" · ")),
          ...(now.reason ? [make("blockquote", { class: "why" }, make("span", { class: "label" }, "Why"), now.reason)] : []),
          ...(now.next ? [make("p", { class: "next" }, make("span", { class: "label" }, "Next"), now.next)] : []),
        ]
      : []),
  );
}

function people(count) {
  return count === null || count === undefined ? null : count === 1 ? "one person" : `${count} people`;
}

function drawHealth(card, device) {
  const { health, spotify, camera, speaker } = device;
  const troubles = troublesOf(device);
  const facts = [
    ["Camera", camera && `${camera.state}: ${camera.message ?? ""}`],
    ["Speaker", speaker && `${speaker.state}: ${speaker.message ?? ""}`],
    ["Spotify", spotify && (spotify.ended ? "the sign-in has ended" : spotify.ends && `signed in until ${spotify.ends}`)],
    ["Free disk", health?.disk_free_mb != null && (health.disk_free_mb >= 1000 ? `${(health.disk_free_mb / 1000).toFixed(1)} GB` : `${health.disk_free_mb} MB`)],
    ["Temperature", health?.temperature_c != null && `about ${health.temperature_c} °C`],
    ["Still to send", health?.outbox && `${health.outbox.waiting ?? 0} messages${health.outbox.lost ? `, ${health.outbox.lost} lost` : ""}`],
    ["Version", device.version],
  ].filter(([, value]) => value);
  card.replaceChildren(
    make("h2", {}, "Health"),
    troubles.length ? make("ul", { class: "complaints" }, ...troubles.map(([state, words]) => make("li", { class: state }, words))) : make("p", { class: "quiet" }, device.state === "online" ? "All is well." : facts.length ? "As it last said:" : "It has not said yet how it is."),
    ...(facts.length ? [make("dl", { class: "facts" }, ...facts.flatMap(([name, value]) => [make("dt", {}, name), make("dd", {}, value)]))] : []),
  );
}

// How the last day or week felt, and what was heard.
function back(shell, path) {
  let hours = 24;
  const at = make("div", { class: "stack" });
  const pick = (words, count) => make("button", { class: "button small", "aria-pressed": String(count === hours), onclick: () => { hours = count; for (const one of choices.children) one.setAttribute("aria-pressed", String(one.textContent === words)); draw(); } }, words);
  const choices = make("div", { class: "choices", role: "group", "aria-label": "How far back" }, pick("A day", 24), pick("A week", 168));
  const details = make("details", { ontoggle: () => { if (details.open && last) details.replaceChildren(details.firstChild, table(last)); } }, make("summary", {}, "As a table"));
  let last = null;

  async function draw() {
    try {
      last = await shell.ask("GET", `${path}/moods?hours=${hours}`);
    } catch (problem) {
      at.replaceChildren(make("p", { class: "answer failed" }, problem.detail ?? "This could not be drawn. Reload the page."));
      return;
    }
    const used = [...new Set(last.moods.map(({ mood }) => mood))];
    const drawn = band(last, { marks: true });
    drawn.classList.toggle("with-songs", last.songs.length > 0);
    at.replaceChildren(
      drawn,
      make("p", { class: "quiet" }, `${told(last.moods)}${last.songs.length ? `; ${last.songs.length} ${last.songs.length === 1 ? "song" : "songs"}` : ""}.`),
      make("ul", { class: "legend" }, ...used.map((mood) => make("li", { "data-mood": mood }, make("i", { "aria-hidden": "true" }), WORDS[mood] ?? mood))),
    );
    if (details.open) details.replaceChildren(details.firstChild, table(last));
  }

  return { shown: make("section", { class: "card stack" }, make("div", { class: "device-top" }, make("h2", {}, "Looking back"), choices), at, details), draw };
}

function lately(shell, path) {
  const list = make("ol", { class: "event-list" });
  const older = make("button", { class: "button small", hidden: true }, "Older");
  const answer = make("p", { class: "answer", role: "status" });
  const line = ({ at, text }) => make("li", {}, make("time", { datetime: at }, clock(at)), make("span", {}, text));
  let next = null;

  async function draw() {
    const found = await shell.ask("GET", `${path}/events?limit=${EVENTS_SHOWN}`);
    next = found.next;
    older.hidden = next === null;
    list.replaceChildren(...(found.events.length ? found.events.map(line) : [make("li", { class: "quiet" }, "It has not sent anything yet.")]));
  }

  press(older, answer, async () => {
    const found = await shell.ask("GET", `${path}/events?limit=${EVENTS_SHOWN}&before=${next}`);
    next = found.next;
    older.hidden = next === null;
    list.append(...found.events.map(line));
  });
  return { shown: make("section", { class: "card after" }, make("h2", {}, "Lately"), list, older, answer), draw };
}

// What the device may be told to do; each order with its answer.
function ordering(shell, id) {
  const list = make("ul", { class: "rows" });
  const answer = make("p", { class: "answer", role: "status" });

  async function give(name, args = {}) {
    tell(answer, `${COMMANDS[name]}: on its way …`);
    let order = await shell.ask("POST", `/v1/devices/${id}/commands`, { name, args });
    await draw();
    order = await shell.ask("GET", `/v1/commands/${order.id}?wait_s=${WAIT_S}`);
    await draw();
    if (order.state === "error") throw Object.assign(new Error(), { detail: `${COMMANDS[name]}: ${order.error}` });
    return order.state === "ok" ? `${COMMANDS[name]}: done.` : `${COMMANDS[name]}: no answer yet. It is offered until ${clock(order.expires)}.`;
  }

  const one = (name) => press(make("button", { class: "button" }, COMMANDS[name]), answer, () => give(name));
  const mood = choice("Take this for the mood", [...FELT.map((name) => [name, WORDS[name]]), ["", "none: look for itself"]], "calm");
  const volume = field("Volume", { type: "number", min: 0, max: 100, value: 40, inputmode: "numeric" });
  const goal = choice("What music is for", [...Object.entries(GOALS), ["", "as configured"]], "match");
  const beside = (shown, act) => make("div", { class: "with-button" }, shown, press(make("button", { class: "button", "aria-label": `Send: ${shown.firstChild.textContent}` }, "Send"), answer, act));

  async function draw() {
    const { commands } = await shell.ask("GET", `/v1/devices/${id}/commands?limit=8`);
    list.replaceChildren(...commands.map((order) => make("li", {}, make("span", { class: "grow" }, COMMANDS[order.name] ?? order.name, made(order)), make("span", { class: "quiet" }, `${ENDED[order.state]}, ${clock(order.answered ?? order.created)}`))));
  }

  return {
    shown: make(
      "section",
      { class: "card stack" },
      make("h2", {}, "Tell it"),
      make("div", { class: "orders" }, ...["rescan", "pause", "resume", "privacy"].map(one)),
      beside(mood, () => give("mood", { mood: mood.input.value || null })),
      beside(volume, () => give("volume", { percent: Number(volume.input.value) })),
      beside(goal, () => give("goal", { goal: goal.input.value || null })),
      one("diagnostics"),
      answer,
      make("p", { class: "hint" }, "Its owner says on the device which of these it takes (link.commands). Privacy is only turned off at the device."),
      list,
    ),
    draw,
  };
}

function made(order) {
  if (order.state === "error") return make("p", { class: "answer failed" }, order.error);
  const data = Object.entries(order.data ?? {});
  if (!data.length) return null;
  return make("details", {}, make("summary", {}, "What it answered"), make("dl", { class: "facts" }, ...data.flatMap(([name, value]) => [make("dt", {}, name), make("dd", {}, typeof value === "string" ? value : JSON.stringify(value))])));
}

function leaving(shell, device) {
  const answer = make("p", { class: "answer", role: "status" });
  const button = make("button", { class: "button danger", disabled: device.state === "revoked" }, "Shut it out");
  press(button, answer, async () => {
    if (!(await sure(`Shut ${device.name} out? It is cut off at once, and must be let in anew. What it said is kept.`, "Shut it out"))) return null;
    await shell.ask("DELETE", `/v1/devices/${device.id}`, {});
    shell.say(`${device.name} is shut out.`);
    shell.go("#/devices");
    return null;
  });
  const called = field("Name", { name: "name", required: true, maxlength: 80, autocomplete: "off", value: device.name });
  const naming = form(
    "Call it so",
    async ({ name }) => {
      const renamed = await shell.ask("PATCH", `/v1/devices/${device.id}`, { name: name.trim() || device.id });
      device.name = renamed.name;
      return `It is called ${renamed.name}.`;
    },
    called,
  );
  return make("section", { class: "card stack after" }, make("h2", {}, "This hub and it"), naming, make("p", { class: "quiet" }, device.state === "revoked" ? "It was shut out." : "A device that was lost or given away."), make("div", { class: "form-end" }, button), answer);
}
