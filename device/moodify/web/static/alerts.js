// What needs somebody, what is told of it, and to whom.

import { choice, clock, day, field, form, make, press, sure, tell } from "./parts.js";

export const title = "Alerts";

const RULES = {
  offline: ["A device is offline", "for longer than"],
  degraded: ["A device says that something is wrong with it", "for longer than"],
  sign_in: ["A sign-in to Spotify ends", "within"],
  disk: ["A disk fills up", "less free than"],
};

export async function open(main, shell) {
  const isOwner = shell.me.role === "owner";
  const now = make("section", { class: "card" });
  const past = make("section", { class: "card after" });
  const rules = make("section", { class: "card" });
  const channels = make("section", { class: "card stack" });
  main.replaceChildren(
    make("div", { class: "view-top" }, make("div", {}, make("h1", {}, "Alerts"), make("p", { class: "quiet" }, "Each is told once, and once more when it is over."))),
    make("div", { class: "columns" }, make("div", { class: "stack" }, now, past), make("div", { class: "stack" }, rules, ...(isOwner ? [channels] : []))),
  );
  let alerts = await shell.ask("GET", "/api/alerts");
  drawRules(rules, alerts, shell, isOwner);
  if (isOwner) drawChannels(channels, alerts, shell);

  function show() {
    now.replaceChildren(
      make("h2", {}, "Now"),
      alerts.open.length
        ? make("ul", { class: "rows" }, ...alerts.open.map(({ device, words, raised }) => make("li", {}, make("span", { class: "grow" }, make("a", { href: `#/device/${device}` }, words)), make("time", { class: "quiet", datetime: raised }, clock(raised)))))
        : make("p", { class: "quiet" }, "Nothing needs you."),
    );
    past.replaceChildren(
      make("h2", {}, "Over"),
      alerts.recent.length
        ? make("ul", { class: "rows" }, ...alerts.recent.map(({ words, raised, cleared, cleared_words: how }) => make("li", {}, make("span", { class: "grow" }, words, make("p", { class: "quiet" }, `${how ?? "Ended without a word."} ${day(raised)} to ${clock(cleared)}`)))))
        : make("p", { class: "quiet" }, "Nothing yet."),
    );
  }

  show();
  let known = JSON.stringify(alerts.open.map(({ n }) => n));
  return shell.onNow(async ({ alerts: open_ }) => {
    const newest = JSON.stringify(open_.map(({ n }) => n));
    if (newest === known) return;
    known = newest;
    try {
      alerts = await shell.ask("GET", "/api/alerts");
      show();
    } catch {
      // The frame says where the hub does not answer; it is asked again at the next change.
      known = "";
    }
  });
}

function drawRules(card, { rules }, shell, isOwner) {
  const answer = make("p", { class: "answer", role: "status" });
  const rows = rules.map((rule) => {
    const [words, when] = RULES[rule.kind] ?? [rule.kind, ""];
    const enabled = make("input", { type: "checkbox", checked: rule.enabled, disabled: !isOwner, id: `rule-${rule.kind}` });
    const limit = make("input", { type: "number", min: rule.least, max: rule.most, value: rule.limit, disabled: !isOwner, required: true, inputmode: "numeric", "aria-label": `${words}: ${when}, in ${rule.unit}` });
    const keep = async () => {
      if (!limit.reportValidity()) return;
      try {
        await shell.ask("PUT", `/api/alerts/rules/${rule.kind}`, { enabled: enabled.checked, limit: Number(limit.value) });
        tell(answer, "Kept.");
      } catch (problem) {
        tell(answer, problem);
      }
    };
    enabled.addEventListener("change", keep);
    limit.addEventListener("change", keep);
    return make("div", { class: "rule" }, make("label", { class: "check", for: `rule-${rule.kind}` }, enabled, words), make("span", { class: "limit" }, make("span", { class: "quiet" }, when), limit, rule.unit));
  });
  card.replaceChildren(make("h2", {}, "What is told"), ...rows, isOwner ? answer : make("p", { class: "hint" }, "An owner sets these."));
}

function drawChannels(card, { channels, mail }, shell) {
  const draw = async () => drawChannels(card, await shell.ask("GET", "/api/alerts"), shell);
  const answer = make("p", { class: "answer", role: "status" });
  const row = (channel) => {
    const test = press(make("button", { class: "button small", "aria-label": `Send a test to ${channel.shown}` }, "Test"), answer, async () => {
      tell(answer, "Sending …");
      const tried = await shell.ask("POST", `/api/alerts/channels/${channel.id}/test`, {});
      if (tried.error) throw Object.assign(new Error(), { detail: `It did not get there: ${tried.error}` });
      return tried.over ? "It got there." : "It is still under way. Look here again in a minute.";
    });
    const remove = press(make("button", { class: "button small danger", "aria-label": `Remove ${channel.shown}` }, "Remove"), answer, async () => {
      if (!(await sure(`Tell ${channel.shown} nothing any more?`, "Remove"))) return;
      await shell.ask("DELETE", `/api/alerts/channels/${channel.id}`, {});
      await draw();
    });
    const last = channel.last_error ? make("p", { class: "answer failed" }, `The last message did not get there: ${channel.last_error}`) : make("p", { class: "quiet" }, channel.last_sent ? `Last told ${clock(channel.last_sent)}` : "Nothing sent yet");
    return make("li", {}, make("span", { class: "grow" }, channel.shown, last), test, remove);
  };
  const kind = choice("By", [["email", "e-mail"], ["webhook", "webhook"]], mail ? "email" : "webhook");
  kind.input.name = "kind";
  const target = field("Address", { name: "target", required: true, maxlength: 2000, autocomplete: "off", spellcheck: "false" }, "An e-mail address, or https://… of what takes a POST. A webhook at home must be listed in the hub’s configuration (webhook_networks).");
  const secret = make("div", { class: "secret", hidden: true, role: "status" });
  const adding = form(
    "Add",
    async (said) => {
      const added = await shell.ask("POST", "/api/alerts/channels", said);
      adding.reset();
      list.append(row(added));
      nobody.hidden = true;
      secret.hidden = !added.secret;
      secret.replaceChildren(make("p", {}, "Each message is signed with this secret, which is shown this once:"), make("code", {}, added.secret ?? ""));
      return `${added.shown} is told from now on. Send a test.`;
    },
    kind,
    target,
  );
  const list = make("ul", { class: "rows" }, ...channels.map(row));
  const nobody = make("p", { class: "quiet", hidden: channels.length > 0 }, "Nobody yet: alerts are shown here alone.");
  card.replaceChildren(
    make("h2", {}, "Who is told"),
    nobody,
    list,
    answer,
    mail ? "" : make("p", { class: "notice" }, "No e-mail goes out yet: set mail_host and mail_from in the hub’s hub.toml, and restart it."),
    adding,
    secret,
  );
}
