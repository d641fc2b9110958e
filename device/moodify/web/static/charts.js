// Drawings of how it felt: a band over time with the music under it, the plane of valence and arousal, shares of time. SVG, drawn to
// the width that there is; each has a title and a description in words, and its figures stand in a table beside it.

import { draw, make, percent } from "./parts.js";

export const FELT = ["happy", "surprised", "calm", "sad", "angry", "tense"];
export const WORDS = { happy: "happy", surprised: "surprised", calm: "calm", sad: "sad", angry: "angry", tense: "tense", unsure: "can’t tell", absent: "nobody here" };
export const UNSEEN = { off: "Moodify was off", privacy: "privacy", "no camera": "no camera", starting: "getting ready" };
const HOUR_MS = 3_600_000;

let drawn = 0;

// A span of time in words: "3 h 10 min".
export function long(ms) {
  const minutes = Math.round(ms / 60_000);
  if (minutes < 1) return ms > 0 ? "under a minute" : "no time";
  const hours = Math.floor(minutes / 60);
  return [hours && `${hours} h`, (minutes % 60 || !hours) && `${minutes % 60} min`].filter(Boolean).join(" ");
}

export function timeOf(at) {
  return new Date(at).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", hour12: false });
}

// Spans of the server's ({from, to, …}) with their moments as numbers, in milliseconds.
export function timed(spans) {
  return spans.map((span) => ({ ...span, begins: Date.parse(span.from), ends: Date.parse(span.to) }));
}

// How long each mood lasted within [from, to], in milliseconds, and how long nothing is known.
export function durations(moods, unseen, from = -Infinity, to = Infinity) {
  const within = ({ begins, ends }) => Math.max(0, Math.min(ends, to) - Math.max(begins, from));
  const lasted = Object.fromEntries(Object.keys(WORDS).map((mood) => [mood, 0]));
  for (const span of moods) lasted[span.mood] += within(span);
  const felt = FELT.reduce((sum, mood) => sum + lasted[mood], 0);
  return { ...lasted, felt, somebody: felt + lasted.unsure, unknown: unseen.reduce((sum, span) => sum + within(span), 0) };
}

export function mostly(lasted) {
  return FELT.reduce((best, mood) => (lasted[mood] > (lasted[best] ?? 0) ? mood : best), null);
}

function named(title, desc) {
  const id = `chart-${++drawn}`;
  return {
    attributes: { role: "img", "aria-labelledby": `${id}-title`, "aria-describedby": `${id}-desc` },
    words: [draw("title", { id: `${id}-title` }, title), draw("desc", { id: `${id}-desc` }, desc)],
    id,
  };
}

const round = (number) => Math.round(number * 10) / 10;

// Where the ribbon is: the more pleasant the higher, the more excited the wider.
function ribbonOf(span, middle, reach, least, most) {
  if (!FELT.includes(span.mood)) return { y: middle, half: least * 0.7, fill: "unsure" };
  return { y: middle - span.valence * reach, half: least + ((span.arousal + 1) / 2) * (most - least), fill: span.mood };
}

