"""The label page in Chromium: by keyboard alone, and nothing that people wrote acts."""

import json
from dataclasses import replace
from threading import Event

from harness.datasets.label_journal import Journal
from harness.datasets.label_session import Terms
from harness.ground.located import Located
from tests.app.labelling.conftest import LABELS, dataset, serving, session
from tests.browsing import MARKS, PICTURES, Visit, axe, browser  # noqa: F401  (fixtures)

pytestmark = MARKS
SCHOOL = """
from harness.errors import DatasetError

METRICS, IS_BINARY, HAS_CLASSES = {}, True, False


def read_gold(cell, labels, where):
    if cell.upper() not in labels:
        raise DatasetError(f"{where}: no mark {cell!r}")
    return cell.upper()


def reply_format(mode, labels, pattern=None, fields=None): ...
def parse(reply, labels, expected): ...
def credit(gold, answer, labels): ...
"""


def opened(browser, server, **looks):  # noqa: F811
    """The page, with its first item."""
    visit = Visit(browser, server.address, **looks)
    visit.page.wait_for_selector("body[data-item]:not([data-item=''])")
    return visit


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
        visit = opened(browser, server)
        given = [(press(visit, str(1 + i % 3)), LABELS[i % 3]) for i in range(50)]
        assert [(one.item, one.answer) for one in Journal(folder).entries()] == given
        visit.page.wait_for_selector("#spark > *", state="attached")
        assert visit.defects(axe) == []
        picture(visit, "label")
        assert visit.page.evaluate("document.querySelectorAll('img, main script').length") == 0
        assert visit.said == []
        assert all(asked.startswith(server.address) for asked in visit.asked)
        visit.page.close()


def test_several_labels_by_keyboard(browser, axe, folder):  # noqa: F811
    """A key turns a label on or off, letters find one, Enter sends what is on; nothing on is an answer too."""
    with serving(session(folder, of=dataset(kind="multi"))) as server:
        visit = opened(browser, server)
        given = []
        for i in range(50):
            wanted = [name for place, name in enumerate(LABELS[:3]) if i >> place & 1]
            for name in wanted:
                visit.page.keyboard.press(str(1 + LABELS.index(name)))
            if i == 7:
                visit.page.keyboard.press("/")
                visit.page.keyboard.type("refu")
                visit.page.keyboard.press("Enter")  # found by its letters, and so off again
                wanted.remove("refund")
                assert visit.defects(axe) == []
                picture(visit, "label-multi")
            if i == 6:
                visit.page.keyboard.press("Backspace")  # the last that was turned on is off again
                wanted.pop()
            given.append((press(visit, "Enter"), json.dumps(sorted(wanted), separators=(",", ":"))))
        assert [(one.item, one.answer) for one in Journal(folder).entries()] == given
        assert len({answer for _, answer in given}) == 8
        visit.page.close()


def test_numbers_by_keyboard(browser, axe, folder):  # noqa: F811
    """Where whole numbers are few each has its key; any number can be typed; one outside the range is refused."""
    with serving(session(folder, of=dataset(labels=("1", "5"), kind="score"))) as server:
        visit = opened(browser, server)
        given = [(press(visit, str(1 + i % 5)), str(1 + i % 5)) for i in range(49)]
        picture(visit, "label-score")
        visit.page.keyboard.press("/")
        visit.page.keyboard.type("7")
        visit.page.keyboard.press("Enter")
        visit.page.wait_for_selector("#error:not(:empty)")
        assert "7 lies outside the range 1 to 5" in visit.page.inner_text("#error")
        visit.page.keyboard.press("Backspace")
        visit.page.keyboard.type("2,50")
        given.append((press(visit, "Enter"), "2.5"))
        assert visit.defects(axe) == []
        assert [(one.item, one.answer) for one in Journal(folder).entries()] == given
        visit.page.close()


def test_fields_by_keyboard(browser, axe, folder):  # noqa: F811
    """Arrows choose words, a field's key takes them; places count characters, whatever the text is made of."""
    of = dataset(labels=("name", "count"), kind="extract")
    beyond = [
        replace(example, item=replace(example.item, text=f"\U0001f600 {example.item.text}")) for example in of.examples
    ]
    of = replace(of, examples=tuple(beyond))
    texts = {example.item.id: example.item.text for example in of.examples}
    with serving(session(folder, of=of)) as server:
        visit = opened(browser, server)
        for i in range(50):
            for key in ("End", "2", "Home", "Shift+ArrowRight", "1"):
                visit.page.keyboard.press(key)
            if i == 0:
                assert visit.defects(axe) == []
                picture(visit, "label-extract")
            press(visit, "Enter")
        entries = Journal(folder).entries()
        assert len(entries) == 50
        for entry in entries:
            text, said = texts[entry.item], json.loads(entry.answer)
            assert said["count"] == {
                "text": text.split()[-1],
                "start": len(text) - len(text.split()[-1]),
                "end": len(text),
            }
            name = said["name"]
            assert text[name["start"] : name["end"]] == name["text"] != said["count"]["text"]
            assert text[: name["start"]].strip() == ""
        assert visit.page.evaluate("document.querySelectorAll('img, main script').length") == 0
        visit.page.close()


