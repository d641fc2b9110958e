// The own account: name, likes, password, sessions; for an owner also who else may come in.

import { fetched } from "./fetched.js";
import { listening } from "./listening.js";
import { choice, copyable, day, field, form, make, sure, tell } from "./parts.js";

export const title = "People";

const MOODS = ["happy", "surprised", "calm", "sad", "angry", "tense"];

export async function open(main, shell) {
  const body = make("div", { class: "people-view" });
  main.replaceChildren(make("h1", {}, "People"), body);
  const sections = [you(shell), ...(shell.music ? [likes(shell), skin()] : []), sessions(shell), password(shell), ...(shell.me.role === "owner" ? [others(shell)] : []), known(shell), ending(shell)];
  body.replaceChildren(...sections.map(({ element }) => element));
  await Promise.all(sections.map(({ ready }) => ready));
}

function section(id, words, ...children) {
  return make("section", { class: "card stack", "aria-labelledby": `${id}-title` }, make("h2", { id: `${id}-title` }, words), ...children);
}

function answerLine() {
  return make("p", { class: "answer", role: "status" });
}

// Do, and tell at `answer` what came of it.
async function doing(answer, act) {
  try {
    const said = await act();
    if (typeof said === "string") tell(answer, said);
  } catch (problem) {
    tell(answer, problem);
  }
}

function you(shell) {
  const { first_name, last_name, email } = shell.me;
  const mail = field("E-mail address", { name: "email", type: "email", value: email, required: true, maxlength: 254, autocomplete: "email" }, "To sign in with. Nothing is sent to it.");
  const proof = field("Password, to change the address", { name: "password", type: "password", autocomplete: "current-password", maxlength: 256 });
  const ask = () => {
    proof.hidden = mail.input.value.trim().toLowerCase() === shell.me.email;
    proof.input.required = !proof.hidden;
    if (proof.hidden) proof.input.value = "";
  };
  mail.input.addEventListener("input", ask);
  ask();
  const element = section(
    "you",
    "You",
    form(
      "Save",
      async (typed) => {
        const body = { first_name: typed.first_name, last_name: typed.last_name, email: typed.email };
        if (!proof.hidden) body.password = typed.password;
        shell.welcome(await shell.ask("PATCH", "/api/me", body));
        mail.input.value = shell.me.email;
        ask();
        return "Saved.";
      },
      make(
        "div",
        { class: "pair" },
        field("First name", { name: "first_name", value: first_name, required: true, maxlength: 80, autocomplete: "given-name" }),
        field("Last name", { name: "last_name", value: last_name, maxlength: 80, autocomplete: "family-name" }),
      ),
      mail,
      proof,
    ),
  );
  return { element };
}

function likes(shell) {
  const now = shell.me.preferences;
  const goal = choice("Music is to", [["", "as the household has it"], ["match", "match the mood"], ["lift", "lift it"], ["calm", "calm it"]], now.goal ?? "");
  goal.input.setAttribute("name", "goal");
  const element = section(
    "likes",
    "What you like",
    make("p", { class: "quiet" }, "This counts while you are the one who listens."),
    listening(shell),
    form(
      "Save",
      async (typed) => {
        const moods = Object.fromEntries(MOODS.map((mood) => [mood, typed[mood].trim()]).filter(([, music]) => music));
        const quiet = typed.start && typed.end ? { start: typed.start, end: typed.end } : null;
        const preferences = { ...now, goal: typed.goal || null, volume_cap: typed.volume_cap === "" ? null : Number(typed.volume_cap), quiet_hours: quiet, moods };
        shell.welcome(await shell.ask("PATCH", "/api/me", { preferences }));
        return "Saved.";
      },
      make("div", { class: "pair" }, goal, field("Never louder than, in percent", { name: "volume_cap", type: "number", min: 0, max: 100, inputmode: "numeric", value: now.volume_cap })),
      make(
        "div",
        { class: "pair" },
        field("Quiet from", { name: "start", type: "time", value: now.quiet_hours?.start?.slice(0, 5) }),
        field("Quiet until", { name: "end", type: "time", value: now.quiet_hours?.end?.slice(0, 5) }),
      ),
      make(
        "details",
        {},
        make("summary", {}, "Your music for each mood"),
        make("div", { class: "pair details-in" }, ...MOODS.map((mood) => field(mood[0].toUpperCase() + mood.slice(1), { name: mood, value: now.moods?.[mood], placeholder: "A Spotify link" }))),
      ),
    ),
  );
  return { element };
}

