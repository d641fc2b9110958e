// How a span of time felt, as a band: drawn, and told in words.

import { UNSEEN, WORDS, long, timeOf } from "./charts.js";
import { draw, make } from "./parts.js";

const HOUR_MS = 3_600_000;
const WIDTH = 1000;
const HEIGHT = 26;

// In words, the longest first: "calm for 4 h, happy for 50 min".
export function told(moods) {
  const spent = new Map();
  for (const { mood, from, to } of moods) spent.set(mood, (spent.get(mood) ?? 0) + (Date.parse(to) - Date.parse(from)));
  const words = [...spent].sort((one, other) => other[1] - one[1]).map(([mood, ms]) => `${WORDS[mood] ?? mood} for ${long(ms)}`);
  return words.length ? words.join(", ") : "no mood is known";
}

// A band over {from, to, moods, unseen, songs}; `marks` draws hours or days and songs below it.
export function band({ from, to, moods, unseen = [], songs = [] }, { marks = false } = {}) {
  const [begins, ends] = [Date.parse(from), Date.parse(to)];
  const x = (at) => Math.round(((Date.parse(at) - begins) / (ends - begins)) * WIDTH * 10) / 10;
  const part = (one, more, words) => draw("rect", { x: x(one.from), width: Math.max(0.8, x(one.to) - x(one.from)), y: 0, height: HEIGHT, ...more }, draw("title", {}, `${words}, ${timeOf(one.from)} to ${timeOf(one.to)}`));
  const below = songs.length > 0 ? 12 : 0;
  return make(
    "div",
    { class: "band-frame" },
    draw(
      "svg",
      { class: "band", viewBox: `0 0 ${WIDTH} ${HEIGHT + below}`, preserveAspectRatio: "none", role: "img", "aria-label": `How it felt from ${timeOf(begins)} to ${timeOf(ends)}: ${told(moods)}` },
      draw("rect", { class: "band-base", width: WIDTH, height: HEIGHT }),
      ...unseen.filter(({ why }) => why === "privacy").map((one) => part(one, { class: "private" }, UNSEEN[one.why])),
      ...moods.map((one) => part(one, { class: "felt", "data-mood": one.mood }, WORDS[one.mood] ?? one.mood)),
      ...songs.map((one) => draw("rect", { class: "song", x: x(one.from), width: Math.max(1, x(one.to) - x(one.from) - 1), y: HEIGHT + 5, height: 6 }, draw("title", {}, `${one.title} by ${one.artist}, ${timeOf(one.from)}`))),
    ),
    marks ? ticks(begins, ends) : null,
  );
}

function ticks(begins, ends) {
  const days = ends - begins > 30 * HOUR_MS;
  const first = new Date(begins);
  first.setHours(days ? 24 : Math.ceil((first.getHours() + 1) / 6) * 6, 0, 0, 0);
  const line = draw("svg", { class: "band-ticks", "aria-hidden": "true" });
  for (const at = first; at.getTime() < ends; at.setHours(at.getHours() + (days ? 24 : 6))) {
    const share = ((at.getTime() - begins) / (ends - begins)) * 100;
    if (share < 3 || share > 97) continue;
    line.append(draw("text", { x: `${share}%`, y: 14 }, days ? at.toLocaleDateString([], { weekday: "short" }) : timeOf(at)));
  }
  return line;
}

// The same as a table, for who does not see the band, or wants to know exactly.
export function table({ moods, unseen, songs }) {
  const rows = [
    ...moods.map((one) => ({ ...one, what: WORDS[one.mood] ?? one.mood, more: `${Math.round(one.confidence * 100)}% sure` })),
    ...unseen.map((one) => ({ ...one, what: UNSEEN[one.why] ?? one.why, more: "" })),
    ...songs.map((one) => ({ ...one, what: `${one.title} by ${one.artist}`, more: one.reason ?? "" })),
  ].sort((one, other) => Date.parse(other.from) - Date.parse(one.from));
  return make(
    "div",
    { class: "table-frame", tabindex: "0", role: "region", "aria-label": "Moods and music as a table" },
    make(
      "table",
      {},
      make("thead", {}, make("tr", {}, ...["From", "For", "What", ""].map((name) => make("th", { scope: "col" }, name)))),
      make("tbody", {}, ...rows.slice(0, 500).map(({ from, to, what, more }) => make("tr", {}, make("td", {}, `${new Date(from).toLocaleDateString([], { weekday: "short" })} ${timeOf(from)}`), make("td", {}, long(Date.parse(to) - Date.parse(from))), make("td", {}, what), make("td", { class: "quiet" }, more)))),
    ),
  );
}
