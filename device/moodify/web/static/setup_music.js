// Music for each mood, and how the music behaves.

import { choice, field, form, make, press } from "./parts.js";

const MOODS = { happy: "Happy", surprised: "Surprised", calm: "Calm", sad: "Sad", angry: "Angry", tense: "Tense" };
const GOALS = {
  match: ["Match", "Music like the mood of the room."],
  lift: ["Lift", "Like the mood at first, then song by song brighter."],
  calm: ["Calm", "Calm music, whatever the mood."],
};

export const music = {
  name: "music",
  words: "Music for your moods",
  needed: false,
  about({ holds }) {
    const own = Object.keys(holds.moods).length;
    const whose = own === 0 ? "From your songs, and by search" : own === 6 ? "Your own music for every mood" : `Your own music for ${own} of 6 moods`;
    return `${whose}. ${GOALS[holds.goal][1]} Never louder than ${holds.volume_cap}%.`;
  },
  done: ({ steps }) => steps.music === "done",
  draw(body, house) {
    const { settings, holds } = house.state;
    const answer = make("p", { class: "answer", role: "status" });
    const next = make("button", { type: "button", class: "button" }, "That is all");
    press(next, answer, () => house.finished("music"));
    body.append(
      make("p", {}, "Give each mood a playlist, album or artist of yours: in Spotify choose Share, Copy link, and paste it. Best are playlists that you made yourself, for Spotify lets no app read other people’s. A mood without music of its own is served from your songs, and by search."),
      form(
        "Save the music",
        async (typed) => {
          const moods = Object.fromEntries(Object.keys(MOODS).map((mood) => [mood, typed[mood].trim()]).filter(([, link]) => link));
          await house.change({ moods });
          await house.again();
          return house.state.simulated && Object.keys(moods).length > 0 ? "Saved. Whether Spotify finds it shows when you have signed in; until then the simulated speaker plays." : "Saved. It holds at once.";
        },
        make("div", { class: "pair wide" }, ...Object.entries(MOODS).map(([mood, words]) => moodField(mood, words, settings, holds))),
      ),
      make("hr", {}),
      make("h3", {}, "How it behaves"),
      behaviour(house),
      make("hr", {}),
      make("div", { class: "form-end" }, next),
      answer,
    );
  },
};

function moodField(mood, words, settings, holds) {
  const filed = settings.moods[mood] ? null : holds.moods[mood];
  const shown = field(words, { name: mood, value: settings.moods[mood] ?? "", autocomplete: "off", autocapitalize: "off", spellcheck: "false", inputmode: "url", placeholder: filed ?? "Chosen by Moodify" }, filed ? "The configuration file names this; what you write here counts instead." : "");
  shown.dataset.of = mood;
  return shown;
}

function behaviour(house) {
  const { holds, settings } = house.state;
  const cap = field("Never louder than", { name: "volume_cap", type: "range", min: 5, max: 100, step: 5, value: holds.volume_cap });
  const says = make("output", { class: "quiet" }, `${holds.volume_cap}%`);
  cap.input.addEventListener("input", () => { says.textContent = `${cap.input.value}%`; });
  cap.append(says);
  let quiet = holds.quiet_hours;
  return form(
    "Save",
    async (typed) => {
      const hours = typed.start && typed.end ? { start: typed.start, end: typed.end } : null;
      const wanted = { goal: typed.goal, volume_cap: Number(typed.volume_cap), quiet_hours: hours, start_when_silent: typed.start_when_silent === "on" };
      // What nobody has touched stays the configuration file's.
      const before = { ...house.state.holds, quiet_hours: quiet ? { start: quiet.start.slice(0, 5), end: quiet.end.slice(0, 5) } : null };
      const other = Object.entries(wanted).filter(([name, value]) => JSON.stringify(value) !== JSON.stringify(before[name]));
      if (other.length > 0) await house.change(Object.fromEntries(other));
      if (typed.listener !== undefined) await house.shell.ask("PUT", "/api/listener", { user: typed.listener || null });
      await house.again();
      quiet = house.state.holds.quiet_hours;
      return "Saved. It holds at once.";
    },
    make(
      "fieldset",
      { class: "picks three" },
      make("legend", {}, "What the music is for"),
      ...Object.entries(GOALS).map(([goal, [words, hint]]) => make("label", { class: "pick" }, make("input", { type: "radio", name: "goal", value: goal, checked: goal === holds.goal }), make("span", {}, make("b", {}, words), make("span", { class: "hint" }, hint)))),
    ),
    cap,
    make("fieldset", { class: "picks" }, make("legend", {}, "Quiet hours"), make("div", { class: "pair" }, field("From", { name: "start", type: "time", value: quiet ? quiet.start.slice(0, 5) : "" }), field("To", { name: "end", type: "time", value: quiet ? quiet.end.slice(0, 5) : "" })), make("p", { class: "hint" }, settings.quiet_hours || !quiet ? "Then a mood neither starts nor changes music; the button still does. Leave both empty for none." : "Then a mood neither starts nor changes music; the button still does. These are the configuration file’s; other hours here count instead.")),
    make("label", { class: "check" }, make("input", { type: "checkbox", name: "start_when_silent", checked: holds.start_when_silent }), make("span", {}, make("b", {}, "May start music by itself"), make("p", { class: "hint" }, "Otherwise a silent speaker waits for a press of the button, or for Look again."))),
    listener(house),
  );
}

function listener(house) {
  const place = make("div", {});
  (async () => {
    try {
      const [{ users }, { user }] = await Promise.all([house.shell.ask("GET", "/api/users"), house.shell.ask("GET", "/api/listener")]);
      if (users.length < 2 && user === null) return;
      const shown = choice("Whose wishes count", [["", "Everybody’s: the house’s own"], ...users.map(({ id, first_name, last_name }) => [id, `${first_name} ${last_name}`.trim()])], user ?? "", "Music, goal, volume and quiet hours of that person’s account come first.");
      shown.input.name = "listener";
      place.replaceWith(shown);
    } catch {
      // The rest of the form serves without it.
    }
  })();
  return place;
}
