"""Chromium for tests: a page with everything it said and asked for, and axe-core to check it with."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.processes import HANGS_S

HANGS_MS = 1000 * HANGS_S
CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PICTURES = os.environ.get("HARNESS_SCREENSHOTS")  # a folder, where somebody wants to look at them
MARKS = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason=f"needs Debian's chromium in {CHROMIUM}"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]


@pytest.fixture(scope="module")
def browser():
    sync_api = pytest.importorskip("playwright.sync_api")
    with sync_api.sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS, timeout=HANGS_MS)
        yield running
        running.close()


class Visit:
    """An open page, with everything it said and asked for.

    With `timers=False` its clock stands still: what the page does in a timer or in the next frame never happens.
    """

    def __init__(self, browser, address, width=1280, scheme="light", *, timers=True):
        self.page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
        self.page.set_default_timeout(HANGS_MS)
        self.said, self.asked = [], []
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("request", lambda request: self.asked.append(request.url))
        if not timers:
            self.page.clock.install(time=0)
            self.page.clock.pause_at(1)
        self.page.goto(address)

    def defects(self, axe):
        """What axe-core finds serious or critical."""
        found = self.page.evaluate(f"() => {{ {axe}; return axe.run(); }}")["violations"]
        serious = [one for one in found if one["impact"] in ("serious", "critical")]
        return [(one["id"], one["nodes"][0]["html"][:200], one["nodes"][0]["failureSummary"]) for one in serious]


@pytest.fixture(scope="module")
def axe(tmp_path_factory):
    """axe-core's source from npm, kept for this run only."""
    if shutil.which("npm") is None:
        pytest.skip("needs npm, to fetch axe-core")
    folder = tmp_path_factory.mktemp("axe")
    words = ["npm", "install", "--silent", "--no-save", "--ignore-scripts", "--prefix", str(folder), "axe-core@4"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=180, check=False)
    source = folder / "node_modules" / "axe-core" / "axe.min.js"
    if not source.exists():
        pytest.skip(f"npm could not fetch axe-core: {done.stderr.strip()[:200]}")
    return source.read_text(encoding="utf-8")