function skin() {
  const element = section(
    "skin",
    "Your skin, if you like",
    make("p", {}, "On request the camera looks at your face and tells how it changes against your own earlier looks: a few numbers, and no diagnosis. Nothing of it happens unless you allow it."),
    make("div", { class: "form-end" }, make("a", { class: "button", href: "#/skin" }, "See what it is")),
  );
  return { element };
}

function password(shell) {
  const shown = form(
    "Change the password",
    async ({ old, password }) => {
      const { message } = await shell.ask("PUT", "/api/me/password", { old, password });
      shown.reset();
      return message;
    },
    make("input", { type: "email", name: "username", autocomplete: "username", value: shell.me.email, hidden: true, tabindex: "-1", "aria-hidden": "true" }),
    make(
      "div",
      { class: "pair" },
      field("Password until now", { name: "old", type: "password", autocomplete: "current-password", required: true, maxlength: 256 }),
      field("New password", { name: "password", type: "password", autocomplete: "new-password", required: true, minlength: 10, maxlength: 256 }, "At least 10 characters; a few words make a good one."),
    ),
  );
  return { element: section("password", "Password", shown) };
}

function sessions(shell) {
  const list = make("ul", { class: "rows" });
  const answer = answerLine();
  const draw = async () => {
    const found = (await shell.ask("GET", "/api/sessions")).sessions;
    list.replaceChildren(
      ...found.map((session) =>
        make(
          "li",
          {},
          make("div", { class: "grow" }, make("strong", {}, session.label), make("p", { class: "quiet" }, session.current ? "This browser" : `Last used ${day(session.used_at)}`)),
          session.current
            ? null
            : make("button", { class: "button small", "aria-label": `Sign out ${session.label}`, onclick: () => doing(answer, async () => { await shell.ask("DELETE", `/api/sessions/${session.id}`); await draw(); return `${session.label} is signed out.`; }) }, "Sign out"),
        ),
      ),
    );
  };
  const leave = (path) => doing(answer, async () => { await shell.ask("DELETE", path); shell.farewell(); });
  const element = section(
    "sessions",
    "Where you are signed in",
    list,
    answer,
    make(
      "div",
      { class: "form-end" },
      make("button", { class: "button", onclick: () => leave("/api/session") }, "Sign out here"),
      make("button", { class: "button danger", onclick: async () => { if (await sure("Sign out on every browser and phone, this one too?", "Sign out everywhere")) await leave("/api/sessions"); } }, "Sign out everywhere"),
    ),
  );
  return { element, ready: draw() };
}

function others(shell) {
  const people = make("ul", { class: "rows" });
  const open = make("ul", { class: "rows" });
  const answer = answerLine();
  const draw = async () => {
    const [{ users }, { invitations }] = await Promise.all([shell.ask("GET", "/api/users"), shell.ask("GET", "/api/invitations")]);
    people.replaceChildren(...users.map((user) => person(user, shell, answer, draw)));
    open.replaceChildren(
      ...invitations.map((one) =>
        make(
          "li",
          {},
          make("div", { class: "grow" }, make("strong", {}, one.first_name), make("p", { class: "quiet" }, `Invited as ${one.role}, until ${day(one.ends_at)}`)),
          make("button", { class: "button small", "aria-label": `Take back the invitation of ${one.first_name}`, onclick: () => doing(answer, async () => { await shell.ask("DELETE", `/api/invitations/${one.id}`); await draw(); return "Taken back."; }) }, "Take back"),
        ),
      ),
    );
  };
  const role = choice("As", [["member", "member"], ["owner", "owner"]], "member", "Owners may also set up, invite and erase.");
  role.input.setAttribute("name", "role");
  const invitation = make("div", {});
  const invite = form(
    "Invite",
    async (typed) => {
      const made = await shell.ask("POST", "/api/invitations", typed);
      const here = ["127.0.0.1", "[::1]", "localhost"].includes(location.hostname);
      invitation.replaceChildren(
        make(
          "div",
          { class: "notice" },
          make("p", {}, `Give ${made.first_name} this address. It is shown once and holds for a week${here ? "; it opens on this machine only, for the page is reached from no other" : ""}: `),
          copyable(`${location.origin}/#/claim/${made.code}`),
        ),
      );
      invite.reset();
      await draw();
    },
    make("div", { class: "pair" }, field("First name", { name: "first_name", required: true, maxlength: 80, autocomplete: "off" }), role),
  );
  return { element: section("others", "Who may come in", people, answer, make("h3", {}, "Invite somebody"), invite, invitation, open), ready: draw() };
}

