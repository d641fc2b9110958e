// For whom the music is: everybody here, or the person who is signed in. Asked for once somebody opens it.

import { make, press, tell, write } from "./parts.js";

export function listening(shell) {
  const says = make("p", { class: "quiet" });
  const answer = make("p", { class: "answer", role: "status" });
  const button = make("button", { type: "button", class: "button", hidden: true });
  const inside = make("div", { class: "stack details-in" }, says, make("div", { class: "form-end" }, button), answer);
  const element = make("details", { ontoggle: () => { if (element.open) show().catch((problem) => tell(answer, problem)); } }, make("summary", {}, "For whom the music is now"), inside);
  let mine = false;

  async function show() {
    const { user } = await shell.ask("GET", "/api/listener");
    mine = user === shell.me.id;
    write(says, mine ? "It goes by your wishes." : user === null ? "It goes by the house’s wishes, for everybody." : "It goes by somebody else’s wishes.");
    write(button, mine ? "Let it be for everybody" : "Let it be for me");
    button.hidden = false;
  }

  press(button, answer, async () => {
    const { message } = await shell.ask("PUT", "/api/listener", { user: mine ? null : shell.me.id });
    await show();
    return message;
  });
  return element;
}
