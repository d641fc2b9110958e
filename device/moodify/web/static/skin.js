// A person's own face record: what it is, allowing it, a look, what came of it, and the end of it. Numbers alone; no picture reaches the page.

import { fetched } from "./fetched.js";
import { choice, day, icon, make, press, sure, tell } from "./parts.js";
import { looked } from "./skin_look.js";
import { advice, measures, result, unmeasured } from "./skin_numbers.js";
import { earlier } from "./skin_looks.js";

export const title = "Your skin";

const EYE = "M2 12s4-7 10-7 10 7 10 7-4 7-10 7S2 12 2 12zM12 9a3 3 0 1 0 0 6 3 3 0 0 0 0-6z";
const PRINTS = 12;
const TYPES = [
  ["", "not said"],
  [1, "I: always burns, never tans"],
  [2, "II: burns easily, tans little"],
  [3, "III: burns sometimes, tans slowly"],
  [4, "IV: burns rarely, tans well"],
  [5, "V: brown, burns very rarely"],
  [6, "VI: very dark, never burns"],
];
const HOW = [
  "Sit in an even light, as for a passport picture, and each time at the same place: shine depends on where the lamp is more than on anything else.",
  "Hold the reference card beside your chin if you want redness and tone too.",
  "Look into the camera, and do what it says: come closer, more light, hold still.",
  "It takes three shots, a second apart. Each is measured at once and forgotten; numbers stay.",
];

// Drawn by a sheet of its own, which is fetched with the view.
function dressed() {
  return new Promise((done) => {
    if (document.getElementById("skin-css")) done();
    else document.head.append(make("link", { id: "skin-css", rel: "stylesheet", href: "/static/skin.css", onload: done, onerror: done }));
  });
}

export async function open(main, shell) {
  const [standing] = await Promise.all([shell.ask("GET", "/api/me/skin"), dressed()]);
  let leave = () => {};
  let gone = false;
  const shown = { main, shell, standing, redraw };

  // Draw it anew: what was chosen here has changed something. `focus` is the id of what is read next.
  async function redraw(focus = "skin-title", { begin = false, portrait = null } = {}) {
    shown.standing = await shell.ask("GET", "/api/me/skin");
    if (gone) return;
    await drawn(begin, portrait);
    if (!gone) main.querySelector(`#${focus}`)?.focus();
  }

  async function drawn(begin, portrait = null) {
    leave();
    leave = () => {};
    if (shown.standing.opted_in_at === null) invite(shown);
    else if (begin || shown.standing.under_way) leave = looked(main, shell, begin, (record, portrait) => redraw(record ? "result-title" : "skin-title", { portrait: portrait ? record : null }));
    else {
      const found = await shell.ask("GET", "/api/me/skin/looks");
      if (!gone) leave = record(shown, found, portrait);
    }
  }

  await drawn(false);
  return () => {
    gone = true;
    leave();
  };
}

function head(...right) {
  return make(
    "header",
    { class: "history-head" },
    make("div", {}, make("h1", { id: "skin-title", tabindex: "-1" }, "Your skin"), make("p", { class: "quiet" }, "A look when you ask for one. Numbers for you alone; no picture is kept.")),
    ...right,
  );
}

function dots(...lines) {
  return make("ul", { class: "dots" }, ...lines.map((line) => make("li", {}, line)));
}

// Before anything is allowed.

