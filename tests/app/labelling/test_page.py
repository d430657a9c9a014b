"""The label page in Chromium: by keyboard alone, and nothing that people wrote acts."""

from harness.datasets.label_journal import Journal
from harness.datasets.label_session import Terms
from tests.app.labelling.conftest import LABELS, dataset, serving, session
from tests.browsing import MARKS, PICTURES, Visit, axe, browser  # noqa: F401  (fixtures)

pytestmark = MARKS


def press(visit, key):
    """A key, and the next item has come."""
    before = visit.page.evaluate("document.body.dataset.item")
    visit.page.keyboard.press(key)
    visit.page.wait_for_selector(f"body[data-item]:not([data-item='{before}'])")
    return before


def picture(visit, name):
    if PICTURES:
        visit.page.screenshot(path=f"{PICTURES}/{name}.png", full_page=True)


def test_fifty_items_by_keyboard(browser, axe, folder):  # noqa: F811
    """A key a label labels fifty items; each is in the journal; nothing ran, nothing foreign was asked for."""
    with serving(session(folder)) as server:
        visit = Visit(browser, server.address)
        visit.page.wait_for_selector("body[data-item]:not([data-item=''])")
        given = [(press(visit, str(1 + i % 3)), LABELS[i % 3]) for i in range(50)]
        assert [(one.item, one.answer) for one in Journal(folder).entries()] == given
        visit.page.wait_for_selector("#spark > *", state="attached")
        assert visit.defects(axe) == []
        picture(visit, "label")
        assert visit.page.evaluate("document.querySelectorAll('img, main script').length") == 0
        assert visit.said == []
        assert all(asked.startswith(server.address) for asked in visit.asked)
        visit.page.close()


def test_undo_skip_search(browser, axe, folder):  # noqa: F811
    """Undo brings the last item back, skip puts one off, and of 150 labels a few letters and Enter find one."""
    names = tuple(f"intent {i:03} of the bank" for i in range(150))
    with serving(session(folder, of=dataset(20, names))) as server:
        visit = Visit(browser, server.address, scheme="dark")
        visit.page.wait_for_selector("body[data-item]:not([data-item=''])")
        first = press(visit, "1")
        press(visit, "Backspace")
        assert visit.page.evaluate("document.body.dataset.item") == first
        visit.page.keyboard.press("/")
        visit.page.keyboard.type("127")
        picture(visit, "label-search")
        assert visit.defects(axe) == []
        press(visit, "Enter")
        skipped = press(visit, ",")
        puzzling = press(visit, ".")
        acts = [(one.act, one.item, one.answer) for one in Journal(folder).entries()]
        assert acts == [
            ("label", first, names[0]),
            ("undo", first, None),
            ("label", first, names[127]),
            ("skip", skipped, None),
            ("cannot tell", puzzling, None),
        ]
        visit.page.close()


def test_suggestions_and_narrow_screens(browser, axe, folder):  # noqa: F811
    """A suggestion shows only where it was switched on; on a narrow screen nothing is wider than the screen."""
    terms = Terms("ann", suggestions={f"i{i:03}": "other" for i in range(60)})
    with serving(session(folder, terms)) as server:
        visit = Visit(browser, server.address, width=390)
        visit.page.wait_for_selector("body[data-item]:not([data-item=''])")
        assert visit.page.inner_text("#hint") == "suggested: other"
        assert visit.page.evaluate("document.documentElement.scrollWidth <= 390")
        assert visit.defects(axe) == []
        picture(visit, "label-narrow")
        visit.page.close()
