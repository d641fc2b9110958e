// Looking back: how a day or a week felt, and which songs were under it.

import { FELT, UNSEEN, WORDS, awake, band, durations, figures, long, mostly, plane, shares, swatch, timeOf, timed } from "./charts.js";
import { icon, make, percent, write } from "./parts.js";

export const title = "History";

const SONGS_FIRST = 12;
const STEP_MS = 60_000;
const FRESH_MS = 60_000;
const BACK = "M15 5l-7 7 7 7";
const ON = "M9 5l7 7-7 7";

// Days are the browser's: a day with a change to or from summer time has 23 or 25 hours.

function midnight(text) {
  const match = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text ?? "");
  const date = match ? new Date(Number(match[1]), Number(match[2]) - 1, Number(match[3])) : new Date();
  date.setHours(0, 0, 0, 0);
  return date;
}

function plus(date, days) {
  return new Date(date.getFullYear(), date.getMonth(), date.getDate() + days);
}

function named(date) {
  return `${date.getFullYear()}-${String(date.getMonth() + 1).padStart(2, "0")}-${String(date.getDate()).padStart(2, "0")}`;
}

const inWords = (date, options) => date.toLocaleDateString([], options);
const LONG_DAY = { weekday: "long", day: "numeric", month: "long" };

async function look(shell, from, to) {
  const seen = await shell.ask("GET", `/api/history?from=${encodeURIComponent(from.toISOString())}&to=${encodeURIComponent(to.toISOString())}`);
  return { moods: timed(seen.moods), unseen: timed(seen.unseen), songs: timed(seen.songs), earliest: seen.earliest ? Date.parse(seen.earliest) : null, until: Math.floor(Date.parse(seen.to) / 1_000) * 1_000 };
}

const at = (spans, moment) => spans.findLast(({ begins, ends }) => begins <= moment && moment < ends);

// A song that goes on after a pause was not chosen anew.
const chosen = (songs) => songs.filter(({ resumed }) => !resumed);

// Of the first day of all: from when on it can be told.
const since = ({ earliest }, { from, to }) => (earliest !== null && earliest > from && earliest < to ? `Since ${timeOf(earliest)}. ` : "");

function sentence(lasted, heard) {
  const songs = chosen(heard);
  const mood = mostly(lasted);
  const felt = mood === null ? "No mood was felt." : lasted.felt < 60_000 ? `A moment of ${mood}.` : `Mostly ${mood}: ${long(lasted[mood])} of ${long(lasted.felt)} felt.`;
  const music = songs.length === 0 ? "Moodify chose no music." : songs.length === 1 ? "Moodify chose one song." : `Moodify chose ${songs.length} songs.`;
  return `${felt} ${music}`;
}

function honest(lasted) {
  if (!lasted.somebody) return "Nobody was seen, so there was nothing to tell.";
  const share = lasted.unsure / lasted.somebody;
  return share === 0
    ? "While somebody was there, it could always tell."
    : `For ${percent(share)} of the time that somebody was there it could not tell the mood, said so, and left the music alone.`;
}

// The head that day and week share.

function head(kind, date, words, shell) {
  const step = kind === "day" ? 1 : 7;
  const today = midnight();
  const to = (day, as = kind) => `#/history/${as}/${named(day)}`;
  const next = plus(date, step) > today ? today : plus(date, step);
  return make(
    "header",
    { class: "history-head" },
    make("div", {}, make("h1", {}, words), make("p", { id: "history-sum", class: "quiet" }, " ")),
    make(
      "div",
      { class: "history-steps", role: "group", "aria-label": "Which time" },
      make("span", { class: "segments" }, ...["day", "week"].map((each) => make("a", { href: to(date, each), "aria-current": each === kind ? "true" : null }, each === "day" ? "Day" : "Week"))),
      make("a", { class: "button small round", href: to(plus(date, -step)), "aria-label": kind === "day" ? "The day before" : "The week before" }, icon(BACK)),
      make(
        "button",
        { class: "button small round", disabled: date >= today, "aria-label": kind === "day" ? "The day after" : "The week after", onclick: () => shell.go(to(next)) },
        icon(ON),
      ),
    ),
  );
}

