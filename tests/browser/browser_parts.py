"""What tests of more than one view look at: faults that keep people out, what is too wide or too small, where the focus is, what went over the wire."""

from axe_playwright_python.sync_playwright import Axe

#: WCAG 2.2, 2.5.8 (AA) and 2.5.5 (AAA, for what is pressed most), in CSS pixels.
LEAST, MAIN = 24, 44
_MAIN = "nav a, .badge[href], .button, .buttons button, .chip, .step-button, .segments button, .segments a, .field input:not([type=range]), .field select, .steer select"

# Links in a line of text are exempt (2.5.8, "inline"); a box to tick is pressed with its label, and some links with the whole card that they are in.
_TARGETS = """([least, main, mains]) => [...document.querySelectorAll("a[href], button, input, select, textarea, summary")].flatMap((element) => {
  const stretched = getComputedStyle(element, "::after").position === "absolute" ? element.offsetParent : null;
  const target = element.matches("input[type=radio], input[type=checkbox]") ? element.closest("label") ?? element : stretched ?? element;
  const { width, height } = target.getBoundingClientRect();
  if (!element.checkVisibility({ visibilityProperty: true }) || width === 0 || element.closest(".skip, .unseen")) return [];
  if (element.matches("p a, li:not([class]) > a, dd a") && getComputedStyle(element).display === "inline") return [];
  const wanted = element.matches(mains) ? main : least;
  return Math.min(width, height) < wanted - 0.5 ? [`${element.outerHTML.slice(0, 90)}: ${Math.round(width)} x ${Math.round(height)}, not ${wanted}`] : [];
})"""

_FOCUS = """() => {
  const element = document.activeElement;
  const { outlineStyle, outlineWidth } = getComputedStyle(element);
  const box = element.getBoundingClientRect();
  return {
    words: (element.getAttribute("aria-label") ?? element.labels?.[0]?.textContent ?? element.textContent).trim(),
    place: [...document.querySelectorAll("*")].indexOf(element),
    shown: outlineStyle !== "none" && parseFloat(outlineWidth) >= 2,
    inside: box.width > 0 && box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth,
    nowhere: element === document.body,
  };
}"""


def faults(page):
    """Return the serious and critical faults that axe finds."""
    found = Axe().run(page).response["violations"]
    return [(fault["id"], [node["target"] for node in fault["nodes"]]) for fault in found if fault["impact"] in {"serious", "critical"}]


def too_small(page):
    """Return the controls that a finger would miss."""
    return page.evaluate(_TARGETS, [LEAST, MAIN, _MAIN])


def too_wide(page):
    """Return by how many pixels the page is wider than the window."""
    return page.evaluate("Math.max(0, document.documentElement.scrollWidth - innerWidth)")


def tab(page):
    """Press Tab; return what has the focus: its words, its place in the document, whether it is seen to have it."""
    page.keyboard.press("Tab")
    return page.evaluate(_FOCUS)


def tab_to(page, words, *, at_most=60):
    """Press Tab until what is so called has the focus; return all that was passed, it among them."""
    passed = []
    for _ in range(at_most):
        passed.append(tab(page))
        if passed[-1]["words"] == words:
            return passed
    raise AssertionError(f"{words!r} is not reached by keyboard; passed were {[stop['words'] for stop in passed]}")


class Wire:
    """Counts what a page gets from the network, headers included, from its making on."""

    def __init__(self, page):
        self._received, self.answers = {}, {}
        session = page.context.new_cdp_session(page)
        session.on("Network.responseReceived", self._answered)
        session.on("Network.dataReceived", self._more)
        session.on("Network.loadingFinished", self._finished)
        session.send("Network.enable")

    @property
    def total(self):
        return sum(self._received.values())

    def _answered(self, event):
        self.answers[event["requestId"]] = event["response"]["url"]
        self._received[event["requestId"]] = event["response"]["encodedDataLength"]

    def _more(self, event):
        # Of a stream, which does not finish.
        self._received[event["requestId"]] = self._received.get(event["requestId"], 0) + event["encodedDataLength"]

    def _finished(self, event):
        self._received[event["requestId"]] = event["encodedDataLength"]
