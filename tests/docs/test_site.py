"""The site builds without a warning, its links resolve, and a browser loads its pictures."""

import json
import queue
import shutil
import subprocess
import sys
import threading
from functools import partial
from html.parser import HTMLParser
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urldefrag

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The site without the notebooks' outputs: that they run is shown elsewhere."""
    # Pages are written beside the sources, so a copy is built.
    copy = tmp_path_factory.mktemp("site")
    for name in ("docs", "experiments", "notebooks", "tests"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("_build"))
    shutil.copy(ROOT / "CHANGELOG.md", copy)
    out = copy / "html"
    command = [sys.executable, "-m", "sphinx", "-b", "html", "-W", "--keep-going", "-q"]
    command += ["-D", "nb_execution_mode=off", copy / "docs", out]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return out


class Page(HTMLParser):
    """What a page links to, and what can be linked to in it."""

    def __init__(self, file):
        super().__init__()
        self.links, self.names = [], set()
        self.feed(file.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        if "id" in found:
            self.names.add(found["id"])
        for key in ("href", "src"):
            if found.get(key):
                self.links.append(found[key])


def test_links_and_pictures_resolve(site):
    pages = {file: Page(file) for file in site.rglob("*.html") if "_static" not in file.parts}
    assert len(pages) > 40
    broken = []
    for file, page in pages.items():
        for link in page.links:
            if ":" in link.partition("/")[0]:
                continue
            path, name = urldefrag(link)
            target = (file.parent / unquote(path.partition("?")[0])).resolve() if path else file
            if not target.exists() or (
                name and target in pages and unquote(name) not in pages[target].names
            ):
                broken.append((file.name, link))
    assert not broken


HARNESS = """<!doctype html><body><script>
const pages = PAGES, seen = [];
async function look(page) {
  const frame = document.createElement("iframe");
  frame.src = page;
  document.body.append(frame);
  await new Promise(done => frame.onload = done);
  const images = [...frame.contentDocument.images];
  images.forEach(image => image.loading = "eager");
  await Promise.all(images.map(image => image.decode().catch(() => null)));
  seen.push([page, images.length, images.filter(image => !image.naturalWidth).map(i => i.src),
             frame.contentDocument.querySelectorAll("h1").length]);
  frame.remove();
}
(async () => {
  for (const page of pages) await look(page);
  await fetch("/seen", {method: "POST", body: JSON.stringify(seen)});
})();
</script>"""


def test_a_browser_loads_the_pictures(site, tmp_path):
    browser = shutil.which("chromium")
    if browser is None:
        pytest.skip("needs chromium (Debian: apt-get install chromium)")
    pages = [str(file.relative_to(site)) for file in sorted(site.rglob("*.html"))]
    pages = [page for page in pages if not page.startswith(("_", "genindex", "search"))]
    (site / "harness.html").write_text(HARNESS.replace("PAGES", json.dumps(pages)), "utf-8")
    answers = queue.Queue()
    handler = partial(Handler, answers, directory=str(site))
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run"]
    options += ["--disable-background-networking", "--disable-component-update"]
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}/harness.html"
        with subprocess.Popen(
            [browser, *options, f"--user-data-dir={tmp_path}", address],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as process:
            try:
                seen = answers.get(timeout=240)
            finally:
                process.terminate()
                server.shutdown()
    assert [page for page, *_ in seen] == pages
    assert not [(page, missing) for page, _, missing, _ in seen if missing]
    assert all(titles >= 1 for *_, titles in seen)
    assert sum(pictures for _, pictures, *_ in seen) >= 20


class Handler(SimpleHTTPRequestHandler):
    """Serves files, and takes what the browser has seen."""

    def __init__(self, answers, *arguments, **options):
        self.answers = answers
        super().__init__(*arguments, **options)

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(204)
        self.end_headers()
        self.answers.put(json.loads(body))

    def log_message(self, *arguments):
        pass