// A day.

function tell(place, moment, seen) {
  const span = at(seen.moods, moment);
  const gap = at(seen.unseen, moment);
  const song = at(seen.songs, moment);
  const felt = span && FELT.includes(span.mood);
  const mood = !span ? (gap ? UNSEEN[gap.why] : seen.earliest !== null && moment < seen.earliest ? `Moodify began at ${timeOf(seen.earliest)}` : "nothing is known") : span.mood === "absent" ? "nobody here" : felt ? `${span.mood}, ${percent(span.confidence)} sure` : "it could not tell";
  const people = span && span.people > 0 ? (span.people === 1 ? "one person" : `${span.people} people`) : "";
  place.replaceChildren(
    make("p", { class: "moment-time" }, timeOf(moment)),
    make("p", { class: "moment-mood" }, span ? swatch(span.mood) : null, make("b", {}, mood), people && make("span", { class: "quiet" }, people)),
    make("p", { class: "moment-song" }, song ? `${song.title} · ${song.artist}` : make("span", { class: "quiet" }, "no song of Moodify’s")),
    song?.reason ? make("p", { class: "quiet" }, song.reason) : "",
  );
  return [timeOf(moment), mood, people, song ? `${song.title} by ${song.artist}` : ""].filter(Boolean).join(", ");
}

function songList(heard) {
  const songs = chosen(heard);
  const list = make("ol", { class: "song-list" });
  const show = (most) => list.replaceChildren(
    ...[...songs].reverse().slice(0, most).map((song) =>
      make(
        "li",
        {},
        make("time", { datetime: song.from }, timeOf(song.begins)),
        make("div", {}, make("p", {}, make("b", {}, song.title), ` ${song.artist}`), song.reason ? make("p", { class: "quiet" }, song.reason) : ""),
        song.mood ? make("span", { class: "song-mood" }, swatch(song.mood), song.mood) : "",
      ),
    ),
  );
  show(SONGS_FIRST);
  const more = songs.length > SONGS_FIRST
    ? make("button", { class: "button small", onclick: (event) => { show(songs.length); event.currentTarget.remove(); list.focus(); } }, `Show all ${songs.length}`)
    : null;
  list.tabIndex = -1;
  return songs.length ? [list, more] : [make("p", { class: "quiet" }, "Moodify chose no music on this day.")];
}

