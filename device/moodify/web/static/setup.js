// The set-up: the first run's steps, and later the house's settings. One step is open at a time; #/setup/music opens that one.

import { icon, make, write } from "./parts.js";
import { camera } from "./setup_camera.js";
import { hub, notice } from "./setup_house.js";
import { music } from "./setup_music.js";
import { speaker, spotify } from "./setup_spotify.js";

export const title = "Set-up";

const TICK = "M5 13l4.5 4.5L19 7";
const OPEN = "M6 9l6 6 6-6";

// A step: name, words, needed (or may be left out), about(state) -> a line, done(state), draw(body, state, house) -> what ends it.
const STEPS = [camera, spotify, speaker, music, hub, notice];

export async function open(main, shell, [wanted] = []) {
  let state = await shell.ask("GET", "/api/setup");
  let opened = null;
  let end = null;

  const heading = make("h1", {});
  const about = make("p", { class: "quiet lead" });
  const start = make("button", { class: "button main-button", onclick: begin }, "Look at the room and play");
  const ready = make(
    "section",
    { class: "card stack ready", "aria-labelledby": "ready-title" },
    make("h2", { id: "ready-title" }, "Everything is ready"),
    make("p", {}, "Stand in front of the camera: Moodify looks at the room and plays what fits. From then on the button on the device does the same."),
    make("div", { class: "form-end" }, start),
  );
  const cards = STEPS.map(card);
  main.replaceChildren(make("header", { class: "setup-head" }, heading, about), make("ol", { class: "steps" }, ...cards.map(({ item }) => item)), ready);

  const house = {
    shell,
    get state() { return state; },
    // Read how it stands now, and draw what has changed.
    async again() {
      state = await shell.ask("GET", "/api/setup");
      show();
    },
    // Take note that a step was done or left out, and go to the next one that is not.
    async finished(step, how = "done") {
      await shell.ask("PUT", `/api/setup/steps/${step}`, { how });
      await house.again();
      const left = STEPS.slice(STEPS.findIndex(({ name }) => name === step) + 1).find((each) => !passed(each));
      unfold(left ?? null, true);
    },
    change: (values) => shell.ask("PATCH", "/api/house", values),
  };

  function passed(step) {
    return step.done(state) || state.steps[step.name] === "skipped";
  }

  function card(step, n) {
    const mark = make("span", { class: "step-mark", "aria-hidden": "true" });
    const said = make("span", { class: "step-said" });
    const button = make(
      "button",
      { type: "button", class: "step-button", id: `step-${step.name}`, "aria-expanded": "false", "aria-controls": `step-${step.name}-body`, onclick: () => unfold(opened === step ? null : step) },
      mark,
      make("span", { class: "step-words" }, make("span", { class: "step-name" }, step.words), said),
      icon(OPEN),
    );
    const body = make("div", { class: "step-body stack", id: `step-${step.name}-body`, role: "region", "aria-labelledby": `step-${step.name}`, hidden: true });
    return { step, n, mark, said, button, body, item: make("li", { class: "card step" }, make("h2", { class: "step-head" }, button), body) };
  }

  function show() {
    const left = STEPS.filter((step) => step.needed && !passed(step));
    const first = STEPS.every((step) => state.steps[step.name] === undefined) || left.length > 0;
    write(heading, first ? "Let’s set Moodify up" : "Set-up");
    write(about, left.length === 0 ? "All that is needed is done. Whatever you change here holds at once." : `${state.simulated ? "For now the simulated speaker follows the room. " : ""}For music on a speaker of your own do ${left.map(({ words }) => `“${words}”`).join(" and ")}; the other steps are as you like, now or later.`);
    ready.hidden = left.length > 0;
    for (const { step, n, mark, said, item } of cards) {
      const done = step.done(state);
      item.classList.toggle("done", done);
      mark.replaceChildren(done ? icon(TICK) : String(n + 1));
      write(said, `${done ? "Done. " : state.steps[step.name] === "skipped" ? "Left out. " : ""}${step.about(state)}`);
    }
  }

  function unfold(step, focus = false) {
    end?.();
    end = null;
    opened = step;
    for (const each of cards) {
      const here = each.step === step;
      each.button.setAttribute("aria-expanded", String(here));
      each.item.classList.toggle("open", here);
      each.body.hidden = !here;
      each.body.replaceChildren();
      if (!here) continue;
      end = step.draw(each.body, house) ?? null;
      if (focus) each.button.focus();
    }
    if (step === null && focus) (ready.hidden ? heading : start).focus();
  }

  async function begin() {
    start.disabled = true;
    try {
      await shell.ask("POST", "/api/scan", {});
      shell.go("#/now");
    } catch (problem) {
      start.disabled = false;
      shell.say(problem.detail ?? "That did not work. Reload the page.");
    }
  }

  show();
  unfold(STEPS.find(({ name }) => name === wanted) ?? STEPS.find((step) => !passed(step)) ?? null);
  return () => end?.();
}