// One ribbon through moods that follow one another, from left to right, and the colours along it.
function ribbon(run, x, shape, id) {
  const pieces = run.map((span) => ({ x0: x(span.begins), x1: x(span.ends), ...ribbonOf(span, ...shape) }));
  const bends = pieces.slice(1).map((piece, n) => Math.min((pieces[n].x1 - pieces[n].x0) / 2, (piece.x1 - piece.x0) / 2, 18));
  const edge = (side) => {
    const at = (piece) => piece.y + side * piece.half;
    const steps = [[pieces[0].x0, at(pieces[0])]];
    pieces.forEach((piece, n) => {
      const bend = bends[n];
      if (bend === undefined) steps.push([piece.x1, at(piece)]);
      else steps.push([piece.x1 - bend, at(piece)], [piece.x1 + bend, at(pieces[n + 1])]);
    });
    return steps;
  };
  // From step to step a curve that leaves and arrives level.
  const through = (steps) => steps.slice(1).map(([x1, y1], n) => {
    const [x0, y0] = steps[n];
    const half = round((x0 + x1) / 2);
    return `C${half} ${round(y0)} ${half} ${round(y1)} ${round(x1)} ${round(y1)}`;
  }).join("");
  const [begin, end] = [pieces[0].x0, pieces.at(-1).x1];
  // Round where it begins and ends.
  const [first, last] = [pieces[0], pieces.at(-1)];
  const cap = (piece) => Math.min(piece.half, (piece.x1 - piece.x0) / 2, 13);
  const [left, right] = [cap(first), cap(last)];
  const top = edge(-1);
  const bottom = edge(1).reverse();
  top[0][0] += left;
  bottom.at(-1)[0] += left;
  top.at(-1)[0] -= right;
  bottom[0][0] -= right;
  const turn = (x, to, fromY, toY) => `C${round(x)} ${round(fromY)} ${round(x)} ${round(toY)} ${round(to)} ${round(toY)}`;
  const width = Math.max(end - begin, 0.1);
  const stops = pieces.flatMap((piece, n) => [
    [piece.x0 + (bends[n - 1] ?? 0), piece.fill],
    [piece.x1 - (bends[n] ?? 0), piece.fill],
  ]);
  return [
    draw(
      "linearGradient",
      { id, gradientUnits: "userSpaceOnUse", x1: round(begin), x2: round(begin + width), y1: 0, y2: 0 },
      ...stops.map(([at, fill]) => draw("stop", { class: `stop-${fill}`, offset: round(((at - begin) / width) * 1000) / 1000 })),
    ),
    draw("path", {
      class: "ribbon",
      fill: `url(#${id})`,
      d: `M${round(top[0][0])} ${round(top[0][1])}${through(top)}${turn(end + right / 3, bottom[0][0], top.at(-1)[1], bottom[0][1])}${through(bottom)}${turn(begin - left / 3, top[0][0], bottom.at(-1)[1], top[0][1])}Z`,
    }),
  ];
}

// Moods that follow one another without a gap, and without nobody being there.
function runs(moods) {
  const found = [];
  for (const span of moods) {
    if (span.mood === "absent") continue;
    const run = found.at(-1);
    if (run && span.begins - run.at(-1).ends < 1_500) run.push(span);
    else found.push([span]);
  }
  return found;
}

// The hours of a day in which anything was felt or heard, in whole hours; the whole day where nothing was.
export function awake(day, { moods, songs }, now) {
  const there = [...moods.filter(({ mood }) => mood !== "absent"), ...songs];
  if (there.length === 0) return day;
  const hour = (at, add) => { const date = new Date(at); date.setHours(date.getHours() + add, 0, 0, 0); return date.getTime(); };
  const last = Math.max(...there.map(({ ends }) => ends), now < day.to ? Math.min(now, day.to) : 0);
  return { from: Math.max(hour(Math.min(...there.map(({ begins }) => begins)), 0), day.from), to: Math.min(hour(last - 1, 1), day.to) };
}

