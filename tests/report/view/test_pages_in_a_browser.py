"""The pages of `harness view` in a real browser: quiet, as wide as the window, and readable for everybody."""

import pytest

from tests import browsing
from tests.report.view.test_view import serving, stored

pytestmark = browsing.MARKS
PAGES = {
    "all splits": "/",
    "runs of a split": "/split?dataset=s1:d&split=test",
    "a run": "/run?run=s1:run0",
    "items of two runs": "/items?a=s1:run0&b=s1:run1&show=only_a",
    "an item": "/item?dataset=s1:d&item=i0004",
    "nothing there": "/run?run=s1:none",
}


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """Where a store with hostile texts is served."""
    with serving(stored(tmp_path_factory.mktemp("pages") / "harness.duckdb")) as server:
        yield f"http://127.0.0.1:{server.server_port}"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("page", PAGES)
def test_a_page_is_quiet_and_has_no_serious_defect(browser, axe, address, page, scheme):
    """It asks for nothing but itself, says nothing, runs nothing foreign; axe-core finds nothing serious in it."""
    visit = browsing.Visit(browser, address + PAGES[page], scheme=scheme)
    assert [asked for asked in visit.asked if not asked.startswith(address)] == []
    assert [said for said in visit.said if "404" not in said] == []
    assert "owned" not in visit.page.title()
    assert visit.defects(axe) == []
    visit.page.close()


@pytest.mark.parametrize("page", PAGES)
def test_a_page_fits_a_phone(browser, axe, address, page):
    """At 390 pixels nothing has to be scrolled sideways but a wide table in its own frame; axe-core as above."""
    visit = browsing.Visit(browser, address + PAGES[page], width=390)
    assert visit.page.evaluate("document.documentElement.scrollWidth") <= 390
    assert visit.defects(axe) == []
    visit.page.close()
