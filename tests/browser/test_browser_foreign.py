"""What a foreign site can do to the page in a real browser in which its owner is signed in: nothing."""

import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

pytestmark = pytest.mark.browser

_EVIL = """<!doctype html><title>evil</title>
<form id="form" method="post" enctype="text/plain" action="{url}/api/scan" target="sink"><input name="{{&quot;on&quot;:true}}" value=""></form>
<form id="get" method="get" action="{url}/api/stream" target="sink"></form>
<iframe name="sink"></iframe><img id="img" src="{url}/api/stream"><script src="{url}/static/page.js" type="module"></script>"""

_TRIES = """async (url) => {
  const said = [];
  const note = async (name, act) => { try { const answer = await act(); said.push([name, answer.type, answer.status]); } catch (error) { said.push([name, "refused", 0]); } };
  const json = { "Content-Type": "application/json" };
  await note("simple", () => fetch(`${url}/api/scan`, { method: "POST", mode: "no-cors", credentials: "include", body: "{}" }));
  await note("json", () => fetch(`${url}/api/scan`, { method: "POST", credentials: "include", headers: json, body: "{}" }));
  await note("program", () => fetch(`${url}/api/privacy`, { method: "PUT", credentials: "include", headers: { ...json, "X-Moodify": "1" }, body: '{"on":true}' }));
  await note("read", () => fetch(`${url}/api/now`, { credentials: "include" }));
  await note("sign in", () => fetch(`${url}/api/session`, { method: "POST", mode: "no-cors", credentials: "include", body: "{}" }));
  await note("sign out", () => fetch(`${url}/api/session`, { method: "DELETE", credentials: "include", headers: { "X-Moodify": "1" } }));
  document.getElementById("form").submit();
  await new Promise((done) => setTimeout(done, 300));
  document.getElementById("get").submit();
  await new Promise((done) => setTimeout(done, 300));
  return said;
}"""


@contextmanager
def _site(html):
    class Site(BaseHTTPRequestHandler):
        def do_GET(self):
            body = html.encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Site) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


# localhost is another site than 127.0.0.1; another port of 127.0.0.1 is the same site and another origin.
@pytest.mark.parametrize("name", ["localhost", "127.0.0.1"])
def test_a_foreign_site_neither_reads_nor_changes_anything(home, new_page, name):
    page = new_page(console=False)
    home.enter(page)
    with _site(_EVIL.format(url=home.url)) as port:
        evil = page.context.new_page()
        evil.goto(f"http://{name}:{port}/")
        said = evil.evaluate(_TRIES, home.url)
        assert len(said) == 6
        # What is sent without asking first can't be read; what asks first is not granted.
        assert {kind for _, kind, _ in said} <= {"opaque", "refused"}
        assert home.house.presses == []
        assert evil.evaluate("document.getElementById('img').naturalWidth") == 0
        evil.close()
    page.reload()
    page.get_by_role("link", name="People", exact=True).click()
    page.get_by_role("heading", name="Where you are signed in").wait_for()


def test_the_page_is_not_shown_in_a_foreign_frame(home, new_page):
    home.claimed()
    page = new_page(console=False)
    with _site(f'<iframe id="f" src="{home.url}/"></iframe>') as port:
        page.goto(f"http://localhost:{port}/")
        frame = page.frames[-1]
        assert frame.url.startswith("chrome-error://") or "Sign in" not in (frame.content() or "")


def test_scripts_of_the_page_see_no_token(home, page):
    home.enter(page)
    assert page.evaluate("document.cookie") == ""
    assert page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}])") == "[{},{}]"
    assert {cookie["httpOnly"] for cookie in page.context.cookies(f"{home.url}/api/session")} == {True}
    assert {cookie["sameSite"] for cookie in page.context.cookies(f"{home.url}/api/session")} == {"Strict"}
