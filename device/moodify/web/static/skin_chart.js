// How one trait went over the looks: a dot for each with how far its shots differed, over the band of one's usual.

import { draw, make } from "./parts.js";

const HEIGHT = 148;
const PAD = { left: 26, right: 10, top: 12, bottom: 24 };
const LEAST_SPAN = 20;

let drawn = 0;

const round = (number) => Math.round(number * 10) / 10;

function dated(at, { year }) {
  return new Date(at).toLocaleDateString([], { day: "numeric", month: "short", year: year ? "numeric" : undefined });
}

// Lowest and highest level that are drawn, in tens, with room for at least LEAST_SPAN.
function range(lows, highs) {
  let [low, high] = [Math.floor(Math.min(...lows) / 10) * 10, Math.ceil(Math.max(...highs) / 10) * 10];
  while (high - low < LEAST_SPAN) {
    if (high < 100) high += 10;
    if (high - low < LEAST_SPAN && low > 0) low -= 10;
  }
  return [Math.max(0, low), Math.min(100, high)];
}

function svgOf({ words, points, band, chosen, width }) {
  const [low, high] = range(
    [...points.map(({ level, spread }) => level - spread), ...band.map(({ from }) => from)],
    [...points.map(({ level, spread }) => level + spread), ...band.map(({ to }) => to)],
  );
  const [first, last] = [points[0].at, points.at(-1).at];
  const inner = width - PAD.left - PAD.right;
  const x = (at) => round(PAD.left + 10 + ((at - first) / (last - first || 1)) * (inner - 20));
  const y = (level) => round(PAD.top + (1 - (Math.min(Math.max(level, low), high) - low) / (high - low)) * (HEIGHT - PAD.top - PAD.bottom));
  const id = `skin-chart-${++drawn}`;
  const newest = points.at(-1);
  const years = new Date(first).getFullYear() !== new Date(last).getFullYear();
  const usual = band.at(-1);
  const desc = `${points.length} looks from ${dated(first, { year: true })} to ${dated(last, { year: true })}, between ${Math.round(Math.min(...points.map(({ level }) => level)))} and ${Math.round(Math.max(...points.map(({ level }) => level)))}; the newest ${Math.round(newest.level)}${usual ? `, the usual from ${Math.round(usual.from)} to ${Math.round(usual.to)}` : ""}. The figures stand in the table of all looks.`;
  const edge = (side) => [[x(band[0].at) - 10, y(band[0][side])], ...band.map((each) => [x(each.at), y(each[side])]), [x(usual.at) + 10, y(usual[side])]];
  const line = points.filter(({ compared }) => compared).map(({ at, level }, n) => `${n ? "L" : "M"}${x(at)} ${y(level)}`).join("");
  return draw(
    "svg",
    { class: "skin-chart", viewBox: `0 0 ${width} ${HEIGHT}`, width, height: HEIGHT, role: "img", "aria-labelledby": `${id}-title`, "aria-describedby": `${id}-desc` },
    draw("title", { id: `${id}-title` }, `${words} over time`),
    draw("desc", { id: `${id}-desc` }, desc),
    ...[low, (low + high) / 2, high].flatMap((level) => [
      draw("path", { class: "chart-grid", d: `M${PAD.left} ${y(level)}H${width - PAD.right}` }),
      draw("text", { class: "chart-word to", x: PAD.left - 6, y: y(level) + 4 }, String(Math.round(level))),
    ]),
    band.length ? draw("path", { class: "skin-band", d: `M${[...edge("to"), ...edge("from").reverse()].map((point) => point.join(" ")).join("L")}Z` }) : null,
    draw("path", { class: "skin-line", d: line }),
    ...points.map((point) => draw("path", { class: "skin-spread", d: `M${x(point.at)} ${y(point.level - point.spread)}V${y(point.level + point.spread)}` })),
    ...points.map((point) =>
      draw(
        "circle",
        { class: `skin-dot${point.compared ? "" : " apart"}${point.id === chosen ? " chosen" : ""}`, cx: x(point.at), cy: y(point.level), r: point.id === chosen ? 6 : 4 },
        draw("title", {}, `${dated(point.at, { year: true })}: ${Math.round(point.level)} ± ${round(point.spread)}${point.compared ? "" : ", not to be compared with the newest"}`),
      ),
    ),
    draw("text", { class: "chart-word from", x: PAD.left, y: HEIGHT - 6 }, dated(first, { year: years })),
    draw("text", { class: "chart-word to", x: width - PAD.right, y: HEIGHT - 6 }, dated(last, { year: years })),
  );
}

// The drawing of a trait, or null where it was not measured twice. It is as wide as its place, and drawn anew when that changes.
export function trendChart(words, name, looks, trend, chosen) {
  const compared = new Set(trend.compared);
  const measured = looks.filter(({ record }) => record[name] !== null && !record.date_doubted);
  if (measured.length < 2) return null;
  const points = measured.map(({ id, record }) => ({ id, at: Date.parse(record.looked_at), level: record[name], spread: record.spread[name] ?? 0, compared: compared.has(id) }));
  const band = measured
    .filter(({ id, record }) => compared.has(id) && record.against_usual[name])
    .map(({ record }) => {
      const { usual, uncertainty } = record.against_usual[name];
      return { at: Date.parse(record.looked_at), from: usual - uncertainty, to: usual + uncertainty };
    });
  const element = make("div", { class: "plot" });
  const redraw = () => {
    const width = Math.floor(element.clientWidth);
    if (width >= 50) element.replaceChildren(svgOf({ words, points, band, chosen, width }));
  };
  const sized = new ResizeObserver(redraw);
  return { element, start: () => { redraw(); sized.observe(element); }, end: () => sized.disconnect() };
}
