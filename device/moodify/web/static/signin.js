// For who is not signed in: making an account with a code, signing in, and a new password after the button was held.

import { field, form, make } from "./parts.js";

export let title = "Sign in";

const EMAIL = { name: "email", type: "email", autocomplete: "username", required: true, maxlength: 254, spellcheck: "false" };
const NEW_PASSWORD = { name: "password", type: "password", autocomplete: "new-password", required: true, minlength: 10, maxlength: 256 };
const LENGTH = "At least 10 characters; a few words make a good one.";

// `rest` is the address: ["claim", "ABCD-EFGH"] for who opened #/claim/ABCD-EFGH. `why` is what ended a session.
export async function open(main, shell, [name, code = ""], why) {
  const { claimable, button, service } = await shell.ask("GET", "/api/claim");
  // A code must not stay where histories keep it, and send it to a browser's other machines.
  if (name === "claim" && code) history.replaceState(null, "", "#/claim");
  if (name === "claim" || claimable) {
    title = claimable ? "Welcome" : "Your account";
    claim(main, shell, { claimable, button, service, code });
  } else if (name === "reset") {
    title = "A new password";
    reset(main, shell, { button, service });
  } else {
    title = "Sign in";
    signIn(main, shell, why);
  }
  document.title = `${title} · Moodify`;
  main.querySelector("input:placeholder-shown, input:not([value])")?.focus();
}

function card(...children) {
  return make("section", { class: "card narrow", "aria-labelledby": "signin-title" }, ...children);
}

function heading(words) {
  return make("h1", { id: "signin-title" }, words);
}

function signIn(main, shell, why) {
  main.replaceChildren(
    card(
      heading("Sign in"),
      why ? make("p", { class: "notice", role: "alert" }, why) : null,
      form(
        "Sign in",
        async (typed) => shell.welcome((await shell.ask("POST", "/api/session", typed)).user),
        field("E-mail address", EMAIL),
        field("Password", { name: "password", type: "password", autocomplete: "current-password", required: true, maxlength: 256 }),
      ),
      make("p", { class: "quiet" }, make("a", { href: "#/reset" }, "Forgotten your password?"), " ", make("a", { href: "#/claim" }, "I have a code")),
    ),
  );
}

function claim(main, shell, { claimable, button, service, code }) {
  const where = service === "hub"
    ? ["The hub printed it where it was started. It also stands in its log: ", make("code", {}, "journalctl -u moodify-hub")]
    : ["Moodify printed it where it was started. It also stands in its log: ", make("code", {}, "journalctl -u moodify"), ". Or hold the button on the device for fifteen seconds and let go: then none is needed."];
  main.replaceChildren(
    card(
      heading(claimable ? "Welcome. Make it yours." : "Make your account"),
      make("p", {}, claimable ? "The first account is the owner’s. It stays here: no cloud, no tracking." : "You were invited. Choose how you sign in."),
      claimable && !button && !code ? make("p", { class: "notice" }, "You need the claim code. ", ...where) : null,
      form(
        "Make the account",
        async (typed) => {
          const { user } = await shell.ask("POST", "/api/claim", { ...typed, code: typed.code || null });
          if (user.role === "owner" && service !== "hub") history.replaceState(null, "", "#/setup");
          shell.welcome(user);
        },
        claimable && button
          ? make("p", { class: "notice" }, "The button was held: no code is needed for some minutes.")
          : field(claimable ? "Claim code" : "Code", { name: "code", required: true, autocomplete: "off", autocapitalize: "characters", spellcheck: "false", maxlength: 40, value: code || null }),
        make("div", { class: "pair" }, field("First name", { name: "first_name", autocomplete: "given-name", required: true, maxlength: 80 }), field("Last name", { name: "last_name", autocomplete: "family-name", maxlength: 80 })),
        field("E-mail address", EMAIL, "To sign in with. Nothing is sent to it."),
        field("Password", NEW_PASSWORD, LENGTH),
      ),
      claimable ? null : make("p", { class: "quiet" }, make("a", { href: "#/" }, "I have an account already")),
    ),
  );
}

function reset(main, shell, { button, service }) {
  const back = make("p", { class: "quiet" }, make("a", { href: "#/" }, "Back to signing in"));
  if (service === "hub" || !button) {
    const how = service === "hub"
      ? ["On the machine that runs the hub: ", make("code", {}, "moodify users reset ADDRESS --hub")]
      : ["Hold the button on the device for fifteen seconds, let go, and come back here within five minutes. Without a button: ", make("code", {}, "moodify users reset ADDRESS")];
    main.replaceChildren(
      card(
        heading("A new password"),
        make("p", {}, ...how),
        make("p", { class: "quiet" }, "An owner can also remove your account and invite you again."),
        make("button", { class: "button", onclick: () => open(main, shell, ["reset"], "") }, "I have held the button"),
        back,
      ),
    );
    return;
  }
  main.replaceChildren(
    card(
      heading("A new password"),
      make("p", {}, "The button was held. For some minutes the owner may choose a new password."),
      form(
        "Set the password",
        async (typed) => {
          await shell.ask("POST", "/api/reset", typed);
          shell.welcome((await shell.ask("POST", "/api/session", typed)).user);
        },
        field("The owner’s e-mail address", EMAIL),
        field("New password", NEW_PASSWORD, LENGTH),
      ),
      back,
    ),
  );
}
