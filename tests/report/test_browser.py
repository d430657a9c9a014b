"""The page in a real browser: nothing foreign runs, nothing is fetched, and the explorer does what it says."""

from dataclasses import replace
from pathlib import Path

import pytest

from harness.analysis.people import people
from harness.datasets.audit.auditing import Audit
from harness.datasets.audit.findings import Evidence, Finding, Severity
from harness.datasets.audit.subject import DEFAULT
from harness.report import audited, build, front
from tests import browsing
from tests.browsing import PICTURES
from tests.report.conftest import HOSTILE, made
from tests.report.test_people import rated

pytestmark = browsing.MARKS


class Visit(browsing.Visit):
    """An open report; unless said otherwise its clock stands still, so that nothing in it may need a timer."""

    def __init__(self, browser, address, *looks, timers=False):
        super().__init__(browser, address, *looks, timers=timers)

    def count(self):
        return int(self.page.locator(".status").text_content().split()[0].replace(",", ""))


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """The report of ordinary results, in a file."""
    folder = tmp_path_factory.mktemp("page")
    results = made()
    path = folder / "report.html"
    path.write_bytes(build.build(results)["report.html"])
    return path.as_uri(), results


@pytest.fixture(scope="module")
def hostile_page(tmp_path_factory):
    arms = {
        f"minilm-lr{HOSTILE[0]}": {"right": 0.5},
        HOSTILE[3]: {"right": 0.4, "cost": 0.01, "model": HOSTILE[1]},
    }
    results = made(labels=HOSTILE[:6], n=40, texts=HOSTILE, arms=arms, name=HOSTILE[2])
    path = tmp_path_factory.mktemp("hostile") / "report.html"
    path.write_bytes(build.build(results)["report.html"])
    return path.as_uri()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_the_page_is_quiet_and_fits(browser, hostile_page, width, scheme):
    """No console message, no request but the page itself, no hostile effect, no sideways scrolling."""
    visit = Visit(browser, hostile_page, width, scheme)
    page = visit.page
    page.locator(".row").first.click()
    page.locator("input[name=q]").fill("script")
    assert visit.count() == 12
    assert visit.said == []
    assert visit.asked == [hostile_page]
    assert "owned" not in page.title().replace("document.title='owned'", "")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.locator("table").count() >= 4
    assert HOSTILE[0] in page.locator(".rows").text_content()
    page.close()


def test_the_explorer_filters_as_it_says(browser, written):
    """Arm, right and wrong, label, outcome and words each leave exactly the items they should."""
    address, results = written
    rows = {r.run.run_id: results.predictions[results.predictions["run_id"] == r.run.run_id] for r in results.runs}
    a, b = (rows[r.run.run_id].set_index("example_id") for r in results.runs[:2])
    right_a, right_b = a["credit"].eq(1), b["credit"].eq(1)
    visit = Visit(browser, address)
    page = visit.page

    def counted(expected, **chosen):
        page.get_by_role("button", name="Clear").click()
        for name, value in chosen.items():
            control = page.locator(f"[name={name}]")
            control.fill(value) if name == "q" else control.select_option(value)
        return visit.count() == expected

    assert counted(60)
    assert counted(int((~right_a).sum()), show="wrong")
    assert counted(int((right_a & ~right_b).sum()), show="only_a")
    assert counted(int((a["gold"] == results.split.labels[1]).sum()), gold="1")
    assert counted(int((a["label"] == results.split.labels[2]).sum()), answer="2")
    assert counted(1, q="text 59")
    assert counted(30, q="t2 text")
    failing = next(i for i, r in enumerate(results.runs) if r.run.arm == "prompt:v3")
    assert counted(2, a=str(failing), outcome="f")
    assert visit.said == []
    page.close()


def test_items_that_people_differ_on_are_marked(browser, tmp_path):
    """Where raters gave different answers the row says so, and a filter leaves these items alone."""
    results = made()
    results = replace(results, people=people(rated(results), "test"))
    path = tmp_path / "report.html"
    path.write_bytes(build.build(results)["report.html"])
    visit = Visit(browser, path.as_uri())
    page = visit.page
    page.locator("[name=show]").select_option("disputed")
    assert visit.count() == len(results.people.disputed) > 0
    assert page.locator(".row .gold", has_text="people differ").count() == page.locator(".row").count()
    page.locator("[name=show]").select_option("all")
    assert visit.count() == 60
    assert visit.said == []
    page.close()


CLEAR_AND_CHOOSE = """() => {
  const form = document.querySelector("#explorer form"), show = form.elements.show;
  form.elements.q.value = "text 59";
  form.elements.q.dispatchEvent(new Event("input", {bubbles: true}));
  form.querySelector("[type=reset]").click();
  show.value = "wrong";
  for (const kind of ["input", "change"]) show.dispatchEvent(new Event(kind, {bubbles: true}));
  return [form.elements.q.value, show.value, document.querySelector(".status").textContent, location.hash];
}"""


