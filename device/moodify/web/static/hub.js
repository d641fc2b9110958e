// The dashboard on the hub: which views there are, and what the frame around them shows of what needs attention.

import { $, make } from "./parts.js";
import { start } from "./shell.js";

const shell = start({
  brand: "Moodify hub",
  signedInStream: "/api/stream",
  views: [
    { path: "devices", name: "Devices", icon: "M4 4h7v7H4zM13 4h7v7h-7zM4 13h7v7H4zM13 13h7v7h-7z", load: () => import("./dashboard.js") },
    { path: "device", name: "Device", icon: "", hidden: true, load: () => import("./device.js") },
    { path: "alerts", name: "Alerts", icon: "M18 9a6 6 0 0 0-12 0c0 6-2.5 7-2.5 7h17S18 15 18 9M10 20a2.3 2.3 0 0 0 4 0", load: () => import("./alerts.js") },
    { path: "people", name: "People", icon: "M16 20v-2a4 4 0 0 0-4-4H7a4 4 0 0 0-4 4v2M9.5 10a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7M21 20v-2a4 4 0 0 0-3-3.9M15.5 3.2a3.5 3.5 0 0 1 0 6.6", load: () => import("./people.js") },
  ],
});

let shown = "";

shell.onNow(({ alerts, trouble }) => {
  const troubles = [...(trouble ? [{ n: 0, words: trouble }] : []), ...alerts];
  if (JSON.stringify(troubles) === shown) return;
  shown = JSON.stringify(troubles);
  $("troubles").replaceChildren(
    ...troubles.map(({ device, words }) => make("li", { class: "broken" }, words, " ", device ? make("a", { href: `#/device/${device}` }, "See the device") : null)),
  );
});
