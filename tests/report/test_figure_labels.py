"""Names in figures: beside their marks, on no other mark, on no other name, and all of them there."""

import struct
from dataclasses import replace
from itertools import combinations

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.text import Text

from harness.analysis import chosen_arms
from harness.errors import ConfigError
from harness.ground import plugins
from harness.report import drawings
from harness.report.figures import _labels, _looks, _style
from harness.stats import intervals
from tests.report.conftest import HOSTILE, made, whole, with_curves

N = 300
FRAMES = {
    "page": _style.Frame(),
    "phone": _style.PHONE,
    "square": _style.Frame(4, 4),
    "card": _style.Frame(6, 3.15),
    "slide": _style.Frame(9.6, 5.4),
}
LONG = "prompt:the-version-with-all-the-examples-of-last-week @ https://gateway.example.com/v1/models ({})"


def scorecard(number):
    """Arms with random names, prices, waits and accuracies, among them hostile, long, equal and crowded ones."""
    rng = np.random.default_rng(number)
    count = int(rng.integers(2, 19))
    names = [
        [f"arm-{i}", f"{HOSTILE[i % len(HOSTILE)]}{i}", LONG.format(i), "m" * 30 + str(i)][rng.integers(0, 4)]
        for i in range(count)
    ]
    arms = {name: {"right": 0.5, "model": "openai/m" if rng.random() < 0.4 else None} for name in names}
    results = made(n=6, arms=arms)
    crowded = number % 3 == 0  # all within a point of accuracy and a third of the price
    runs = []
    for result in results.runs:
        right = int(N * (0.8 + rng.uniform(-0.01, 0.01) if crowded else rng.uniform(0.05, 1)))
        price = float(10 ** (rng.uniform(0, 0.1) if crowded else rng.uniform(-6, 2)))
        wait = price if number % 5 else 0.01
        latency = {"p50": wait, "p95": wait * float(rng.uniform(1, 8)), "p99": wait * 9}
        metrics = {**result.metrics, "accuracy": intervals.wilson(right, N)}
        runs.append(replace(result, metrics=metrics, cost_per_1000_usd=price, latency_s=latency))
    return replace(results, runs=tuple(runs))


def finished(name, results):
    """The figure as it is saved."""
    module = plugins.load("report/figures", name)
    drawing = module.draw(results)
    return drawings._finished(drawing, results, module.TITLE)


def boxes_of_marks(figure):
    """Every mark's box in pixels, from what is drawn: markers with their size, bars and lines with their width."""
    scale, found = figure.dpi / 72, []
    for artist in figure.findobj(lambda one: str(one.get_gid()).startswith("mark:")):
        if isinstance(artist, mpl.lines.Line2D):
            is_line = artist.get_linestyle() not in ("None", "")
            points = artist.get_transform().transform(artist.get_xydata())
            around = (artist.get_linewidth() if is_line else artist.get_markersize()) / 2 * scale
            groups = [points] if is_line and artist.get_marker() in ("None", "") else points[:, None]
        else:
            groups = [artist.get_transform().transform(path.vertices) for path in artist.get_paths()]
            around = artist.get_linewidth()[0] / 2 * scale
        found += [[*(group.min(axis=0) - around), *(group.max(axis=0) + around)] for group in groups]
    return np.array(found)


def boxes_of_names(figure):
    names = [one for one in figure.findobj(mpl.text.Annotation) if one.get_gid() == "name"]
    for one in names:
        one.update_positions(figure._get_renderer())
    boxes = [Text.get_window_extent(one) for one in names]
    return names, np.array([[box.x0, box.y0, box.x1, box.y1] for box in boxes]).reshape(-1, 4)


@pytest.mark.parametrize("number", range(20))
def test_no_name_touches_a_mark_or_a_name(number):
    """Of twenty scorecards in five frames: each arm is named once, beside the marks or in the legend above them."""
    results, frame = scorecard(number), list(FRAMES.values())[number % len(FRAMES)]
    for name in ("accuracy-cost", "accuracy-latency"):
        with drawings._theme(_style.LIGHT, frame):
            figure = finished(name, results)
            names, boxes = boxes_of_names(figure)
            marks = boxes_of_marks(figure)
            assert len(marks) >= 2 * len(results.runs)
            assert not _labels.touching(boxes, marks).any()
            assert not any(_labels.touching(a[None], b[None]).any() for a, b in combinations(boxes, 2))
            [axes] = figure.axes
            inside = axes.get_window_extent()
            assert (boxes[:, :2] >= (inside.x0, inside.y0)).all()
            assert (boxes[:, 2:] <= (inside.x1, inside.y1)).all()
            assert_all_are_named(results, names, axes, frame)


