// A hub that the device tells what happens, and the notice for visitors.

import { choice, field, form, make, press, tell } from "./parts.js";

export const hub = {
  name: "hub",
  words: "Look at it from elsewhere",
  needed: false,
  about({ hub: { enrolled, broker, enabled } }) {
    if (!enabled) return "Nothing is sent: the configuration says so.";
    if (broker) return `Summaries go to the broker ${broker}, as the configuration says.`;
    return enrolled ? `This device belongs to the hub ${enrolled.name}.` : "Optional: a hub of yours shows several devices and warns you.";
  },
  done: ({ hub: { enrolled, broker } }) => Boolean(enrolled || broker),
  draw(body, house) {
    const { hub: link } = house.state;
    const answer = make("p", { class: "answer", role: "status" });
    const found = make("div", { class: "stack" });
    const skip = make("button", { type: "button", class: "button" }, "Without a hub");
    press(skip, answer, () => house.finished("hub", "skipped"));
    body.append(...[
      make("p", {}, "A hub is Moodify on another machine of yours. It gets moods, songs and health, never a picture, and keeps what it gets. Without one, everything stays on this device."),
      link.enrolled ? make("p", {}, "It belongs to ", make("b", {}, link.enrolled.name), ` (${link.enrolled.host}:${link.enrolled.port}).`) : null,
      link.message ? make("p", { class: "notice" }, link.message) : null,
      make("p", {}, "So that the hub lets this device in, run there:"),
      make("code", { class: "block" }, link.command),
      form(
        "Find the hub",
        async ({ address }) => {
          found.replaceChildren();
          const seen = await house.shell.ask("POST", "/api/hub/look", { address: address.trim() || null });
          found.replaceChildren(vouch(seen, house, answer));
          found.querySelector("button").focus();
        },
        field("Its address", { name: "address", autocomplete: "off", autocapitalize: "off", spellcheck: "false", placeholder: "hub.home" }, "Leave it empty to listen on the home network for some seconds."),
      ),
      found,
      make("div", { class: "form-end" }, skip),
      answer,
    ].filter(Boolean));
  },
};

function vouch(seen, house, answer) {
  const same = make("button", { type: "button", class: "button main-button" }, "The hub shows the same");
  press(same, answer, async () => {
    const { message } = await house.shell.ask("POST", "/api/hub", { host: seen.host, port: seen.port, fingerprint: seen.fingerprint });
    house.shell.say(message);
    await house.finished("hub");
    return undefined;
  });
  return make(
    "div",
    { class: "stack" },
    make("p", {}, make("b", {}, seen.name), ` answers at ${seen.host}:${seen.port}, and shows this fingerprint. Compare it with what “moodify hub status” prints on the hub itself:`),
    make("code", { class: "block" }, seen.fingerprint),
    make("div", { class: "form-end" }, same),
  );
}

export const notice = {
  name: "notice",
  words: "Tell your visitors",
  needed: false,
  about: () => "A notice to put up where people see it.",
  done: ({ steps }) => steps.notice === "done",
  draw(body, house) {
    const answer = make("p", { class: "answer", role: "status" });
    const text = make("article", { class: "sheet" });
    const language = choice("Language", [["en", "English"], ["de", "Deutsch"]], navigator.language.startsWith("de") ? "de" : "en");
    const print = make("button", { type: "button", class: "button main-button", onclick: () => window.print() }, "Print it");
    const done = make("button", { type: "button", class: "button" }, "It is put up");

    async function show() {
      try {
        const { title, lead, points, end } = await house.shell.ask("GET", `/api/notice?language=${language.input.value}`);
        text.lang = language.input.value;
        text.replaceChildren(make("h3", {}, title), make("p", {}, lead), make("ul", { class: "dots" }, ...points.map((point) => make("li", {}, make("b", {}, point.label), point.text))), make("p", {}, end));
      } catch (problem) {
        tell(answer, problem);
      }
    }

    language.input.addEventListener("change", show);
    press(done, answer, () => house.finished("notice"));
    body.append(make("p", {}, "Whoever is in the room should know that Moodify looks at faces, and how to close its camera. This is true of your appliance as it is set up now."), language, text, make("div", { class: "form-end" }, print, done), answer);
    show();
  },
};