async function openDay(main, shell, text) {
  const date = midnight(text);
  const [from, to] = [date, plus(date, 1)];
  const today = named(date) === named(new Date());
  main.replaceChildren(head("day", date, today ? "Today" : inWords(date, LONG_DAY), shell));
  const bandPlace = make("section", { class: "card history-band", "aria-labelledby": "band-title" });
  const rest = make("div", { class: "history-rest" });
  let seen = await look(shell, from, to);
  let chart = null;
  const place = make("div", { class: "moment" });
  const plot = make("div", { class: "plot" });
  const day = { from: from.getTime(), to: to.getTime() };
  let hours = awake(day, seen, Date.now());
  const steps = () => String(Math.round((hours.to - hours.from) / STEP_MS));
  const slider = make("input", { type: "range", class: "moments", min: 0, max: steps(), step: 1, "aria-label": "Moment of the day" });
  const choose = (moment) => { slider.value = String(Math.round((moment - hours.from) / STEP_MS)); };
  choose(today ? Date.now() : (seen.songs.at(-1)?.begins ?? (hours.from + hours.to) / 2));

  const show = () => {
    const moment = Math.min(hours.from + Number(slider.value) * STEP_MS, hours.to - 1, seen.until - 1);
    slider.setAttribute("aria-valuetext", tell(place, moment, seen));
    chart?.point(moment);
  };
  const redraw = () => {
    const width = Math.floor(plot.clientWidth);
    if (width < 50) return;
    const lasted = durations(seen.moods, seen.unseen);
    chart = band({
      ...seen, ...hours, now: Date.now(), width,
      title: "How the room felt over the day, with the music under it",
      desc: `${sentence(lasted, seen.songs)} The ribbon is higher where it was pleasant and wider where it was lively; bars under it are songs.`,
    });
    const follow = (event) => {
      if (event.type === "pointermove" && event.pointerType === "touch" && !event.buttons) return;
      choose(chart.momentAt(event.clientX - chart.getBoundingClientRect().left));
      show();
    };
    chart.addEventListener("pointermove", follow);
    chart.addEventListener("pointerdown", follow);
    plot.replaceChildren(chart);
    show();
  };
  const fill = () => {
    const lasted = durations(seen.moods, seen.unseen);
    write(main.querySelector("#history-sum"), `${since(seen, day)}${sentence(lasted, seen.songs)}`);
    const { chart: disc, words } = plane({ moods: seen.moods, trail: true, title: "Valence and arousal over the day" });
    rest.replaceChildren(
      make(
        "section", { class: "card", "aria-labelledby": "shares-title" },
        make("h2", { id: "shares-title", class: "label" }, "How long"),
        lasted.somebody ? shares(lasted) : "",
        make("p", { class: "honest" }, honest(lasted)),
        lasted.absent ? make("p", { class: "quiet" }, `Nobody was here for ${long(lasted.absent)}.`) : "",
        seen.earliest !== null && seen.earliest >= day.to ? make("p", { class: "quiet" }, `Moodify began on ${inWords(new Date(seen.earliest), LONG_DAY)}.`) : "",
        lasted.unknown > 60_000 ? make("p", { class: "quiet" }, `Nothing is known of ${long(lasted.unknown)}: ${[...new Set(seen.unseen.map(({ why }) => UNSEEN[why]))].join(", ")}.`) : "",
      ),
      make("section", { class: "card", "aria-labelledby": "plane-title" }, make("h2", { id: "plane-title", class: "label" }, "Valence and arousal"), disc, make("p", { class: "quiet" }, words)),
      make("section", { class: "card songs", "aria-labelledby": "songs-title" }, make("h2", { id: "songs-title", class: "label" }, "What it played, and why"), ...songList(seen.songs)),
    );
  };
  bandPlace.append(
    make("h2", { id: "band-title", class: "label" }, "How the room felt"),
    plot, slider, place,
    figures("The day’s moods as a table", ["From", "Until", "Mood", "Sure", "Valence", "Arousal", "People"], tableOf(seen)),
  );
  main.append(bandPlace, rest);
  fill();
  slider.addEventListener("input", show);
  const sized = new ResizeObserver(redraw);
  sized.observe(plot);
  redraw();

  const again = async () => {
    if (document.hidden) return;
    try {
      seen = await look(shell, from, to);
    } catch {
      return; // the frame says that the device does not answer
    }
    // Who reads all of the songs is not to lose their place.
    if (!(rest.querySelector(".song-list")?.childElementCount > SONGS_FIRST)) fill();
    const [chosen, atEnd] = [hours.from + Number(slider.value) * STEP_MS, slider.value === slider.max];
    hours = awake(day, seen, Date.now());
    slider.max = steps();
    choose(atEnd ? hours.to : chosen);
    redraw();
  };
  const timer = today ? setInterval(again, FRESH_MS) : null;
  return () => {
    sized.disconnect();
    clearInterval(timer);
  };
}

function tableOf(seen) {
  return seen.moods.map((span) => [
    timeOf(span.begins), timeOf(span.ends), WORDS[span.mood],
    ...(FELT.includes(span.mood) ? [percent(span.confidence), span.valence.toFixed(1), span.arousal.toFixed(1)] : ["–", "–", "–"]),
    String(span.people),
  ]);
}

// A week: seven days that end with this one.