// The band over a span of time.
//   moods, songs: timed(); from, to: milliseconds; width: pixels; slim: a row among others, without words in it
export function band({ moods, songs, from, to, now, width, slim = false, title, desc }) {
  const { attributes, words, id } = named(title, desc);
  const height = slim ? 46 : 232;
  const middle = slim ? 18 : 88;
  const lane = slim ? 38 : 178;
  const shape = slim ? [middle, 7, 4, 10] : [middle, 44, 10, 30];
  const x = (at) => ((Math.min(Math.max(at, from), to) - from) / (to - from)) * width;
  const marks = [];
  const defs = [];
  // Minutes between two marks: so many that their words have room.
  const step = slim ? 360 : [15, 30, 60, 120, 180, 360].find((minutes) => ((to - from) / 60_000 / minutes) * 46 < width) ?? 360;
  for (let at = from; at <= to; at += HOUR_MS / 4) {
    const date = new Date(at);
    const hour = date.getHours();
    if ((hour * 60 + date.getMinutes()) % step !== 0) continue;
    const last = at === to;
    const word = step < 60 ? timeOf(at) : hour === 0 && last ? "24" : String(hour).padStart(2, "0");
    marks.push(draw("path", { class: "chart-grid", d: `M${round(x(at))} ${slim ? 2 : 18}V${slim ? height - 2 : lane + 18}` }));
    if (!slim) {
      const place = { class: `chart-word${at === from ? " from" : last ? " to" : ""}`, x: round(x(at)), y: height - 8 };
      marks.push(draw("text", place, word));
    }
  }
  const shown = [];
  for (const span of moods.filter(({ mood }) => mood === "absent")) {
    shown.push(draw("path", { class: "chart-absent", d: `M${round(x(span.begins))} ${middle}H${round(x(span.ends))}` }));
  }
  runs(moods).forEach((run, n) => {
    const [gradient, path] = ribbon(run, x, shape, `${id}-${n}`);
    defs.push(gradient);
    shown.push(path);
  });
  if (!slim) {
    for (const span of moods) {
      const room = x(span.ends) - x(span.begins);
      const word = WORDS[span.mood];
      if (room < word.length * 7.5 + 12) continue;
      const { y } = ribbonOf(span, ...shape);
      const at = span.mood === "absent" ? middle - 8 : y + 4;
      shown.push(draw("text", { class: `chart-mood${FELT.includes(span.mood) ? "" : " faint"}`, x: round((x(span.begins) + x(span.ends)) / 2), y: round(at), "aria-hidden": "true" }, word));
    }
    marks.push(
      draw("text", { class: "chart-word from", x: 0, y: 12 }, "pleasant"),
      draw("text", { class: "chart-word from", x: 0, y: lane - 18 }, "unpleasant"),
    );
  }
  for (const song of songs) {
    const left = x(song.begins);
    const wide = Math.max(x(song.ends) - left - 1, 1.5);
    shown.push(draw("rect", { class: `chart-song fill-${song.mood ?? "none"}`, x: round(left), y: lane, width: round(wide), height: slim ? 4 : 16, rx: Math.min(3, wide / 2) }));
  }
  if (!slim && songs.length === 0) shown.push(draw("text", { class: "chart-word from", x: 0, y: lane + 12 }, "no music of Moodify’s"));
  if (now > from && now < to) shown.push(draw("path", { class: "chart-now", d: `M${round(x(now))} ${slim ? 2 : 18}V${slim ? height - 2 : lane + 18}` }));
  const cursor = draw("path", { class: "chart-cursor", d: "" });
  const chart = draw("svg", { class: slim ? "band slim" : "band", viewBox: `0 0 ${width} ${height}`, width, height, ...attributes }, ...words, draw("defs", {}, ...defs), ...marks, ...shown, cursor);
  // Mark a moment; null takes the mark away.
  chart.point = (at) => cursor.setAttribute("d", at === null ? "" : `M${round(x(at))} 14V${lane + 20}`);
  chart.momentAt = (left) => from + (Math.min(Math.max(left / width, 0), 1) * (to - from));
  return chart;
}

const RADIUS = 172;

function onDisc(valence, arousal) {
  const length = Math.max(1, Math.hypot(valence, arousal));
  return [(valence / length) * RADIUS, (-arousal / length) * RADIUS];
}