function invite({ main, shell, redraw }) {
  const answer = make("p", { class: "answer", role: "status" });
  const allow = press(make("button", { type: "button", class: "button main-button" }, "Allow looks at my skin"), answer, async () => {
    await shell.ask("PUT", "/api/me/skin", { opted_in: true });
    await redraw();
  });
  main.replaceChildren(
    head(),
    make(
      "div",
      { class: "skin-two" },
      make(
        "section", { class: "card stack", "aria-labelledby": "is-title" },
        make("h2", { id: "is-title" }, "What it is"),
        dots(
          "The camera looks at your face for some seconds, when you ask and at no other time.",
          "It measures shine and texture; with a printed card in view also redness and tone.",
          "It compares you with yourself: your own earlier looks, and nobody else’s.",
          "It tells how sure it is, and leaves empty what it could not measure.",
        ),
      ),
      make(
        "section", { class: "card stack", "aria-labelledby": "not-title" },
        make("h2", { id: "not-title" }, "What it is not"),
        dots(
          "No diagnosis. It finds no illness, and replaces nobody who does: what hurts, itches, bleeds, changes or worries you is for a doctor, a pharmacist or a dermatologist.",
          "No beauty contest. 50 is your own usual, whatever that is.",
          "No measure of water or elasticity: no camera can tell these.",
        ),
        how(null),
      ),
      make(
        "section", { class: "card stack skin-wide", "aria-labelledby": "yes-title" },
        make("h2", { id: "yes-title" }, "If you allow it"),
        dots(
          "Numbers and dates are kept with your account on this device. Nobody else sees them on the page, no owner either; whoever may use the device’s own terminal can read them, and take them along in a backup with keys.",
          "Nothing of it leaves this device unless you switch that on.",
          "It knows no faces: who sits before the camera is looked at, so let others step aside.",
          "While a look goes on, Moodify tells the room by your first name that you have one; not what comes of it.",
          "You erase single looks, or all of them by allowing it no longer. With your account they go too.",
        ),
        make("div", { class: "form-end" }, allow),
        answer,
      ),
    ),
  );
}

// Limits, in short; the card of the record has the figures.
function how(type) {
  const own = type >= 5
    ? "For dark skin as you say yours is, texture is less sure: there is less light in the picture. Good light helps. Without the card the same shine gives a higher number."
    : type === 1
      ? "For very light skin as you say yours is, the same shine gives a lower number, and bright light cuts it off."
      : null;
  return make(
    "details",
    { class: "figures" },
    make("summary", {}, "How well it measures, and for whom less well"),
    make(
      "div",
      { class: "stack" },
      own ? make("p", { class: "honest" }, own) : null,
      dots(
        "It was tried on rendered faces and on changed copies of pictures, not against a clinic’s instruments.",
        "Shine moves by dozens of points when the lamp moves; compare looks in one place and light only.",
        "Texture takes a sharp picture and 120 pixels between the eyes. A camera that smooths faces changes it wholly.",
        "Redness rises with a tan as with blood. With a home-made card it is right relative to that card alone.",
        "Scales were set for medium skin, which is a bias. On dark skin texture is noisier, and without the card shine is told too high; on very light skin shine is told too low.",
        "Children, glasses that mirror and beards on the cheeks were not tried; make-up counts as skin.",
      ),
      make("p", { class: "quiet" }, "The figures are in the card of the face record, docs/skin-card.md, which comes with Moodify."),
    ),
  );
}

// What is kept.

// `portrait` is the record of one of the sample's, which is shown once and is not among them; null mostly.
function record({ main, shell, standing, redraw }, { looks, kept, trends, care }, portrait) {
  const answer = make("p", { class: "answer", role: "status" });
  const begin = press(make("button", { type: "button", class: "button main-button" }, icon(EYE), "Take a look"), answer, async () => {
    await shell.ask("POST", "/api/me/skin/look", {});
    await redraw("look-say", { begin: true });
  });
  const top = head(make("div", { class: "form-end" }, begin));
  const newest = looks.at(-1);
  const place = make("div", { class: "skin-two" });
  const watching = [];
  const show = (look) => {
    const measured = measures(look, looks, trends);
    watching.splice(0).forEach((end) => end());
    watching.push(measured.end);
    place.replaceChildren(
      result(look, newest, trends),
      ...measured.cards,
      unmeasured(),
      look === newest ? advice(care) : make("p", { class: "quiet skin-wide" }, "Advice stands beside the newest look."),
    );
    measured.start();
  };
  if (portrait) show({ record: portrait, portrait: true });
  else if (newest) show(newest);
  else {
    place.append(
      make(
        "section", { class: "card stack skin-wide", "aria-labelledby": "first-title" },
        make("h2", { id: "first-title" }, "How a look goes"),
        make("ol", { class: "how" }, ...HOW.map((line) => make("li", {}, line))),
        make("p", { class: "quiet" }, "The fourth look is the first that can be compared with your usual; a trend takes five."),
      ),
    );
  }
  const list = newest
    ? earlier(looks, kept, {
        show: (look) => { show(look); main.querySelector("#result-title").focus(); },
        erase: async (look) => {
          if (!(await sure(`Erase the look of ${day(look.record.looked_at)}? It can’t be brought back.`, "Erase"))) return;
          await shell.ask("DELETE", `/api/me/skin/looks/${look.id}`);
          await redraw(looks.length > 1 ? "looks-title" : "skin-title");
        },
      })
    : null;
  main.replaceChildren(top, answer, place, make("div", { class: "skin-two" }, ...(list ? [list] : []), yours(shell, standing, kept, redraw), printing(shell, newest)));
  return () => watching.forEach((end) => end());
}

