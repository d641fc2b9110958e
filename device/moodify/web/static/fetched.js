// A button that has the browser fetch a file.

import { icon, make, press } from "./parts.js";

const GET = "M12 4v11M7 11l5 5 5-5M5 20h14";

export function fetched(words, path, shell, answer, told) {
  const button = make("button", { class: "button" }, icon(GET), words);
  button.firstChild.classList.add("line");
  return press(button, answer, async () => {
    // A stale session is renewed before the browser fetches the file by itself.
    await shell.ask("GET", "/api/session");
    const link = make("a", { href: path, download: "", hidden: true });
    document.body.append(link);
    link.click();
    link.remove();
    return told;
  });
}