@pytest.mark.parametrize("timers", [False, True], ids=["no timers", "timers"])
def test_a_choice_made_after_clear_stays(browser, written, timers):
    """Clear, and a choice before the browser does anything else: the choice holds, then and when all is quiet."""
    address, results = written
    first = results.predictions[results.predictions["run_id"] == results.runs[0].run.run_id]
    wrong = int(first["credit"].eq(0).sum())
    visit = Visit(browser, address, timers=timers)
    page = visit.page
    assert page.evaluate(CLEAR_AND_CHOOSE) == ["", "wrong", f"{wrong} of 60 items", "#items?show=wrong"]
    if timers:
        page.evaluate("new Promise(done => setTimeout(() => requestAnimationFrame(done)))")
    assert page.locator("[name=show]").input_value() == "wrong"
    assert visit.count() == wrong
    page.close()


def test_a_page_loaded_again_shows_what_its_address_says(browser, written):
    """What a browser remembers of the controls counts for nothing: list and controls agree, and Clear clears."""
    visit = Visit(browser, written[0], timers=True)
    page = visit.page
    page.locator("[name=show]").select_option("wrong")
    page.locator("[name=q]").fill("text 5")
    some = visit.count()
    page.reload()
    assert (page.locator("[name=show]").input_value(), visit.count()) == ("wrong", some)
    page.evaluate("history.replaceState(null, '', location.pathname)")
    page.reload()
    page.evaluate("new Promise(done => setTimeout(() => requestAnimationFrame(done)))")
    assert (page.locator("[name=show]").input_value(), visit.count()) == ("all", 60)
    page.evaluate("location.hash = '#items?show=wrong'")
    page.get_by_role("button", name="Clear").click()
    assert (page.locator("[name=show]").input_value(), visit.count()) == ("all", 60)
    page.close()


def test_the_explorer_sorts_and_takes_keys(browser, written):
    """The surest first; arrows and End move the choice, and the chosen item is told with every arm's answer."""
    address, results = written
    visit = Visit(browser, address)
    page = visit.page
    page.locator("[name=sort]").select_option("surest")
    assert "sort=surest" in page.url
    best = results.predictions[results.predictions["run_id"] == results.runs[0].run.run_id].set_index("example_id")
    page.locator(".rows").focus()
    page.keyboard.press("ArrowDown")
    first = page.evaluate("new URLSearchParams(location.hash.split('?')[1]).get('item')")
    assert best["score"][first] == best["score"].max()
    page.keyboard.down("Home")
    page.keyboard.down("ArrowDown")
    page.keyboard.down("ArrowDown")  # held: the address follows when it is let go
    page.keyboard.up("ArrowDown")
    third = page.evaluate("new URLSearchParams(location.hash.split('?')[1]).get('item')")
    assert best["score"][third] == best["score"].sort_values(ascending=False).iloc[2]
    page.keyboard.press("End")
    last = page.evaluate("new URLSearchParams(location.hash.split('?')[1]).get('item')")
    assert best["score"][last] == best["score"].min()
    assert page.locator(".detail tbody tr").count() == len(results.runs)
    assert page.locator(".row.chosen").count() == 1
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.name") == "q"
    page.close()


def test_a_deep_link_shows_what_it_names(browser, written):
    """The address of one page opened in another shows the same arm, filter, words and item."""
    address, results = written
    run = results.runs[1].run.run_id
    visit = Visit(browser, f"{address}#items?a={run}&show=wrong&q=text&item=i7")
    page = visit.page
    assert page.locator("[name=a]").input_value() == "1"
    assert page.locator("[name=show]").input_value() == "wrong"
    assert page.locator("[name=q]").input_value() == "text"
    assert page.locator(".detail .full").text_content().startswith("text ")
    page.evaluate("location.hash = '#items?item=i12'")
    page.wait_for_function("document.querySelector('.detail .full').textContent === 'text 12'")
    strange = Visit(browser, f"{address}#items?a=nobody&show=%3Cscript%3E&sort=x&item=none&gold=99")
    assert strange.count() == 60
    assert strange.said == []
    for one in (page, strange.page):
        one.close()