async function openWeek(main, shell, text) {
  const last = midnight(text);
  const first = plus(last, -6);
  const days = Array.from({ length: 7 }, (_, n) => plus(first, n));
  const words = `${inWords(first, { day: "numeric", month: "long" })} – ${inWords(last, { day: "numeric", month: "long" })}`;
  main.replaceChildren(head("week", last, words, shell));
  const seen = await look(shell, first, plus(last, 1));
  const lasted = durations(seen.moods, seen.unseen);
  write(main.querySelector("#history-sum"), sentence(lasted, seen.songs));
  const list = make("ol", { class: "week" });
  const told = days.map((day) => {
    const [from, to] = [day.getTime(), plus(day, 1).getTime()];
    const within = ({ begins, ends }) => begins < to && ends > from;
    return { day, from, to, moods: seen.moods.filter(within), songs: seen.songs.filter(within), lasted: durations(seen.moods, seen.unseen, from, to) };
  });
  const redraw = () => {
    const width = Math.floor(list.clientWidth) - (list.clientWidth > 620 ? 236 : 62);
    if (width < 50) return;
    const axis = make("li", { class: "week-axis", "aria-hidden": "true" }, ...["00", "06", "12", "18", "24"].map((hour) => make("span", {}, hour)));
    list.replaceChildren(
      axis,
      ...told.map(({ day, from, to, moods, songs, lasted: each }) => {
        const mood = mostly(each);
        const brief = mood ? `mostly ${mood}` : each.somebody ? "can’t tell" : each.absent ? "nobody here" : "nothing known";
        const full = `${inWords(day, LONG_DAY)}: ${sentence(each, songs)} ${each.unsure ? `Can’t tell for ${long(each.unsure)}.` : ""}`;
        return make(
          "li",
          {},
          make(
            "a",
            { href: `#/history/day/${named(day)}`, "aria-label": full },
            make("span", { class: "week-day" }, make("b", {}, inWords(day, { weekday: "short" })), make("span", { class: "quiet" }, String(day.getDate()))),
            band({ moods, songs, from, to, now: Date.now(), width, slim: true, title: inWords(day, LONG_DAY), desc: full }),
            make("span", { class: "week-sum" }, make("span", { class: "week-mood" }, swatch(mood), brief), make("span", { class: "quiet" }, chosen(songs).length === 1 ? "1 song" : `${chosen(songs).length} songs`)),
          ),
        );
      }),
    );
  };
  const { chart: disc, words: average } = plane({ moods: seen.moods, trail: false, title: "Valence and arousal over the week" });
  main.append(
    make(
      "section", { class: "card history-band", "aria-labelledby": "band-title" },
      make("h2", { id: "band-title", class: "label" }, "Day by day"),
      list,
      figures(
        "The week as a table",
        ["Day", "Mostly", "Felt", "Can’t tell", "Nobody here", "Songs"],
        told.map(({ day, songs, lasted: each }) => [inWords(day, LONG_DAY), mostly(each) ?? "–", long(each.felt), long(each.unsure), long(each.absent), String(chosen(songs).length)]),
      ),
    ),
    make(
      "div", { class: "history-rest" },
      make(
        "section", { class: "card", "aria-labelledby": "shares-title" },
        make("h2", { id: "shares-title", class: "label" }, "How long"),
        lasted.somebody ? shares(lasted) : "",
        make("p", { class: "honest" }, honest(lasted)),
      ),
      make("section", { class: "card", "aria-labelledby": "plane-title" }, make("h2", { id: "plane-title", class: "label" }, "Valence and arousal"), disc, make("p", { class: "quiet" }, average)),
    ),
  );
  const sized = new ResizeObserver(redraw);
  sized.observe(list);
  redraw();
  return () => sized.disconnect();
}

export function open(main, shell, rest) {
  const [kind, text] = rest;
  return kind === "week" ? openWeek(main, shell, text) : openDay(main, shell, text);
}