function yours(shell, standing, kept, redraw) {
  const answer = make("p", { class: "answer", role: "status" });
  const type = choice("Your skin type, as you would say", TYPES, shell.me.skin_type ?? "", "Fitzpatrick’s types. It is never measured; it is kept beside a look, and tells how far the numbers hold for you.");
  const share = make("input", { type: "checkbox", id: "skin-share", checked: standing.shared });
  const limits = make("div", {}, how(shell.me.skin_type));
  // Told beside it; what could not be done is not shown as done.
  const change = (input, act, undo) => input.addEventListener("change", async () => {
    input.disabled = true;
    try {
      tell(answer, await act());
    } catch (problem) {
      undo();
      tell(answer, problem);
    } finally {
      input.disabled = false;
    }
  });
  change(
    type.input,
    async () => {
      shell.welcome(await shell.ask("PATCH", "/api/me", { skin_type: type.input.value === "" ? null : Number(type.input.value) }));
      limits.replaceChildren(how(shell.me.skin_type));
      return "Saved. It counts from the next look on.";
    },
    () => { type.input.value = shell.me.skin_type ?? ""; },
  );
  change(
    share,
    async () => {
      standing = await shell.ask("PUT", "/api/me/skin", { shared: share.checked });
      share.checked = standing.shared;
      return standing.shared ? "The numbers of your newest look go out from now on." : "Nothing of it goes out any more, and what did is taken back.";
    },
    () => { share.checked = standing.shared; },
  );
  const stop = press(make("button", { type: "button", class: "button danger" }, "Allow it no longer"), answer, async () => {
    const question = kept === 0 ? "Allow no looks any more?" : `Allow no looks any more, and erase ${kept === 1 ? "the one" : `all ${kept}`} that you have had? ${kept === 1 ? "It" : "They"} can’t be brought back.`;
    if (!(await sure(question, kept === 0 ? "Stop" : "Erase and stop"))) return;
    await shell.ask("PUT", "/api/me/skin", { opted_in: false });
    await redraw();
  });
  return make(
    "section", { class: "card stack", "aria-labelledby": "yours-title" },
    make("h2", { id: "yours-title" }, "It is yours"),
    type,
    limits,
    make(
      "label", { class: "check", for: "skin-share" },
      share,
      make("span", {}, "Share my newest look with the household’s hub or broker", make("span", { class: "hint skin-hint" }, "Off unless you want it. The numbers go out as an MQTT message, under your account’s number, without your name; whoever reads there sees them.")),
    ),
    make("div", { class: "form-end" }, stop),
    make("p", { class: "quiet" }, `Allowed by you on ${day(standing.opted_in_at)}. To take it along: `, make("a", { href: "#/people" }, "People"), ", What is kept of you."),
    answer,
  );
}

function printing(shell, newest) {
  const answer = make("p", { class: "answer", role: "status" });
  const print = choice("Number of the print", Array.from({ length: PRINTS }, (_, n) => [n, String(n)]), newest?.record.card ?? 0, "Take another for each new print: colours are compared between looks with the same one.");
  const place = make("div", { class: "form-end" });
  const offer = () => place.replaceChildren(fetched("Get the card as PDF", `/api/me/skin/card.pdf?print=${print.input.value}`, shell, answer, "Your browser is fetching it. Print it on A4 at 100 %."));
  print.input.addEventListener("change", offer);
  offer();
  return make(
    "section", { class: "card stack", "aria-labelledby": "card-title" },
    make("h2", { id: "card-title" }, "The reference card"),
    make("p", {}, "For redness and tone: print it in colour on matte paper at 100 %, and hold it beside your chin, flat towards the camera, in the light that is on your face. The line on it must be 100 mm long."),
    make("p", { class: "quiet" }, "Keep it dark and dry. After a year make a new one: your usual of redness and tone then begins anew."),
    print,
    place,
    answer,
  );
}