def test_twenty_thousand_items_of_ten_runs_stay_smooth(browser, tmp_path):
    """Only the rows in sight exist, wherever one scrolls to and however they are filtered."""
    arms = {f"arm {i}": {"right": 0.5 + i / 25} for i in range(10)}
    path = tmp_path / "big.html"
    results = made(n=20_000, arms=arms)
    sections = [section for section in build.sections(results) if section.title == "Items"]
    path.write_text(build.html.render("big", sections, {}), encoding="utf-8")
    visit = Visit(browser, path.as_uri())
    page = visit.page
    page.locator(".rows").evaluate(
        "list => new Promise(done => { list.addEventListener('scroll', done, {once: true}); list.scrollTop = 300000; })"
    )
    assert 10 < page.locator(".row").count() < 60
    assert int(page.locator(".row").first.get_attribute("aria-posinset")) > 1000
    page.locator("[name=show]").select_option("only_a")
    assert 0 < visit.count() < 20_000
    assert 10 < page.locator(".row").count() < 60
    assert page.locator(".row").first.get_attribute("aria-posinset") == "1"
    assert visit.said == []
    page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_serious_defect(browser, written, axe, scheme):
    """axe-core, on the page with an item open: nothing serious or critical."""
    visit = Visit(browser, written[0] + "#items?item=i7", 1280, scheme, timers=True)
    assert visit.defects(axe) == []
    visit.page.close()


@pytest.mark.skipif(not PICTURES, reason="set HARNESS_SCREENSHOTS to a folder to get pictures of the page")
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_pictures_to_look_at(browser, written, width, scheme):
    """Pictures of the whole page, for people: never kept in the repository."""
    visit = Visit(browser, written[0], width, scheme)
    visit.page.locator(".row").nth(2).click()
    visit.page.screenshot(path=str(Path(PICTURES) / f"report-{width}-{scheme}.png"), full_page=True)
    visit.page.close()


@pytest.fixture(scope="module")
def front_page(tmp_path_factory):
    """The front page over hostile and ordinary reports."""
    folder = tmp_path_factory.mktemp("front")
    results = [made(), made(name=HOSTILE[2], arms={f"{HOSTILE[0]} long name": {"right": 0.5}, "b": {"right": 0.4}})]
    found = {}
    for number, one in enumerate(results):
        summary = front.read(front.summary(one, build.sections(one)))
        found[(f"data {number}#%", "test")] = summary
    path = folder / "index.html"
    path.write_bytes(front.page(found, ["data 0#%"]))
    return path.as_uri()


@pytest.fixture(scope="module")
def audit_page(tmp_path_factory):
    """The page of an audit that found something twice by one check, in a hostile text."""
    findings = tuple(
        Finding(
            Severity.ERROR,
            f"1 of {n} rows: {HOSTILE[0]}",
            "look",
            (),
            {},
            Evidence(("a", "b"), ((HOSTILE[1], n),)),
            "x",
        )
        for n in (3, 4)
    )
    audit = Audit("tickets@v1", "s1:d", 40, DEFAULT, ("x",), (), findings, (), ())
    path = tmp_path_factory.mktemp("audit") / "audit.html"
    path.write_bytes(audited.page(audit))
    return path.as_uri()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["front_page", "audit_page"])
def test_a_smaller_page_is_quiet_fits_and_has_no_serious_defect(browser, request, axe, scheme, name):
    """At 390 pixels nothing scrolls sideways but a table in its frame; nothing runs; axe-core is content."""
    address = request.getfixturevalue(name)
    visit = Visit(browser, address, 390, scheme, timers=True)
    assert visit.page.evaluate("document.documentElement.scrollWidth") <= 390
    assert visit.said == []
    assert visit.asked == [address]
    assert visit.defects(axe) == []
    visit.page.close()


@pytest.mark.parametrize(("width", "shown", "hidden"), [(1280, "wide", "narrow"), (390, "narrow", "wide")])
def test_a_phone_has_figures_drawn_for_it(browser, written, width, shown, hidden):
    """One drawing of each figure is there, as wide as the column, with letters that can be read."""
    visit = Visit(browser, written[0], width)
    figures = visit.page.locator(".drawing").count()
    assert figures >= 5
    assert visit.page.locator(f".{shown}:visible").count() == figures
    assert visit.page.locator(f".{hidden}:visible").count() == 0
    boxes = visit.page.eval_on_selector_all(f".{shown} svg", "all => all.map(one => one.getBoundingClientRect().width)")
    assert all(300 <= box <= width for box in boxes)
    visit.page.close()


@pytest.mark.parametrize("name", ["written", "hostile_page"])
def test_print_cuts_no_table(browser, request, name):
    """On paper tables and figures are as wide as the page, the colours light, and what only a screen can use gone."""
    address = request.getfixturevalue(name)
    visit = Visit(browser, address if isinstance(address, str) else address[0], 690, "dark")
    visit.page.emulate_media(media="print", color_scheme="dark")
    cut = "all => all.filter(one => one.scrollWidth > one.clientWidth + 1).map(one => one.ariaLabel)"
    assert visit.page.eval_on_selector_all(".scroll", cut) == []
    assert visit.page.evaluate("document.documentElement.scrollWidth") <= 690
    assert visit.page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert visit.page.locator("nav:visible, #explorer:visible, .narrow:visible").count() == 0
    visit.page.close()
