// What came of a look, number by number: what it means, how sure it is, how it stands against one's own usual, and why one is missing.

import { day, draw, make, sentence } from "./parts.js";
import { trendChart } from "./skin_chart.js";

export const TRAITS = [
  { name: "oiliness_level", words: "Shine", low: "no more than on the cheeks", high: "far more", about: "How much more light forehead, nose and chin mirror than the cheeks." },
  { name: "pore_size", words: "Texture", low: "smooth", high: "coarse", about: "Fine contrast of the skin. It is no size of pores: lines, dryness, make-up and hair all count." },
  { name: "redness", words: "Redness", low: "as much green light as red", high: "four times as much red", about: "Red light against green, measured beside the card. A tan counts as well." },
  { name: "tone", words: "Tone", low: "dark", high: "light", about: "How light the skin is beside the card. Neither end is better, and the score leaves it out." },
];
const WORDS = Object.fromEntries(TRAITS.map(({ name, words }) => [name, words]));
const USUAL_LOOKS = 3;
const TREND_LOOKS = 5;
const SOURCE = /^(?<words>.*?)(?:, (?<url>https:\/\/\S+))?$/;

export const taken = ({ looked_at: at, date_doubted: doubted }) => `${day(at)}${doubted ? ", by a clock known to be wrong" : ""}`;

export const whole = (number) => String(Math.round(number));
const signed = (number) => `${number < 0 ? "−" : "+"}${Math.abs(number)}`;

// The conditions as one heading.
export function condition({ conditions }) {
  if (conditions.length === 0) return "Getting to know your usual";
  if (conditions.length === 1 && conditions[0] === "looks as usual") return "Looks as usual";
  const words = conditions.map((each) => each.replace(" than your usual", ""));
  const joined = words.length === 1 ? words[0] : `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`;
  return `${joined[0].toUpperCase()}${joined.slice(1)} than your usual`;
}

function reliance({ confidence_score: score, confidence_parts: parts, reasons }) {
  if (score === null) return ["How far to rely on it is not known", sentence(reasons.confidence_score)];
  const words = score >= 70 ? "Good to rely on" : score >= 45 ? "Take it with some care" : "Don’t rely on it";
  return [words, `Confidence ${whole(score)} of 100: the three shots agree to ${whole(parts.repeatability)}, the light is good to ${whole(parts.light)}. What all three share, such as make-up or a lamp in another place, it can’t know.`];
}

// The score on a half circle whose middle is one's usual.
function gauge(score) {
  const at = (value, radius = 90) => [-Math.cos((Math.PI * value) / 100) * radius, -Math.sin((Math.PI * value) / 100) * radius].map((each) => Math.round(each * 10) / 10).join(" ");
  const arc = (from, to) => `M${at(from)}A90 90 0 0 1 ${at(to)}`;
  const label = score === null ? "No score yet" : `Score ${whole(score)} of 100, where 50 is your usual`;
  const [cx, cy] = score === null ? [0, 0] : at(score).split(" ");
  return draw(
    "svg",
    { class: "gauge", viewBox: "-120 -118 240 142", role: "img", "aria-label": label },
    draw("path", { class: "gauge-track", d: arc(0, 100) }),
    score === null ? null : draw("path", { class: "gauge-arc", d: arc(Math.min(50, score), Math.max(50, score)) }),
    draw("path", { class: "gauge-usual", d: `M${at(50, 80)}L${at(50, 100)}` }),
    score === null ? null : draw("circle", { class: "gauge-dot", cx, cy, r: 9 }),
    draw("text", { class: `gauge-number${score === null ? " none" : ""}`, y: -10 }, score === null ? "not yet" : whole(score)),
    draw("text", { class: "gauge-word", y: -105 }, "your usual"),
    draw("text", { class: "gauge-word", x: -90, y: 20 }, "0"),
    draw("text", { class: "gauge-word", x: 90, y: 20 }, "100"),
  );
}

function score(record, compared) {
  const { skin_score: value, skin_score_parts: parts, skin_score_version: version, reasons } = record;
  const made = Object.entries(parts).map(([name, part]) => `${WORDS[name].toLowerCase()} ${whole(part)}`).join(", ");
  const before = Math.min(USUAL_LOOKS, Math.max(0, compared - 1));
  return make(
    "div",
    { class: "skin-score" },
    make("h3", { class: "label" }, "Against your usual"),
    gauge(value),
    value === null
      ? make("p", {}, sentence(`No score: ${reasons.skin_score}`))
      : make("p", { class: "quiet" }, `The mean of ${made}. Each is 50 less two and a half for every point above your usual. Higher is better; tone has no part in it. Formula ${version}.`),
    value === null && before < USUAL_LOOKS ? make("p", { class: "skin-steps", role: "img", "aria-label": `${before} of ${USUAL_LOOKS} earlier looks` }, ...Array.from({ length: USUAL_LOOKS }, (_, n) => make("span", { class: n < before ? "full" : null }))) : null,
  );
}

export function result(look, newest, trends) {
  const { record } = look;
  const [relied, why] = reliance(record);
  const most = Math.max(...TRAITS.map(({ name }) => trends[name].compared.length));
  return make(
    "section",
    { class: "card skin-result skin-wide", "aria-labelledby": "result-title" },
    make(
      "div",
      { class: "stack" },
      make("p", { class: "label" }, look.portrait ? "One of the sample’s portraits, and not you: nothing of it is kept" : look === newest ? "Newest look" : "Earlier look"),
      make("h2", { id: "result-title", class: "skin-word", tabindex: "-1" }, condition(record)),
      make("p", { class: "quiet" }, `${taken(record)} · ${record.shots} shots in ${record.analysis_duration_seconds.toLocaleString([], { maximumFractionDigits: 1 })} s${record.card === null ? "" : ` · card ${record.card}`}`),
      make("div", { class: "honest" }, make("p", {}, make("b", {}, relied)), make("p", {}, why)),
      make("p", { class: "quiet" }, "A cosmetic look, not a medical one. It compares you with yourself alone."),
    ),
    score(record, look === newest ? most : 0),
  );
}