// The plane of valence and arousal: where the room was, the longer the larger; `trail` also shows the way.
export function plane({ moods, trail, title }) {
  const felt = moods.filter(({ mood, begins, ends }) => FELT.includes(mood) && ends > begins);
  const places = new Map();
  for (const span of felt) {
    // In steps of a tenth: what is nearer is the same place to a person.
    const key = `${span.mood} ${Math.round(span.valence * 10)} ${Math.round(span.arousal * 10)}`;
    const place = places.get(key) ?? { mood: span.mood, valence: 0, arousal: 0, ms: 0 };
    const ms = span.ends - span.begins;
    places.set(key, { mood: span.mood, valence: place.valence + span.valence * ms, arousal: place.arousal + span.arousal * ms, ms: place.ms + ms });
  }
  const bubbles = [...places.values()].sort((a, b) => b.ms - a.ms);
  const whole = bubbles.reduce((sum, { ms }) => sum + ms, 0);
  const mean = (name) => (whole ? bubbles.reduce((sum, place) => sum + place[name], 0) / whole : 0);
  const signed = (number) => `${round(number) < 0 ? "−" : "+"}${Math.abs(number).toFixed(1)}`;
  const desc = whole
    ? `On average valence ${signed(mean("valence"))}, from unpleasant −1 to pleasant +1, and arousal ${signed(mean("arousal"))}, from drowsy −1 to excited +1.`
    : "No mood was felt in this time.";
  const { attributes, words } = named(title, desc);
  const most = bubbles[0]?.ms ?? 1;
  const way = trail && felt.length > 1
    ? felt.map((span, n) => `${n ? "L" : "M"}${onDisc(span.valence, span.arousal).map(round).join(" ")}`).join("")
    : "";
  const chart = draw(
    "svg",
    { class: "disc plane", viewBox: "-200 -200 400 400", ...attributes },
    ...words,
    draw("circle", { class: "disc-base", r: 190 }),
    draw("path", { class: "axis", d: "M-190 0H190M0-190V190" }),
    draw("circle", { class: "axis", r: 95 }),
    draw("path", { class: "chart-way", d: way }),
    ...bubbles.map(({ mood, valence, arousal, ms }) => {
      const [cx, cy] = onDisc(valence / ms, arousal / ms);
      return draw("circle", { class: `bubble fill-${mood}`, cx: round(cx), cy: round(cy), r: round(5 + 27 * Math.sqrt(ms / most)) });
    }),
    draw(
      "g",
      { class: "axis-words", "aria-hidden": "true" },
      draw("text", { y: -168 }, "excited"),
      draw("text", { y: 178 }, "drowsy"),
      draw("text", { x: -182, y: -8, class: "from" }, "unpleasant"),
      draw("text", { x: 182, y: -8, class: "to" }, "pleasant"),
    ),
  );
  return { chart, words: desc };
}

// Shares of the time in which somebody was there, as one bar and as words: nothing is said by colour alone.
export function shares(lasted) {
  const parts = [...FELT, "unsure"].map((mood) => ({ mood, ms: lasted[mood] })).filter(({ ms }) => ms > 0).sort((a, b) => (a.mood === "unsure") - (b.mood === "unsure") || b.ms - a.ms);
  let at = 0;
  const bars = parts.map(({ mood, ms }) => {
    const wide = (ms / lasted.somebody) * 100;
    const bar = draw("rect", { class: `fill-${mood}`, x: round(at), y: 0, width: Math.max(round(wide) - 0.4, 0.3), height: 10 });
    at += wide;
    return bar;
  });
  const bar = draw("svg", { class: "share-bar", viewBox: "0 0 100 10", preserveAspectRatio: "none", "aria-hidden": "true" }, ...bars);
  const list = make(
    "ul",
    { class: "share-list" },
    ...parts.map(({ mood, ms }) => make("li", {}, swatch(mood), make("b", {}, WORDS[mood]), make("span", { class: "quiet" }, `${percent(ms / lasted.somebody)} · ${long(ms)}`))),
  );
  return make("div", { class: "shares" }, bar, list);
}

export function swatch(mood) {
  return draw("svg", { class: "swatch", viewBox: "0 0 16 16", "aria-hidden": "true" }, draw("circle", { class: `fill-${mood ?? "none"}`, cx: 8, cy: 8, r: 7 }));
}

// The figures of a drawing, for whoever would rather read them.
export function figures(summary, head, rows) {
  return make(
    "details",
    { class: "figures" },
    make("summary", {}, summary),
    make(
      "div",
      { class: "scrolls", tabindex: "0", role: "region", "aria-label": summary },
      make(
        "table",
        {},
        make("thead", {}, make("tr", {}, ...head.map((word) => make("th", { scope: "col" }, word)))),
        make("tbody", {}, ...rows.map((row) => make("tr", {}, ...row.map((cell, n) => (n ? make("td", {}, cell) : make("th", { scope: "row" }, cell)))))),
      ),
    ),
  );
}
