// The room now: mood, people, music and why, what happened lately, and the buttons. Nothing in here decides anything.

import { $, clock, copyOf, draw, make, percent, tellAWhile, write } from "./parts.js";

export const title = "Now";

const EVENTS_SHOWN = 14;

const MOODS = {
  happy: "happy", surprised: "surprised", calm: "calm", sad: "sad", angry: "angry", tense: "tense",
  unsure: "I can’t tell", absent: "nobody here",
};
// Mouth and brows of the drawn face, in a square from -50 to 50.
const FACES = {
  neutral: ["M-16 20H16", ""],
  happiness: ["M-22 13Q0 38 22 13", ""],
  surprise: ["M-9 22a9 11 0 1 0 18 0a9 11 0 1 0 -18 0", "M-28-26Q-19-34-10-27M10-27Q19-34 28-26"],
  sadness: ["M-18 27Q0 10 18 27", "M-28-20L-12-27M12-27L28-20"],
  anger: ["M-16 24H16", "M-28-27L-10-18M10-18L28-27"],
  disgust: ["M-18 24Q-8 14 0 21T18 20", "M-28-22L-10-19M10-19L28-25"],
  fear: ["M-18 24Q-12 16-6 22T6 22T18 22", "M-28-22L-12-29M12-29L28-22"],
  contempt: ["M-16 22Q4 24 18 13", "M-28-21H-10M10-23L28-26"],
};

// The mood: words, disc, ring.

let trail = [];

function showMood(mood, privacy) {
  const felt = mood !== null && mood.mood !== "unsure" && mood.mood !== "absent";
  const word = privacy ? "not looking" : mood ? MOODS[mood.mood] : "looking";
  const sure = felt ? `${percent(mood.confidence)} sure, since ${clock(mood.since)}` : mood ? `Since ${clock(mood.since)}` : "";
  write($("mood-title"), felt ? "The room feels" : "The room");
  write($("mood"), word);
  $("mood").classList.toggle("long", word.length > 6);
  write($("mood-detail"), privacy ? "Privacy is on: the camera is closed." : sure || "Waiting for the first look.");
  write($("said"), privacy ? "Privacy is on, the camera is closed." : felt ? `The room feels ${word}.` : mood?.mood === "absent" ? "Nobody is here." : mood ? "The mood can’t be told." : "");

  const disc = $("disc");
  disc.classList.toggle("nowhere", !felt);
  $("sure").style.strokeDasharray = `${felt ? mood.confidence * 100 : 0} 100`;
  if (!felt) {
    write($("disc-title"), "Valence and arousal: no mood to draw");
    trail = [];
    $("trail").replaceChildren();
    return;
  }
  const length = Math.max(1, Math.hypot(mood.valence, mood.arousal));
  const at = { x: (mood.valence / length) * 172, y: (-mood.arousal / length) * 172 };
  $("point").style.transform = `translate(${at.x}px, ${at.y}px)`;
  write($("disc-title"), `Valence ${mood.valence.toFixed(1)}, from unpleasant -1 to pleasant 1; arousal ${mood.arousal.toFixed(1)}, from drowsy -1 to excited 1`);
  const last = trail.at(-1);
  if (!last || Math.hypot(last.x - at.x, last.y - at.y) > 8) {
    trail = [...trail.slice(-9), at];
    $("trail").replaceChildren(
      ...trail.slice(0, -1).map(({ x, y }, n) => draw("circle", { cx: x, cy: y, r: 3 + n * 0.4, opacity: 0.08 + n * 0.04 })),
    );
  }
}

// The people: glyphs where the faces are, and a line for each.

function glyph(face) {
  const [x0, y0, x1, y1] = face.box;
  const size = Math.max((x1 - x0) * 320, (y1 - y0) * 240) / 100;
  const [mouth, brows] = FACES[face.emotion] ?? ["", ""];
  return draw(
    "g",
    { class: face.not_judged ? "face unjudged" : "face", transform: `translate(${(x0 + x1) * 160} ${(y0 + y1) * 120}) scale(${size})` },
    draw("circle", { class: "skin", r: 50 }),
    ...(face.not_judged ? [] : [
      draw("circle", { class: "eye", cx: -18, cy: -9, r: 5 }),
      draw("circle", { class: "eye", cx: 18, cy: -9, r: 5 }),
      draw("path", { d: mouth }),
      draw("path", { d: brows }),
    ]),
  );
}

function showSeen(seen, privacy) {
  const { people, faces } = seen;
  write($("people"), privacy ? "Nothing: the camera is closed" : people === null ? "Nothing: see the camera" : people === 0 ? "Nobody" : people === 1 ? "One person" : `${people} people`);
  write($("view-title"), privacy ? "The camera is closed" : people === null ? "The camera does not see" : `${people} faces in front of the camera`);
  write($("view-note"), privacy ? "Privacy" : people === null ? "No picture" : people === 0 ? "Nobody in view" : "");
  $("faces").replaceChildren(...faces.map(glyph));
  $("face-list").replaceChildren(
    ...faces.map((face) =>
      face.not_judged
        ? make("li", {}, make("b", {}, "Counted, not judged"), make("span", { class: "quiet" }, face.not_judged))
        : make("li", {}, make("b", {}, face.emotion), make("span", { class: "quiet" }, `${percent(face.confidence)} sure`)),
    ),
  );
}

