// Spotify: an app of one's own, the sign-in, and the speaker.

import { copyable, field, form, make, press, sure, tell } from "./parts.js";

const signedIn = ({ spotify }) => spotify.usable;

// Where Spotify has sent this browser back to, once: the address holds a code that is good for one sign-in.
function sentBack() {
  const query = new URLSearchParams(location.search);
  if (!query.has("state") || !(query.has("code") || query.has("error"))) return null;
  const address = location.href;
  history.replaceState(null, "", `${location.pathname}${location.hash}`);
  return address;
}

export const spotify = {
  name: "spotify",
  words: "Sign in to Spotify",
  needed: true,
  about({ spotify: { usable, ends, days_left, message } }) {
    if (usable) return ends ? `Signed in until ${new Date(ends).toLocaleDateString([], { dateStyle: "long" })}${days_left <= 21 ? `, ${days_left} days` : ""}.` : "Signed in.";
    return message && !message.startsWith("not signed in") ? "The sign-in has to be renewed." : "With an app of your own, free of charge; Spotify asks for Premium.";
  },
  done: signedIn,
  draw(body, house) {
    const { state, shell } = house;
    const answer = make("p", { class: "answer", role: "status" });
    const back = sentBack();
    if (back !== null) {
      tell(answer, "Signing in …");
      finish(back).catch((problem) => tell(answer, problem));
    }
    async function finish(address) {
      const { message } = await shell.ask("POST", "/api/spotify/finish", { address });
      shell.say(message);
      await house.finished("spotify");
    }

    if (signedIn(state)) {
      const out = make("button", { class: "button danger" }, "Sign out of Spotify");
      press(out, answer, async () => {
        if (!(await sure("Sign out of Spotify? Music stops following the room on your speaker until somebody signs in again.", "Sign out"))) return undefined;
        const { message } = await shell.ask("DELETE", "/api/spotify");
        shell.say(message);
        await house.again();
        body.replaceChildren();
        spotify.draw(body, house);
        return undefined;
      });
      body.append(
        make("dl", { class: "facts" }, make("dt", {}, "App"), make("dd", {}, state.spotify.client_id ?? "not known"), make("dt", {}, "Since"), make("dd", {}, state.spotify.since ?? "not known"), make("dt", {}, "Ends"), make("dd", {}, state.spotify.ends ?? "not known")),
        make("p", { class: "quiet" }, "Spotify ends every sign-in after six months. Moodify warns three weeks before; signing in again begins a new term."),
      );
      const again = make("details", {}, make("summary", {}, "Sign in again, or with another app"), attempt(state, house, answer, finish));
      body.append(again, make("div", { class: "form-end" }, out), answer);
      return;
    }
    if (state.spotify.message && state.spotify.standing !== "not signed in" && state.spotify.state !== "not signed in") body.append(make("p", { class: "notice" }, state.spotify.message));
    body.append(attempt(state, house, answer, finish), answer);
  },
};

function attempt(state, house, answer, finish) {
  const here = state.page_redirect_uri;
  let paste = here === null;
  const redirect = make("div", {});
  const opened = make("div", { class: "stack" });
  const toggle = here === null ? null : make("button", { type: "button", class: "button small", onclick: () => { paste = !paste; shown(); } });

  function shown() {
    redirect.replaceChildren(copyable(paste ? state.paste_redirect_uri : here));
    if (toggle !== null) toggle.textContent = paste ? "Come back to this page by itself" : "Spotify does not take this address";
    opened.replaceChildren();
  }

  const ask = form(
    "Sign in to Spotify",
    async ({ client_id }) => {
      const { link } = await house.shell.ask("POST", "/api/spotify/sign-in", { client_id: client_id.trim() || null, back: paste ? "paste" : "page" });
      opened.replaceChildren(agree(link, paste, state, finish, answer));
      opened.querySelector("a").focus();
    },
    field("Client ID", { name: "client_id", value: state.spotify.app ?? "", required: true, autocomplete: "off", autocapitalize: "off", spellcheck: "false", maxlength: 100 }, "32 characters, from your app’s page at Spotify. The client secret stays there; Moodify never needs it."),
  );
  shown();
  return make(
    "div",
    { class: "stack" },
    make(
      "ol",
      { class: "how" },
      make("li", {}, "Open ", make("a", { href: "https://developer.spotify.com/dashboard", target: "_blank", rel: "noopener noreferrer" }, "developer.spotify.com/dashboard"), ", log in with your Spotify account, and choose ", make("b", {}, "Create app"), ". Name and description are up to you."),
      make("li", {}, "As ", make("b", {}, "Redirect URI"), " enter exactly this:", redirect, toggle),
      make("li", {}, "Under APIs choose ", make("b", {}, "Web API"), ", and save."),
      make("li", {}, "Copy the ", make("b", {}, "Client ID"), " from the app’s page into the field here."),
    ),
    ask,
    opened,
  );
}

