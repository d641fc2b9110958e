// What every view is drawn with. Text is written as text, never as markup.

const SVG = "http://www.w3.org/2000/svg";

export const $ = (id) => document.getElementById(id);
export const percent = (share) => `${Math.round(share * 100)}%`;

// A function among the attributes listens (onclick, onsubmit, …), a truth sets or leaves out, null and undefined leave out.
function dress(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name.slice(2), value);
    else if (typeof value === "boolean") element.toggleAttribute(name, value);
    else if (value !== null && value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

export function make(tag, attributes = {}, ...children) {
  return dress(document.createElement(tag), attributes, children);
}

export function draw(tag, attributes = {}, ...children) {
  return dress(document.createElementNS(SVG, tag), attributes, children);
}

// A line drawing in a square of 24, beside words that say the same.
export function icon(path) {
  return draw("svg", { viewBox: "0 0 24 24", "aria-hidden": "true", class: "icon" }, draw("path", { d: path }));
}

// A screen reader repeats what is written, so only what differs is.
export function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

// A copy of a template of the page.
export function copyOf(id) {
  return document.importNode($(id).content, true);
}

export function clock(iso) {
  const date = new Date(iso);
  const today = date.toDateString() === new Date().toDateString();
  const time = date.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", hour12: false });
  return today ? time : `${date.toLocaleDateString([], { weekday: "short" })} ${time}`;
}

// A date and time in full, for what may be long ago.
export function day(iso) {
  const date = new Date(iso);
  const time = date.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", hour12: false });
  return `${date.toLocaleDateString([], { day: "numeric", month: "short", year: "numeric" })}, ${time}`;
}

// What a log writes as a clause, as a sentence.
export function sentence(text) {
  return text ? `${text[0].toUpperCase()}${text.slice(1)}${/[.!?…]$/.test(text) ? "" : "."}` : "";
}

// What a part says of itself, as the page tells it: a command of the terminal is no use to who reads here. "Set-up" is a link for an owner, who may go there.
export function toldHere(text, owner) {
  const told = sentence((text ?? "").replace(/(sign in(?: again)?) with: moodify spotify login/gi, owner ? "$1 under Set-up" : "an owner can $1 under Set-up"));
  const [before, ...after] = told.split("Set-up");
  return owner && after.length > 0 ? [before, make("a", { href: "#/setup/spotify" }, "Set-up"), after.join("Set-up")] : [told];
}

// A text with a button that copies it.
export function copyable(text) {
  const button = make("button", { type: "button", class: "button small" }, "Copy");
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(code);
      button.textContent = "Selected: copy it";
    }
  });
  const code = make("code", {}, text);
  return make("span", { class: "copy" }, code, button);
}

// What an answer said, beside what was pressed: a text, or the problem that was thrown.
export function tell(element, what) {
  const failed = what instanceof Error;
  element.classList.toggle("failed", failed);
  element.textContent = sentence(failed ? (what.detail ?? "Something on this page went wrong. Reload it.") : what);
}

const standing = new WeakMap();

// The same for an answer to what is over at once: it goes by itself, which is not read out.
export function tellAWhile(element, what) {
  tell(element, what);
  clearTimeout(standing.get(element));
  standing.set(element, setTimeout(() => { element.textContent = ""; }, what instanceof Error ? 30_000 : 10_000));
}

// Pressed once at a time: it rests while what it began is not done. What that throws is told at `answer`.
export function press(button, answer, act) {
  button.addEventListener("click", async () => {
    button.disabled = true;
    try {
      const said = await act();
      if (typeof said === "string") tell(answer, said);
    } catch (problem) {
      tell(answer, problem);
    } finally {
      button.disabled = false;
    }
  });
  return button;
}

let fields = 0;

// A labelled input; `more` are attributes of the input, `hint` says what to write. `.input` is the element.
export function field(label, more = {}, hint = "") {
  const id = `field-${++fields}`;
  const input = make(more.rows ? "textarea" : "input", { id, "aria-describedby": hint ? `${id}-hint` : null, ...more });
  const shown = make("div", { class: "field" }, make("label", { for: id }, label), input, hint ? make("p", { id: `${id}-hint`, class: "hint" }, hint) : null);
  shown.input = input;
  return shown;
}

// A labelled choice among [[value, words], …].
export function choice(label, options, chosen, hint = "") {
  const id = `field-${++fields}`;
  const input = make("select", { id, "aria-describedby": hint ? `${id}-hint` : null }, ...options.map(([value, words]) => make("option", { value, selected: String(value) === String(chosen) }, words)));
  const shown = make("div", { class: "field" }, make("label", { for: id }, label), input, hint ? make("p", { id: `${id}-hint`, class: "hint" }, hint) : null);
  shown.input = input;
  return shown;
}

// A form with one button. `act` is called with what was typed, by the inputs' names; what it returns or throws is told below.
export function form(words, act, ...children) {
  const button = make("button", { class: "button main-button" }, words);
  const answer = make("p", { class: "answer", role: "status" });
  const shown = make(
    "form",
    {
      class: "form",
      onsubmit: async (event) => {
        event.preventDefault();
        button.disabled = true;
        tell(answer, "");
        try {
          const said = await act(Object.fromEntries(new FormData(shown)));
          if (typeof said === "string") tell(answer, said);
        } catch (problem) {
          tell(answer, problem);
        } finally {
          button.disabled = false;
        }
      },
    },
    ...children,
    make("div", { class: "form-end" }, button),
    answer,
  );
  return shown;
}

// Ask before what can't be taken back; true where the person says so. `yes` are the words of the button.
export function sure(question, yes) {
  return new Promise((resolve) => {
    const dialog = make(
      "dialog",
      { class: "card ask", "aria-label": question, onclose: () => { resolve(dialog.returnValue === "yes"); dialog.remove(); } },
      make("p", {}, question),
      make(
        "div",
        { class: "form-end" },
        make("button", { class: "button", onclick: () => dialog.close("no") }, "Cancel"),
        make("button", { class: "button danger", onclick: () => dialog.close("yes") }, yes),
      ),
    );
    document.body.append(dialog);
    dialog.showModal();
  });
}