function person(user, shell, answer, draw) {
  const name = `${user.first_name} ${user.last_name}`.trim();
  const change = (body, said) => doing(answer, async () => { await shell.ask("PATCH", `/api/users/${user.id}`, body); await draw(); return said; });
  const seen = user.last_sign_in_at ? `last in ${day(user.last_sign_in_at)}` : "never in yet";
  const buttons = user.id === shell.me.id ? [] : [
    user.role === "owner"
      ? make("button", { class: "button small", onclick: () => change({ role: "member" }, `${name} is a member now.`), "aria-label": `Make ${name} a member` }, "Make a member")
      : make("button", { class: "button small", onclick: () => change({ role: "owner" }, `${name} is an owner now.`), "aria-label": `Make ${name} an owner` }, "Make an owner"),
    user.active
      ? make("button", { class: "button small", onclick: () => change({ active: false }, `${name} is shut out, and signed out everywhere.`), "aria-label": `Shut out ${name}` }, "Shut out")
      : make("button", { class: "button small", onclick: () => change({ active: true }, `${name} may come in again.`), "aria-label": `Let in ${name}` }, "Let in"),
    make(
      "button",
      {
        class: "button small danger",
        "aria-label": `Remove ${name}`,
        onclick: async () => {
          if (await sure(`Remove ${name}, and all that is kept of them here? This can’t be taken back.`, "Remove")) await doing(answer, async () => { await shell.ask("DELETE", `/api/users/${user.id}`); await draw(); return `${name} is removed.`; });
        },
      },
      "Remove",
    ),
  ];
  return make(
    "li",
    {},
    make("span", { class: "badge", "aria-hidden": "true" }, user.initials),
    make("div", { class: "grow" }, make("strong", {}, name), make("p", { class: "quiet" }, `${user.email} · ${user.role}${user.active ? "" : ", shut out"} · ${seen}`)),
    ...buttons,
  );
}

function known(shell) {
  const answer = answerLine();
  const element = section(
    "known",
    "What is kept of you",
    make("p", { class: "quiet" }, `Your account, ${shell.music ? "likes, looks at your skin, " : ""}where you are signed in and whom you invited, in one file to read. Without your password.`),
    make("div", { class: "form-end" }, fetched("Download", "/api/me/data", shell, answer, "Your browser is fetching it.")),
    answer,
  );
  return { element };
}

function ending(shell) {
  const element = section(
    "ending",
    "Erase your account",
    make(
      "details",
      {},
      make("summary", {}, "Erase what is kept of you here"),
      make(
        "div",
        { class: "details-in" },
        make("p", { class: "quiet" }, `Your name, likes, ${shell.music ? "looks at your skin, " : ""}password and sessions go, at once and for good. The last owner can’t go: erase the device instead.`),
        form(
          "Erase my account",
          async ({ password }) => {
            if (!(await sure("Erase your account for good?", "Erase my account"))) return;
            await shell.ask("DELETE", "/api/me", { password });
            shell.farewell("Your account is erased.");
          },
          field("Your password", { name: "password", type: "password", autocomplete: "current-password", required: true, maxlength: 256 }),
        ),
      ),
    ),
  );
  return { element };
}