def test_fields_by_mouse(browser, folder):  # noqa: F811
    """What the mouse chose is taken without the blanks at its ends; Backspace and `remove` take it back."""
    of = dataset(labels=("name", "count"), kind="extract")
    with serving(session(folder, of=of)) as server:
        visit = opened(browser, server)
        item = next(e.item for e in of.examples if e.item.id == visit.page.evaluate("document.body.dataset.item"))
        last = visit.page.locator("#text span").last
        last.dblclick()  # in Chromium this chooses the word, on some systems with a blank behind it
        visit.page.keyboard.press("1")
        assert visit.page.locator("#values li").count() == 1
        visit.page.keyboard.press("Backspace")
        assert visit.page.locator("#values li").count() == 0
        last.dblclick()
        visit.page.get_by_role("button", name="count", exact=False).first.click()
        press(visit, "Enter")
        (entry,) = Journal(folder).entries()
        number = item.text.split()[-1]
        start = len(item.text) - len(number)
        assert json.loads(entry.answer) == {"count": {"text": number, "start": start, "end": len(item.text)}}
        visit.page.close()


def test_a_kind_of_somebodys_own(browser, axe, folder, tmp_path):  # noqa: F811
    """Its answers are written into a box, and the kind itself says what is none."""
    (tmp_path / "kinds").mkdir()
    (tmp_path / "kinds" / "school.py").write_text(SCHOOL)
    with serving(session(folder, of=dataset(4, ("A", "B"), Located("school", tmp_path)))) as server:
        visit = opened(browser, server)
        visit.page.keyboard.type("Q")
        visit.page.keyboard.press("Enter")
        visit.page.wait_for_selector("#error:not(:empty)")
        assert "the answer: no mark 'Q'" in visit.page.inner_text("#error")
        visit.page.keyboard.press("Backspace")
        visit.page.keyboard.type("b")
        item = press(visit, "Enter")
        assert visit.defects(axe) == []
        assert [(one.item, one.answer) for one in Journal(folder).entries()] == [(item, "B")]
        visit.page.close()


def test_undo_skip_search(browser, axe, folder):  # noqa: F811
    """Undo brings the last item back, skip puts one off, and of 150 labels a few letters and Enter find one."""
    names = tuple(f"intent {i:03} of the bank" for i in range(150))
    with serving(session(folder, of=dataset(20, names))) as server:
        visit = opened(browser, server, scheme="dark")
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
        visit = opened(browser, server, width=390)
        assert visit.page.inner_text("#hint") == "suggested: other"
        assert visit.page.evaluate("document.documentElement.scrollWidth <= 390")
        assert visit.defects(axe) == []
        picture(visit, "label-narrow")
        visit.page.close()


def test_a_server_that_is_gone(browser, axe, folder):  # noqa: F811
    """What was pressed after it stopped is not saved: the page says so where it is seen, and what to do."""
    names = tuple(f"intent {i:03} of the bank" for i in range(150))
    with serving(session(folder, of=dataset(20, names))) as server:
        visit = opened(browser, server, width=390)
        press(visit, "1")
    shown = visit.page.evaluate("document.body.dataset.item")
    visit.page.keyboard.press("2")
    visit.page.wait_for_selector("#error:not(:empty)")
    assert visit.page.inner_text("#error").startswith("Not saved: harness label has stopped. Start it again")
    assert visit.page.evaluate("document.body.dataset.item") == shown
    assert len(Journal(folder).entries()) == 1
    place = visit.page.locator("#error").bounding_box()
    assert place["y"] + place["height"] <= visit.page.viewport_size["height"]
    assert visit.defects(axe) == []
    picture(visit, "label-gone")
    visit.page.close()


def test_the_last_estimate_holds_every_answer(browser, axe, folder):  # noqa: F811
    """However long an estimate takes, the page ends with that of all answers, and with nothing left to press."""
    one, waited = session(folder, of=dataset(6)), Event()

    def slowly():
        waited.wait(0.3)
        n = len(one.labels())
        return {"sentence": f"from {n} labels", "width": 1 - n / 10}

    with serving(one, slowly) as server:
        visit = opened(browser, server)
        for _ in range(5):
            press(visit, "1")
        visit.page.keyboard.press("1")
        visit.page.wait_for_selector("#leader:text-is('from 6 labels')")
        assert visit.page.is_visible("#widths")
        assert visit.page.locator("#spark > *").count() >= 2
        assert visit.page.inner_text("#counts") == "6 of 6 labelled"
        assert [visit.page.is_visible(f"#{name}") for name in ("box", "skip", "cannot", "undo")] == [False] * 3 + [True]
        assert visit.defects(axe) == []
        picture(visit, "label-end")
        visit.page.keyboard.press("Backspace")
        visit.page.wait_for_selector("body[data-item]:not([data-item=''])")
        assert visit.page.is_visible("#skip")
        visit.page.close()