def assert_all_are_named(results, names, axes, frame):
    """Beside its mark or in the legend; where a chosen size has no room for all, the legend counts the others."""
    legend = axes.get_legend()
    entries = [] if legend is None else legend.get_texts()
    listed = [text.get_text() for text in entries]
    left_out = sum(int(text.split()[1]) for text in listed if text.endswith("more, in the table"))
    kinds = [text for text in listed if text in ("no model asked", "prompt to a model")]
    others = len(listed) - len(kinds) - (left_out > 0)
    assert len(names) + others + left_out == len(results.runs)
    assert not left_out or frame.height is not None
    if legend is not None:
        assert legend.get_window_extent().y0 >= axes.get_window_extent().y1
        right = axes.figure.bbox.x1
        assert all(text.get_window_extent().x1 <= right for text in entries)


@pytest.mark.parametrize("frame", [FRAMES[name] for name in ("page", "phone", "square")])
def test_words_around_the_axes_stay_apart(frame):
    """Title, what was scored, legend, axes and provenance of every figure: none touches another, none is cut off."""
    with drawings._theme(_style.LIGHT, frame):
        for name, module, results in drawings._modules(whole()):
            figure = drawings._finished(module.draw(results), results, module.TITLE)
            around = [one for one in figure.texts if one.get_gid() in ("title", "what", "facts")]
            assert len(around) == (0 if frame.bare else 3)
            blocks = [one.get_window_extent() for one in around]
            axes = [one.get_tightbbox() for one in figure.axes]
            assert all(box.x0 >= -1 and box.x1 <= figure.bbox.x1 + 1 for box in (*blocks, *axes)), name
            assert not any(a.overlaps(b) for a, b in combinations(blocks, 2)), name
            assert not any(a.overlaps(b) for a in blocks for b in axes), name


def test_crossings_of_learning_curves_cover_no_point():
    """The number of labels beside a crossing touches no marker of either curve."""
    with drawings._theme(_style.LIGHT):
        figure = finished("learning-curve", with_curves(made()))
        _, boxes = boxes_of_names(figure)
        assert len(boxes)
        assert not _labels.touching(boxes, boxes_of_marks(figure)).any()


def test_an_arm_looks_the_same_wherever_it_is_drawn():
    """No two of 64 arms look alike, the first eight share neither colour nor marker; a choice of arms changes none."""
    arms = {f"arm-{i}": {"right": 0.5, "model": "openai/m" if i % 2 else None} for i in range(64)}
    results = made(n=4, arms=arms)
    known = _looks.looks(results)
    assert len({(one.number, one.marker) for one in known.values()}) == 64
    assert all(known[name].is_filled == (how["model"] is None) for name, how in arms.items())
    few = _looks.looks(replace(results, runs=results.runs[:8]))
    assert len({one.number for one in few.values()}) == len({one.marker for one in few.values()}) == 8
    chosen = chosen_arms.of_arms(results, ["arm-3", "arm-40"])
    assert [one.run.arm for one in chosen.runs] == [
        one.run.arm for one in results.runs if one.run.arm in ("arm-3", "arm-40")
    ]
    assert _looks.looks(chosen)["arm-40"] == known["arm-40"]
    with pytest.raises(ConfigError, match="did you mean 'arm-4'"):
        chosen_arms.of_arms(results, ["arm4"])


def test_each_chosen_arm_has_its_confusion():
    """Without a choice the best arm's, with one a file for each; the title says whose it is."""
    assert "confusion" in [name for name, _, _ in drawings._modules(made())]
    chosen = chosen_arms.of_arms(made(), ["tfidf-lr", "prompt:v1"])
    with drawings._theme(_style.LIGHT):
        alone = [(name, module.draw(one)) for name, module, one in drawings._modules(chosen) if "confusion" in name]
    titles = {name: drawing.title for name, drawing in alone}
    assert titles == {"confusion-tfidf-lr": "Confusion: tfidf-lr", "confusion-prompt-v1": "Confusion: prompt:v1"}


def test_a_chosen_size_and_format_is_what_comes():
    """A PNG has just those pixels; a PDF is one, and the same bytes again."""
    wanted = drawings.Wanted(("png", "pdf"), (1200, 630))

    def saved(kind):
        with drawings._theme(_style.LIGHT, wanted.frame):
            return drawings._saved(finished("accuracy-cost", made()), "about", kind)

    assert struct.unpack(">II", saved("png")[16:24]) == (1200, 630)
    assert saved("pdf").startswith(b"%PDF-")
    assert saved("pdf") == saved("pdf")
