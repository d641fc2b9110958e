// All looks, one by one and as a table, to be shown again or erased.

import { figures } from "./charts.js";
import { make, tell } from "./parts.js";
import { TRAITS, condition, taken, whole } from "./skin_numbers.js";

const FIRST = 6;

const told = (value, spread) => (value === null ? "–" : `${value.toFixed(1)}${spread === undefined ? "" : ` ± ${spread.toFixed(1)}`}`);

function numbers(record) {
  const measured = TRAITS.filter(({ name }) => record[name] !== null).map(({ name, words }) => `${words} ${whole(record[name])}`);
  return [...(record.skin_score === null ? [] : [`Score ${whole(record.skin_score)}`]), ...measured].join(" · ") || "Nothing could be measured";
}

// `show` and `erase` are called with a look.
export function earlier(looks, kept, { show, erase }) {
  const newestFirst = [...looks].reverse();
  const answer = make("p", { class: "answer", role: "status" });
  const list = make("ul", { class: "rows", tabindex: "-1" });
  const row = (look) => {
    const when = taken(look.record);
    return make(
      "li",
      {},
      make("div", { class: "grow" }, make("strong", {}, when), make("p", {}, condition(look.record)), make("p", { class: "quiet" }, numbers(look.record))),
      make(
        "div",
        { class: "form-end" },
        make("button", { type: "button", class: "button small", "aria-label": `Show the look of ${when}`, onclick: () => show(look) }, "Show"),
        make("button", { type: "button", class: "button small danger", "aria-label": `Erase the look of ${when}`, onclick: () => erase(look).catch((problem) => tell(answer, problem)) }, "Erase"),
      ),
    );
  };
  const fill = (most) => list.replaceChildren(...newestFirst.slice(0, most).map(row));
  fill(FIRST);
  const more = looks.length > FIRST
    ? make("button", { type: "button", class: "button small", onclick: (event) => { fill(looks.length); event.currentTarget.remove(); list.focus(); } }, `Show all ${looks.length}`)
    : null;
  return make(
    "section",
    { class: "card stack skin-wide", "aria-labelledby": "looks-title" },
    make("h2", { id: "looks-title", tabindex: "-1" }, "Your looks"),
    make("p", { class: "quiet" }, `${kept === 1 ? "One look is kept" : `${kept} looks are kept`}${kept > looks.length ? `; here are the newest ${looks.length}` : ""}. In the drawings each is a dot, the line through it is how far its shots differed, and the band is your usual. Hollow ones can’t be compared with the newest: another card or none, or another distance.${looks.some(({ record }) => record.date_doubted) ? " Those taken by a clock known to be wrong are in no drawing and no trend." : ""}`),
    list,
    make("div", { class: "form-end" }, more),
    answer,
    figures(
      "All looks as a table",
      ["Date", "Score", ...TRAITS.map(({ words }) => words), "Confidence", "Card"],
      newestFirst.map(({ record }) => [
        taken(record), told(record.skin_score), ...TRAITS.map(({ name }) => told(record[name], record.spread[name])), told(record.confidence_score), record.card === null ? "none" : String(record.card),
      ]),
    ),
  );
}
