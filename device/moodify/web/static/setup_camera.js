// The camera's aim: its picture, on this page alone, for two minutes at most.

import { draw, make, press, tell, write } from "./parts.js";

const PACE_MS = 250;
const ADVICE = {
  "too small": "Somebody is too far away to be judged: bring the camera closer, or stand nearer.",
  "too dark": "It is too dark to judge a face: put a light on, or turn the camera away from the window.",
  "too bright": "It is too bright to judge a face: keep the sun out of the picture.",
  blurred: "The face is blurred: clean the lens, take its film off, or put more light on.",
  "turned away": "The face is turned away: put the camera where people look, at the height of their eyes.",
  "not confident": "The face is seen, but its mood can’t be told: look at the camera for a moment.",
};

export const camera = {
  name: "camera",
  words: "Aim the camera",
  needed: false,
  about: ({ privacy }) => (privacy ? "Privacy is on: the camera is closed." : "See what it sees, for two minutes at a time."),
  done: ({ steps }) => steps.camera === "done",
  draw(body, house) {
    const picture = make("img", { class: "aim-picture", alt: "What the camera sees now", hidden: true });
    const boxes = draw("svg", { class: "aim-boxes", viewBox: "0 0 100 100", preserveAspectRatio: "none", "aria-hidden": "true" });
    const frame = make("div", { class: "aim" }, make("p", { class: "quiet" }, "No picture yet"), picture, boxes);
    const advice = make("p", { class: "aim-advice", role: "status" });
    const left = make("p", { class: "quiet", "aria-live": "off" });
    const answer = make("p", { class: "answer", role: "status" });
    const show = make("button", { class: "button main-button" }, "Show the picture");
    const good = make("button", { class: "button" }, "It looks right");
    const skip = make("button", { class: "button" }, "Leave this out");
    let until = 0;
    let taken = false; // by the server; why, the stream may say a moment later
    let timer = null;
    let clock = null;

    function over(words = "") {
      until = 0;
      taken = false;
      clearTimeout(timer);
      clearInterval(clock);
      picture.hidden = true;
      picture.removeAttribute("src");
      boxes.replaceChildren();
      write(left, "");
      write(advice, "");
      write(show, "Show the picture");
      if (words) tell(answer, words);
    }

    function next() {
      if (until > 0) picture.src = `/api/aiming/picture?${Date.now()}`;
    }

    picture.addEventListener("load", () => {
      picture.hidden = false;
      timer = setTimeout(() => (document.hidden ? document.addEventListener("visibilitychange", next, { once: true }) : next()), PACE_MS);
    });
    picture.addEventListener("error", async () => {
      if (until === 0) return;
      try {
        // The session may only be stale; and only the server knows whether the time is over, or privacy began.
        const { left_s } = await house.shell.ask("GET", "/api/aiming");
        if (until === 0) return;
        if (left_s === 0) {
          over("The picture is shown no more.");
          taken = true;
        } else timer = setTimeout(next, 4 * PACE_MS);
      } catch (problem) {
        over();
        tell(answer, problem);
      }
    });

    press(show, answer, async () => {
      if (until > 0) {
        await house.shell.ask("DELETE", "/api/aiming");
        over();
        return "The picture is shown no more.";
      }
      const { left_s } = await house.shell.ask("POST", "/api/aiming");
      until = performance.now() + left_s * 1000;
      write(show, "Hide the picture");
      const tick = () => {
        const s = Math.max(0, Math.ceil((until - performance.now()) / 1000));
        write(left, `Shown to you alone for ${Math.floor(s / 60)}:${String(s % 60).padStart(2, "0")} more; nothing of it is kept.`);
        if (s === 0) over("Two minutes are over. Show it again where you need more time.");
      };
      clock = setInterval(tick, 1000);
      tick();
      next();
      return "";
    });
    press(good, answer, () => house.finished("camera"));
    press(skip, answer, () => house.finished("camera", "skipped"));

    body.append(
      make("p", {}, "Put the camera where people’s faces are seen from the front, at about the height of their eyes. No picture leaves it, but the view that its owner aims by: this one, and only to you, on this page."),
      frame,
      advice,
      left,
      make("div", { class: "form-end" }, show, good, skip),
      answer,
    );
    const leave = house.shell.onNow(({ seen, privacy }) => {
      if (privacy && (until > 0 || taken)) over("Privacy is on: the camera is closed.");
      if (until === 0) return;
      boxes.replaceChildren(...seen.faces.map(({ box: [x0, y0, x1, y1], not_judged }) => draw("rect", { x: x0 * 100, y: y0 * 100, width: (x1 - x0) * 100, height: (y1 - y0) * 100, rx: 2, class: not_judged ? "unjudged" : "judged" })));
      const why = seen.faces.find(({ not_judged }) => not_judged)?.not_judged;
      write(advice, seen.faces.length === 0 ? "Nobody is seen. Stand where people usually are." : why ? ADVICE[why] : seen.faces.length === 1 ? "One face, seen well." : `${seen.faces.length} faces, all seen well.`);
    });
    return () => {
      leave();
      if (until > 0) house.shell.ask("DELETE", "/api/aiming").catch(() => {});
      over();
    };
  },
};
