// The frame that page and dashboard share: who is signed in, what is asked of the server, which view is open, what happens live.
//
// A view is a module that exports `title` and `open(main, shell, rest)`: it draws into `main` and returns a function that ends it.
// `rest` are the parts of the address behind its name: ["m-abc"] for #/device/m-abc.

import { $, icon, make, sentence, write } from "./parts.js";

const SILENT_MS = 25_000; // the server says something every 10 s
const RETRY_MS = 3_000;
const PATIENCE_MS = 1_500; // a short gap is no news
const TOAST_MS = 7_000;

// What the server refused, or that it did not answer (status 0); `detail` is for a person and ends with the next step.
class Problem extends Error {
  constructor(status, detail) {
    super(detail);
    this.status = status;
    this.detail = detail;
  }
}

async function send(method, path, body) {
  let response;
  try {
    response = await fetch(path, {
      method,
      headers: { "Content-Type": "application/json", "X-Moodify": "1" },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch {
    throw new Problem(0, "Moodify did not answer. Try again in a moment.");
  }
  const text = await response.text();
  let said = null;
  try {
    said = text ? JSON.parse(text) : null;
  } catch {
    if (response.ok) throw new Problem(0, "Moodify’s answer is not understood. Reload the page.");
  }
  if (!response.ok) throw new Problem(response.status, said?.detail ?? "Moodify could not do that. Try again in a moment.");
  return said;
}

function readable(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

// A refresh token is good once, so that one tab at a time renews, and in it one request.
let renewing = null;

function renew() {
  const once = () => send("POST", "/api/session/refresh", {});
  renewing ??= (navigator.locks ? navigator.locks.request("moodify-session", once) : once()).finally(() => { renewing = null; });
  return renewing;
}

// Begin, and return the shell.
//   views: [{ path, name, icon, load: () => import(…), hidden, owner }, …]; the first is home; `hidden` ones are not in the navigation (but as part of the view that they are `under`), `owner` is for owners alone
//   signedInStream: path of the server-sent events, listened to while somebody is signed in
//   brand: what stands in the window's title
//   music: whether it plays, so that people can say what they like
export function start({ views, signedInStream, brand, music = false }) {
  const main = $("main");
  const listeners = new Map();
  const onLive = new Set();
  let newest = null;
  let live = true;
  let me = null;
  let leave = null;
  let opened = 0;

  const shell = {
    // The user who is signed in, as GET /api/me says; null while nobody is.
    get me() { return me; },
    // Whether the server answers.
    get live() { return live; },
    // Whether music is played here.
    music,
    // Ask the server; returns its JSON, throws Problem. A session that is only stale is renewed on the way.
    async ask(method, path, body) {
      try {
        return await send(method, path, body);
      } catch (problem) {
        if (problem.status !== 401 || me === null) throw problem;
      }
      await again();
      return send(method, path, body);
    },
    // Be called with the state now and after each change (the stream's event "now"), until the returned function is called.
    onNow(fn) {
      if (newest !== null) fn(newest);
      return shell.on("now", fn);
    },
    // Be called with each of the stream's events of a name.
    on(name, fn) {
      if (!listeners.has(name)) listeners.set(name, new Set());
      listeners.get(name).add(fn);
      stream?.addEventListener(name, heard);
      return () => listeners.get(name).delete(fn);
    },
    // Be called with whether the server answers, when that changes.
    onLive(fn) {
      onLive.add(fn);
      return () => onLive.delete(fn);
    },
    // Say something in passing: shown for some seconds, and read out.
    say(text) {
      write($("toast"), sentence(text));
      $("toast").hidden = false;
      clearTimeout(toasting);
      toasting = setTimeout(() => { $("toast").hidden = true; }, TOAST_MS);
    },
    // Go to "#/history"; where one is there already, draw it anew.
    go(hash) {
      if (location.hash === hash) show();
      else location.hash = hash;
    },
    // Take in who is signed in, after signing in or after a change of the account.
    welcome(user) {
      const entered = me === null;
      me = user;
      frame();
      if (entered) {
        listen();
        show();
      }
    },
    // Leave: nobody is signed in any more. `why` is said above the form.
    farewell(why = "") {
      me = null;
      newest = null;
      stream?.close();
      stream = null;
      lostAt = null;
      showLive(true);
      frame();
      show(why);
    },
  };
  let toasting = null;

  async function again() {
    try {
      await renew();
    } catch (problem) {
      if (problem.status === 401 && me !== null) shell.farewell("Your session has ended. Sign in again.");
      throw problem;
    }
  }

  // The frame around a view.

  function frame() {
    document.body.classList.toggle("signed-out", me === null);
    $("nav").hidden = me === null;
    $("nav").replaceChildren(
      ...views
        .filter((view) => me !== null && !view.hidden && (!view.owner || me.role === "owner"))
        .map((view) => make("a", { href: `#/${view.path}`, "data-view": view.path }, icon(view.icon), make("span", {}, view.name))),
    );
    $("me").hidden = me === null;
    if (me !== null) {
      write($("me"), me.initials);
      $("me").setAttribute("aria-label", `${me.first_name} ${me.last_name}: account and sessions`);
    }
    mark();
  }

  function mark() {
    const [name] = where();
    const marked = views.find(({ path }) => path === name)?.under ?? name;
    for (const link of $("nav").children) {
      if (link.dataset.view === marked) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
  }

  function where() {
    const [name, ...rest] = location.hash.replace(/^#\/?/, "").split("/").map(readable);
    return [name || views[0].path, ...rest];
  }

  async function show(why = "") {
    const turn = ++opened;
    leave?.();
    leave = null;
    const [name, ...rest] = where();
    const view = views.find(({ path }) => path === name);
    if (me !== null && (name === "claim" || name === "reset")) {
      // A code that is not needed must not stay in the browser's history either.
      history.replaceState(null, "", `#/${views[0].path}`);
      show(why);
      return;
    }
    mark();
    main.replaceChildren();
    main.setAttribute("aria-busy", "true");
    try {
      const module = me === null ? await import("./signin.js") : view ? await view.load() : nowhere;
      if (turn !== opened) return;
      document.title = `${module.title} · ${brand}`;
      main.dataset.view = me === null ? "signin" : name;
      const end = await module.open(main, shell, me === null ? [name, ...rest] : rest, why);
      if (turn === opened) leave = end ?? null;
      else end?.();
    } catch (problem) {
      if (turn === opened) main.replaceChildren(failed(problem));
    } finally {
      if (turn === opened) main.removeAttribute("aria-busy");
    }
  }

  const nowhere = {
    title: "Not here",
    open(at) {
      at.replaceChildren(make("section", { class: "card narrow" }, make("h1", {}, "There is nothing here"), make("p", {}, make("a", { href: `#/${views[0].path}` }, `Go to ${views[0].name}.`))));
    },
  };

  function failed(problem) {
    if (!(problem instanceof Problem)) console.error(problem);
    return make(
      "section",
      { class: "card narrow", role: "alert" },
      make("h1", {}, "This can’t be shown"),
      make("p", {}, sentence(problem.detail) || "This part of the page did not load. Look whether Moodify is on, and try again."),
      make("div", { class: "form-end" }, make("button", { class: "button main-button", onclick: () => show() }, "Try again")),
    );
  }

  addEventListener("hashchange", async () => {
    await show();
    // What is read next is the new view, by keyboard and by ear, but where it has chosen itself.
    if (!main.contains(document.activeElement)) main.focus({ preventScroll: true });
    scrollTo(0, 0);
  });

  // The stream. A hidden page gives its connection back.

  let stream = null;
  let heardAt = 0;
  let lostAt = null;
  let probing = false;
  let probedAt = -Infinity;

  function heard(event) {
    heardAt = performance.now();
    lostAt = null;
    showLive(true);
    if (event.type === "beat") return;
    const data = JSON.parse(event.data);
    if (event.type === "now") newest = data;
    for (const fn of [...(listeners.get(event.type) ?? [])]) fn(data);
  }

  function showLive(answers) {
    if (live === answers) return;
    live = answers;
    $("lost").hidden = answers;
    document.body.classList.toggle("is-lost", !answers);
    for (const fn of [...onLive]) fn(answers);
  }

  function listen() {
    stream?.close();
    if (me === null || document.hidden) return;
    stream = new EventSource(signedInStream);
    heardAt = performance.now();
    for (const name of new Set(["now", "beat", ...listeners.keys()])) stream.addEventListener(name, heard);
    stream.addEventListener("error", () => { lostAt ??= performance.now(); });
    // The server says so before it ends the stream of a session that is over.
    stream.addEventListener("over", probe);
  }

  // After an answer that is no stream a browser does not try again by itself: the session may be stale, or have been ended elsewhere.
  async function probe() {
    probing = true;
    probedAt = performance.now();
    try {
      await shell.ask("GET", "/api/session");
      listen();
    } catch (problem) {
      // A session that is over has been said by now.
      if (problem.status !== 401) showLive(false);
    } finally {
      probing = false;
    }
  }

  setInterval(() => {
    if (document.hidden || me === null || stream === null || probing) return;
    const at = performance.now();
    const silent = at - heardAt > SILENT_MS;
    const over = stream.readyState === EventSource.CLOSED;
    if (silent) lostAt ??= heardAt;
    if (lostAt !== null && at - lostAt > (over ? RETRY_MS : 0) + PATIENCE_MS) showLive(false);
    if ((over || (silent && stream.readyState === EventSource.OPEN)) && at - probedAt > RETRY_MS) probe();
  }, 1_000);

  document.addEventListener("visibilitychange", () => {
    if (document.hidden) stream?.close();
    else listen();
  });

  (async () => {
    try {
      shell.welcome((await send("GET", "/api/session").catch((problem) => { if (problem.status === 401) return renew(); throw problem; })).user);
    } catch (problem) {
      if (problem.status === 401) shell.farewell();
      else main.replaceChildren(failed(problem));
    }
  })();
  return shell;
}