function agree(link, paste, state, finish, answer) {
  const code = make("figure", { class: "qr" }, make("img", { src: `/api/spotify/sign-in.svg?${Date.now()}`, alt: "The same link as a QR code, for a phone", width: 220, height: 220 }), make("figcaption", { class: "quiet" }, "Or open it on a phone."));
  const open = make("a", { class: "button main-button", href: link, ...(paste ? { target: "_blank", rel: "noopener noreferrer" } : {}) }, "Open Spotify and agree");
  if (!paste) return make("div", { class: "agree" }, make("div", { class: "stack" }, make("p", {}, "Spotify asks whether Moodify may see and control what plays. Afterwards it brings you back here."), make("div", { class: "form-end" }, open)), code);
  return make(
    "div",
    { class: "agree" },
    make(
      "div",
      { class: "stack" },
      make("p", {}, "Spotify asks whether Moodify may see and control what plays. Afterwards your browser shows a page that it can’t open: that is as it should be. Copy that page’s whole address, and paste it here."),
      make("div", { class: "form-end" }, open),
      form(
        "Finish",
        async ({ address }) => {
          tell(answer, "");
          await finish(address.trim());
        },
        field("Address of the page that did not open", { name: "address", required: true, autocomplete: "off", autocapitalize: "off", spellcheck: "false", inputmode: "url", placeholder: `${state.paste_redirect_uri}?code=…` }),
      ),
    ),
    code,
  );
}

export const speaker = {
  name: "speaker",
  words: "Choose the speaker",
  needed: true,
  about: ({ holds, spotify: { usable } }) => (holds.speaker ? `Music plays on ${holds.speaker}.` : usable ? "Where the music plays." : "Once Spotify is signed in to."),
  done: ({ holds, steps, spotify: { usable } }) => usable && (Boolean(holds.speaker) || steps.speaker === "done"),
  draw(body, house) {
    const answer = make("p", { class: "answer", role: "status" });
    if (!signedIn(house.state)) {
      body.append(make("p", {}, "Sign in to Spotify first: it knows which speakers there are."));
      return;
    }
    const list = make("div", { class: "stack" });
    const look = make("button", { type: "button", class: "button" }, "Look again");
    const chosen = house.state.holds.speaker;

    async function find() {
      tell(answer, "Asking Spotify …");
      const { speakers } = await house.shell.ask("GET", "/api/speakers");
      const names = [...new Set([...speakers.filter(({ restricted }) => !restricted).map(({ name }) => name), ...(chosen ? [chosen] : [])])];
      const about = (name) => {
        const each = speakers.find((one) => one.name === name);
        return !each ? "Not in Spotify’s list now" : each.active ? "Playing or ready" : each.supports_volume ? "Ready" : "Ready; its volume is fixed";
      };
      const pick = (value, words, hint, checked) =>
        make("label", { class: "pick" }, make("input", { type: "radio", name: "speaker", value, checked, required: true }), make("span", {}, make("b", {}, words), make("span", { class: "hint" }, hint)));
      list.replaceChildren(
        form(
          "Use this speaker",
          async (typed) => {
            await house.change({ speaker: typed.speaker || null });
            house.shell.say(typed.speaker ? `Music plays on ${typed.speaker} from now on.` : "Music plays wherever Spotify is active.");
            await house.finished("speaker");
          },
          make("fieldset", { class: "picks" }, make("legend", {}, "Speaker"), ...names.map((name) => pick(name, name, about(name), name === chosen || names.length === 1)), pick("", "Whichever is active", "Music follows where Spotify plays, and waits where it plays nowhere.", chosen === null && house.state.steps.speaker === "done")),
        ),
      );
      const restricted = speakers.filter((each) => each.restricted).map(({ name }) => name);
      tell(answer, names.length === 0 ? "Spotify lists no speaker now." : restricted.length > 0 ? `${restricted.join(", ")} takes no orders from apps.` : "");
    }

    press(look, answer, find);
    body.append(
      list,
      make("details", {}, make("summary", {}, "My speaker is not in the list"), make("p", {}, "Spotify lists a speaker only while it is switched on and somebody has used it with this account. Switch it on, open the Spotify app on a phone, choose the speaker there and play something for a moment. Then look again.")),
      make("div", { class: "form-end" }, look),
      answer,
    );
    find().catch((problem) => tell(answer, problem));
  },
};