function against(comparison, compared, isNewest) {
  if (!comparison) {
    const before = Math.max(0, compared - 1);
    return isNewest && before < USUAL_LOOKS ? `Your usual shows after ${USUAL_LOOKS} looks like this one; so far ${before === 0 ? "there is none" : before === 1 ? "there is one" : `there are ${before}`} before it.` : "There was no usual to compare it with.";
  }
  const { difference, uncertainty } = comparison;
  const beyond = Math.abs(difference) > uncertainty;
  // Rounded as the level is; but what is more is shown to be more.
  const shown = beyond && Math.round(Math.abs(difference)) === Math.round(uncertainty) ? (number) => number.toFixed(1) : whole;
  const apart = shown(Math.abs(difference));
  if (!beyond && apart === "0") return "As your usual.";
  return `${apart} ${difference > 0 ? "above" : "below"} your usual: ${beyond ? "more" : "no more"} than chance, which makes up to ${shown(uncertainty)}.`;
}

function trendIn({ per_month: slope, low, high, compared }) {
  if (slope === null) return compared.length < TREND_LOOKS ? `A trend takes ${TREND_LOOKS} looks that can be compared; ${compared.length === 1 ? "there is 1" : `there are ${compared.length}`}.` : "A trend takes looks over three days or more.";
  const range = `95 % interval ${signed(low)} to ${signed(high)} points a month`;
  if (low <= 0 && high >= 0) return `Over ${compared.length} looks no change that is more than chance (${range}).`;
  return `Over ${compared.length} looks ${slope > 0 ? "rising" : "falling"} by about ${Math.abs(slope)} points a month (${range}).`;
}

// One card for each trait, with its drawing over time; start() draws once they are in the page.
export function measures(look, looks, trends) {
  const isNewest = look === looks.at(-1);
  const charts = [];
  const cards = TRAITS.map(({ name, words, low, high, about }) => {
    const { record } = look;
    const value = record[name];
    const trend = trends[name];
    const chart = trendChart(words, name, looks, trend, look.id);
    if (chart) charts.push(chart);
    const spread = record.spread[name];
    return make(
      "section",
      { class: "card skin-trait", "aria-labelledby": `trait-${name}` },
      make("h3", { id: `trait-${name}`, class: "label" }, words),
      value === null
        ? make("p", { class: "skin-none" }, "Not measured")
        : make("p", { class: "skin-number" }, make("b", {}, whole(value)), make("span", { class: "quiet" }, ` ± ${spread < 0.5 ? "under 1" : whole(spread)}`)),
      make("p", {}, value === null ? sentence(record.reasons[name]) : against(record.against_usual[name], trend.compared.length, isNewest)),
      chart ? chart.element : null,
      trend.compared.length ? make("p", { class: "quiet" }, trendIn(trend)) : null,
      make("p", { class: "hint" }, `${about} 0 is ${low}, 100 ${high}.`),
    );
  });
  return { cards, start: () => charts.forEach(({ start }) => start()), end: () => charts.forEach(({ end }) => end()) };
}

export function unmeasured() {
  return make(
    "section",
    { class: "card stack skin-wide skin-never", "aria-labelledby": "never-title" },
    make("h3", { id: "never-title", class: "label" }, "What no camera can tell"),
    make(
      "dl",
      { class: "facts" },
      make("dt", {}, "Hydration"), make("dd", {}, "Not measurable with a camera: water shows in electricity or near infrared, not in colours."),
      make("dt", {}, "Elasticity"), make("dd", {}, "Not measurable with a camera: it takes something that pulls."),
    ),
  );
}

export function advice(care) {
  const sources = [...new Set([...care.recommendations, ...care.morning, ...care.evening].map(({ source }) => source))];
  const lines = (list, tag) => make(tag, { class: tag === "ol" ? "how" : "dots" }, ...list.map(({ text, source }) => make("li", {}, text, make("span", { class: "skin-source" }, ` [${sources.indexOf(source) + 1}]`))));
  return make(
    "section",
    { class: "card stack skin-wide", "aria-labelledby": "care-title" },
    make("h2", { id: "care-title" }, "Caring for it"),
    care.recommendations.length ? lines(care.recommendations, "ul") : null,
    make(
      "div",
      { class: "pair wide" },
      make("div", { class: "stack" }, make("h3", {}, "In the morning"), lines(care.morning, "ol")),
      make("div", { class: "stack" }, make("h3", {}, "In the evening"), lines(care.evening, "ol")),
    ),
    make("p", { class: "notice" }, care.see_a_professional),
    make(
      "div",
      { class: "quiet skin-sources" },
      make("p", {}, `Common advice for everybody, last held against its sources on ${new Date(`${care.reviewed}T12:00`).toLocaleDateString([], { day: "numeric", month: "long", year: "numeric" })}:`),
      make(
        "ol",
        {},
        ...sources.map((source) => {
          const { words, url } = SOURCE.exec(source).groups;
          return make("li", {}, url ? make("a", { href: url, target: "_blank", rel: "noreferrer noopener" }, words) : words);
        }),
      ),
    ),
  );
}