// The music.

function showMusic(music) {
  const silent = !music.title;
  write($("music-state"), music.playing ? "Playing" : silent ? "Music" : "Paused");
  write($("title"), silent ? "Silence" : music.title);
  write($("artist"), [music.artist, music.speaker && `on ${music.speaker}`].filter(Boolean).join(" · "));
  write($("reason"), music.reason ?? "");
  $("why").hidden = !music.reason;
  write($("next-track"), music.next ?? "");
  $("next").hidden = !music.next;
  write($("pause-word"), music.playing ? "Pause" : "Go on");
  $("pause-mark").setAttribute("d", music.playing ? "M8 5v14M16 5v14" : "M7 4l13 8-13 8z");
}

// What happened lately.

let eventsAsked = false;

async function showEvents(shell) {
  if (eventsAsked) return;
  eventsAsked = true;
  setTimeout(() => { eventsAsked = false; }, 2_000);
  try {
    const events = await shell.ask("GET", `/api/events?limit=${EVENTS_SHOWN}`);
    if (events.length === 0 || !$("events")) return;
    $("events").replaceChildren(
      ...events.map(({ at, text }) => make("li", {}, make("time", { datetime: at }, clock(at)), make("span", {}, text))),
    );
  } catch {
    // The stream says that the device does not answer.
  }
}

// What somebody may say: how loud, what for, and a mood that stands for the room's.

let turning = false; // a hand is at the volume, or its order is on the way

function showSay(now) {
  const { volume, goal } = now.music;
  $("volume").disabled = volume === null || volume === undefined;
  if (!turning) {
    $("volume").value = String(volume ?? 0);
    write($("volume-now"), $("volume").disabled ? "not known" : `${volume} %`);
  }
  for (const button of $("goals").children) button.setAttribute("aria-pressed", String(button.dataset.goal === goal));
  const named = now.override;
  for (const button of $("named").children) button.setAttribute("aria-pressed", String(button.dataset.moodNamed === named?.mood));
  $("by-itself").hidden = named === null;
  write($("named-until"), named === null ? "" : `${MOODS[named.mood][0].toUpperCase()}${MOODS[named.mood].slice(1)} counts until ${clock(named.until)}, whatever the camera sees.`);
}

function listenToSay(shell) {
  const say = async (method, path, body) => {
    try {
      tellAWhile($("steer-answer"), (await shell.ask(method, path, body)).message);
    } catch (problem) {
      if ($("steer-answer")) tellAWhile($("steer-answer"), problem);
    }
  };
  $("volume").addEventListener("input", () => {
    turning = true;
    write($("volume-now"), `${$("volume").value} %`);
  });
  $("volume").addEventListener("change", async () => {
    await say("PUT", "/api/volume", { percent: Number($("volume").value) });
    turning = false;
  });
  for (const button of $("goals").children) button.addEventListener("click", () => say("PUT", "/api/goal", { goal: button.dataset.goal }));
  for (const button of $("named").children) {
    button.addEventListener("click", () => say("PUT", "/api/mood", { mood: button.dataset.moodNamed, minutes: Number($("minutes").value) }));
  }
  $("by-itself").addEventListener("click", () => say("PUT", "/api/mood", { mood: null }));
}

let privacyOn = false;

function show(now, shell) {
  privacyOn = now.privacy;
  showMood(now.mood, now.privacy);
  showSeen(now.seen, now.privacy);
  showMusic(now.music);
  showSay(now);
  $("scan").disabled = now.privacy || !shell.live;
  $("privacy").setAttribute("aria-pressed", String(now.privacy));
  write($("privacy-word"), now.privacy ? "on" : "off");
  showEvents(shell);
}

function showLive(live) {
  for (const button of document.querySelectorAll(".buttons button, .steer button")) button.disabled = !live || (button.id === "scan" && privacyOn);
}

export function open(main, shell) {
  trail = [];
  eventsAsked = false;
  main.replaceChildren(copyOf("view-now"));
  const ask = async (method, path, body) => {
    try {
      tellAWhile($("answer"), (await shell.ask(method, path, body)).message);
    } catch (problem) {
      if ($("answer")) tellAWhile($("answer"), problem);
    }
  };
  $("scan").addEventListener("click", () => ask("POST", "/api/scan", {}));
  $("like").addEventListener("click", () => ask("POST", "/api/like", {}));
  $("skip").addEventListener("click", () => ask("POST", "/api/next", {}));
  $("pause").addEventListener("click", () => ask("POST", "/api/pause", {}));
  $("privacy").addEventListener("click", () => ask("PUT", "/api/privacy", { on: !privacyOn }));
  turning = false;
  listenToSay(shell);
  const leaves = [shell.onNow((now) => show(now, shell)), shell.onLive(showLive)];
  return () => leaves.forEach((leave) => leave());
}
