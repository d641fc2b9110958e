// The own account: name, password, sessions; for an owner also who else may come in.

import { day, field, form, make, sure, tell } from "./parts.js";

export const title = "People";

export async function open(main, shell) {
  const sessions = make("ul", { class: "rows" });
  const answer = make("p", { class: "answer", role: "status" });
  main.replaceChildren(
    make("h1", {}, "Your account"),
    section("account", "You", accountForm(shell)),
    section("password", "Password", passwordForm(shell)),
    section("sessions", "Where you are signed in", sessions, answer, leaving(shell, answer)),
  );
  await showSessions(sessions, answer, shell);
}

function section(id, words, ...children) {
  return make("section", { class: "card stack", "aria-labelledby": `${id}-title` }, make("h2", { id: `${id}-title` }, words), ...children);
}

function accountForm(shell) {
  const { first_name, last_name, email } = shell.me;
  return form(
    "Save",
    async (typed) => {
      shell.welcome(await shell.ask("PATCH", "/api/me", typed));
      return "Saved.";
    },
    make("div", { class: "pair" }, field("First name", { name: "first_name", value: first_name, required: true, maxlength: 64, autocomplete: "given-name" }), field("Last name", { name: "last_name", value: last_name, required: true, maxlength: 64, autocomplete: "family-name" })),
    make("p", { class: "quiet" }, `You sign in as ${email}.`),
  );
}

function passwordForm(shell) {
  const shown = form(
    "Change the password",
    async ({ old, password }) => {
      await shell.ask("PUT", "/api/me/password", { old, password });
      shown.reset();
      return "Changed. You are signed out everywhere else.";
    },
    field("Password until now", { name: "old", type: "password", autocomplete: "current-password", required: true, maxlength: 256 }),
    field("New password", { name: "password", type: "password", autocomplete: "new-password", required: true, minlength: 12, maxlength: 256 }, "At least 12 characters; a few words make a good one."),
  );
  return shown;
}

async function showSessions(list, answer, shell) {
  const { sessions } = await shell.ask("GET", "/api/sessions");
  list.replaceChildren(
    ...sessions.map((session) =>
      make(
        "li",
        {},
        make("div", { class: "grow" }, make("strong", {}, session.label), make("p", { class: "quiet" }, session.current ? "This browser" : `Last seen ${day(session.seen_at)}`)),
        session.current ? null : make("button", { class: "button small", onclick: () => end(session, list, answer, shell) }, "Sign out"),
      ),
    ),
  );
}

async function end(session, list, answer, shell) {
  try {
    await shell.ask("DELETE", `/api/sessions/${session.id}`);
    await showSessions(list, answer, shell);
    tell(answer, `${session.label} is signed out.`);
  } catch (problem) {
    tell(answer, problem);
  }
}

function leaving(shell, answer) {
  const leave = async (path) => {
    try {
      await shell.ask("DELETE", path);
      shell.farewell();
    } catch (problem) {
      tell(answer, problem);
    }
  };
  return make(
    "div",
    { class: "form-end" },
    make("button", { class: "button", onclick: () => leave("/api/session") }, "Sign out here"),
    make("button", { class: "button danger", onclick: async () => { if (await sure("Sign out on every browser and phone, this one too?", "Sign out everywhere")) await leave("/api/sessions"); } }, "Sign out everywhere"),
  );
}
