// A look that goes on: what to do next in big words, and how many of its shots are taken. Nothing of the picture is shown.

import { draw, make, press, sentence, tell, write } from "./parts.js";

const PACE_MS = 250;
const AGAIN_MS = 1_000;
// What is read out takes its time; a step that only flickers by is left out.
const READ_MS = 1_200;
const SILENT_AT_MOST = 10;

const ARC = 108; // of 360, with a gap of 12

function dial() {
  const shots = [0, 1, 2].map((n) =>
    draw("circle", { class: "look-shot", r: 104, pathLength: 360, "stroke-dasharray": `${ARC} ${360 - ARC}`, transform: `rotate(${n * 120 - 84})` }),
  );
  const face = draw(
    "g",
    { class: "look-face" },
    draw("ellipse", { class: "look-skin", rx: 44, ry: 57 }),
    draw("path", { class: "look-shade", d: "M0 -57A44 57 0 0 1 0 57Z" }),
    draw(
      "g",
      { class: "look-features" },
      draw("circle", { class: "look-eye", cx: -16, cy: -9, r: 4 }),
      draw("circle", { class: "look-eye", cx: 16, cy: -9, r: 4 }),
      draw("path", { d: "M0 -4V10H5" }),
      draw("path", { class: "look-mouth", d: "M-13 26H13" }),
      draw("path", { class: "look-smile", d: "M-15 23Q0 37 15 23" }),
    ),
  );
  const svg = draw("svg", { class: "look-dial", viewBox: "-124 -124 248 248", "aria-hidden": "true" }, draw("circle", { class: "look-ring", r: 88 }), ...shots, face);
  return {
    svg,
    show(step, taken) {
      svg.dataset.step = step;
      shots.forEach((shot, n) => shot.classList.toggle("taken", n < taken));
    },
  };
}

// Felt in the hand by who looks into the camera. Before the page was touched a browser refuses it, loudly.
function shake(pattern) {
  if (navigator.userActivation?.hasBeenActive) navigator.vibrate?.(pattern);
}

const pause = (ms) => new Promise((done) => { setTimeout(done, ms); });

// Follow the look that goes on, in `main`. `mine`: it was begun here, and ends with this view; one that another tab or a terminal began does not.
// `ended` is called with what came of it, or null once nothing of it is to be seen any more. Returns what leaves it.
export function looked(main, shell, mine, ended) {
  const drawn = dial();
  const say = make("p", { id: "look-say", class: "look-say", tabindex: "-1", role: "status" }, "Look into the camera.");
  const count = make("p", { class: "quiet", role: "status" }, "No shot yet");
  const answer = make("p", { class: "answer", role: "status" });
  const stop = make("button", { type: "button", class: "button" }, "Stop");
  const again = make("button", { type: "button", class: "button main-button", hidden: true }, "Try again");
  let over = false;
  let left = false;
  let saidAt = -Infinity;
  let next = null;
  let taken = 0;
  // The last question about the look: it is answered before the look is ended, for of one that is over there is nothing to tell.
  let asking = Promise.resolve();
  let stopping = false;

  function speak(text) {
    clearTimeout(next);
    const wait = saidAt + READ_MS - performance.now();
    if (wait > 0 && say.textContent !== text) next = setTimeout(() => speak(text), wait);
    else if (say.textContent !== text) {
      write(say, text);
      saidAt = performance.now();
    }
  }

  function show({ guidance }) {
    if (guidance === null) return;
    if (guidance.taken > taken) shake(60);
    taken = guidance.taken;
    drawn.show(guidance.step, taken);
    speak(guidance.say);
    write(count, taken === 0 ? "No shot yet" : `${taken} of ${guidance.of} shots`);
  }

  // Where the appliance did not say how it ended, it may have been done: that it was not kept would be a guess.
  function failed(why, kept = "If it was done, it is among your looks.") {
    over = true;
    clearTimeout(next);
    drawn.show("gave up", 0);
    say.classList.add("long");
    write(say, sentence(why));
    write(count, kept);
    write(stop, "Back");
    again.hidden = false;
  }

  async function follow() {
    let version = 0;
    let silent = 0;
    while (!over && !left) {
      if (stopping) {
        await pause(PACE_MS);
        continue;
      }
      let now = null;
      try {
        const asked = shell.ask("GET", `/api/me/skin/look?after=${version}`);
        asking = asked.catch(() => {});
        now = await asked;
        silent = 0;
      } catch (problem) {
        if (left) return;
        // What it meets is told beside it.
        if (stopping) await pause(AGAIN_MS);
        else if (problem.status === 404) failed("The look is over. Begin another");
        else if ((problem.status !== 0 && problem.status !== 503) || ++silent > SILENT_AT_MOST) failed(problem.detail ?? "Something on this page went wrong. Reload it");
        else await pause(AGAIN_MS);
        continue;
      }
      if (left) return;
      version = now.version;
      show(now);
      if (now.failed !== null) {
        failed(now.failed, "Nothing of it was kept.");
        // At once: one that is begun again meanwhile is followed by itself, and its end would wait for the questions of one of two alone.
        return;
      }
      if (now.record !== null) {
        over = true;
        clearTimeout(next);
        shake([60, 80, 60]);
        drawn.show("done", 3);
        write(say, "Done. Thank you.");
        await pause(AGAIN_MS);
        if (!left) ended(now.record, now.portrait);
        return;
      }
      await pause(PACE_MS);
    }
  }

  press(stop, answer, async () => {
    stopping = true;
    try {
      await asking;
      if (!over) await shell.ask("DELETE", "/api/me/skin/look");
    } finally {
      stopping = false;
    }
    over = left = true;
    await ended(null);
  });
  press(again, answer, async () => {
    await shell.ask("POST", "/api/me/skin/look", {});
    mine = true;
    over = false;
    saidAt = -Infinity;
    taken = 0;
    drawn.show("", 0);
    say.classList.remove("long");
    write(say, "Look into the camera.");
    write(count, "No shot yet");
    write(stop, "Stop");
    again.hidden = true;
    say.focus();
    follow().catch((problem) => tell(answer, problem));
  });

  main.replaceChildren(
    make(
      "section",
      { class: "card look", "aria-labelledby": "look-title" },
      make("h1", { id: "look-title", class: "label" }, "A look at your skin"),
      drawn.svg,
      say,
      count,
      make("div", { class: "form-end look-end" }, again, stop),
      answer,
      make("p", { class: "quiet" }, "No picture is shown, kept or sent; each shot becomes numbers at once."),
    ),
  );
  follow().catch((problem) => tell(answer, problem));
  return () => {
    left = true;
    clearTimeout(next);
    if (mine && !over) asking.then(() => shell.ask("DELETE", "/api/me/skin/look")).catch(() => {});
  };
}
