"""What tests ask of every reader's output: names that tell rows apart, and figures that are those of `brute`."""

import re
from html.parser import HTMLParser

import pytest


def called(one):
    """The name of an object in JSON: its own field, else what it has instead of one."""
    return one.get("name") or one["arm"]


def assert_unique(names, where):
    """No two rows share a name."""
    twice = sorted({name for name in names if list(names).count(name) > 1})
    assert not twice, f"{where}: {twice} name several rows; all: {list(names)}"


def assert_rows(world, names, where):
    """Every row of the world is there once, under its name; else only runs that need not be there."""
    assert_unique(names, where)
    lacking = set(world.rows) - set(names)
    assert not lacking, f"{where} lacks {sorted(lacking)}; it has {sorted(names)}"
    others = [name for name in names if name not in world.rows]
    unknown = [name for name in others if not any(name.startswith(arm) for arm in world.optional)]
    assert not unknown, f"{where} has rows that are none: {unknown}"


def pooled_or_alone(world, names):
    """The runs behind each name, whether a table pools the repeats or shows each by itself."""
    if set(world.alone) <= set(names) and len(world.alone) > 1:
        return world.rows | {name: (run_id,) for name, run_id in world.alone.items()}
    return dict(world.rows)


def assert_accuracy(world, raw, estimate, run_ids, where):
    """The accuracy on the row's own items, or on those that all rows of the world share."""
    mine = raw.scores(run_ids)
    shared = set.intersection(*(set(raw.scores(ids).index) for ids in world.rows.values()))
    allowed = {
        len(mine): raw.accuracy(run_ids),
        len(mine[mine.index.isin(list(shared))]): raw.accuracy(run_ids, shared),
    }
    n, value = estimate["n"], estimate["value"]
    assert n in allowed, f"{where}: on {n} items; expected {sorted(allowed)}"
    assert value == pytest.approx(allowed[n], abs=1e-9), f"{where}: {value:.3f}; expected {allowed[n]:.3f}"
    assert estimate["low"] - 1e-9 <= value <= estimate["high"] + 1e-9, f"{where}: {estimate}"


def assert_pair(found, expected, where):
    """The counts of a 2x2 table and its difference."""
    seen = {name: found[name] for name in ("n", "both", "only_a", "only_b", "neither")}
    assert seen == {name: expected[name] for name in seen}, where
    difference = found["difference"]
    assert difference["value"] == pytest.approx(expected["difference"], abs=1e-9), where
    assert difference["low"] <= difference["value"] <= difference["high"], where


def share(text):
    """A printed share as a number: `.865`, `1.000`, `.865 (.821 to .899)`."""
    found = re.match(r"-?\d?\.\d+", text)
    assert found, f"{text!r} is no share"
    return float(found.group())


def markdown_tables(text):
    """The tables of a Markdown document: lists of rows, the titles first."""
    tables, rows = [], []
    for line in [*text.splitlines(), ""]:
        if line.startswith("| "):
            rows.append([_plain(cell) for cell in re.split(r"(?<!\\) \| ", line[2:].removesuffix(" |"))])
        elif rows:
            tables.append([rows[0], *rows[2:]])
            rows = []
    return tables


def _plain(cell):
    text = re.sub(r"\\([\\`*_\[\]#|~])", r"\1", cell.strip())
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


class _Tables(HTMLParser):
    def __init__(self):
        super().__init__()
        self.tables, self.links, self._cell = [], [], None

    def handle_starttag(self, tag, attributes):
        if tag == "table":
            self.tables.append([])
        elif tag == "tr" and self.tables:
            self.tables[-1].append([])
        elif tag in ("td", "th") and self.tables and self.tables[-1]:
            self._cell = []
        elif tag == "a":
            self.links.append(dict(attributes).get("href", ""))

    def handle_endtag(self, tag):
        if tag in ("td", "th") and self._cell is not None:
            self.tables[-1][-1].append("".join(self._cell).strip())
            self._cell = None

    def handle_data(self, data):
        if self._cell is not None:
            self._cell.append(data)


def html_tables(page):
    """The tables of a page, as of a Markdown document, and all its links."""
    parser = _Tables()
    parser.feed(page)
    return parser.tables, parser.links


def with_column(tables, *titles):
    """The first table with such columns, as rows by title."""
    for titled, *rows in tables:
        if all(title in titled for title in titles):
            return [dict(zip(titled, row, strict=True)) for row in rows]
    raise AssertionError(f"no table has the columns {titles}; there are {[table[0] for table in tables]}")
