"""Learning curves read back from a store: which runs make a curve, and what it has to meet."""

import pytest

from harness.app.project import Project
from harness.ground.clock import SystemClock
from harness.report.sections import curve


@pytest.fixture
def project(workspace):
    """The small workspace, opened; no run yet."""
    return Project(workspace, SystemClock())


def read(project):
    return project.results(project.dataset(None), "test").curves


def learn(harness, *arguments):
    done = harness("curve", "tag-odds", "--processes", "1", "--all-sizes", *arguments)
    assert done.code == 0, done.err
    return done


def test_nothing_is_said_without_a_curve(harness, project):
    """No partial run, or one size only: no curve."""
    assert harness("baselines").code == 0
    assert read(project) is None
    learn(harness, "--labels", "6", "--seeds", "2")
    assert read(project) is None


def test_the_store_gives_the_curve_again(harness, project):
    """Sizes, seeds and accuracies are those that `curve` printed; of the whole split there is one draw."""
    assert harness("baselines").code == 0
    told = learn(harness, "--labels", "6,12,60", "--seeds", "3", "--json").json
    found = read(project)
    (drawn,) = found.drawn
    assert [point.n_labels for point in drawn.points] == [6, 12, 60]
    for point, printed in zip(drawn.points, told["points"], strict=True):
        assert point.estimate.value == pytest.approx(printed["estimate"]["value"])
        assert point.estimate.low == pytest.approx(printed["estimate"]["low"], abs=0.05)
    assert [(fit.n_labels, fit.seed) for fit in found.fits] == [
        *((6, s) for s in range(3)),
        *((12, s) for s in range(3)),
        (60, 0),
    ]


def test_a_size_that_was_stopped_half_way_is_left_out(harness, project):
    """A size with fewer seeds than the others is not in the curve; with all of them it is."""
    assert harness("baselines").code == 0
    learn(harness, "--labels", "6,12", "--seeds", "3")
    learn(harness, "--labels", "24", "--seeds", "1")
    assert read(project).learnt[0].sizes == (6, 12)
    learn(harness, "--labels", "24", "--seeds", "3")
    assert read(project).learnt[0].sizes == (6, 12, 24)


def test_curves_on_fewer_items_do_not_count(harness, project):
    """Of curves on different items those on most items are shown."""
    assert harness("baselines").code == 0
    learn(harness, "--labels", "6,12", "--seeds", "2")
    learn(harness, "--labels", "6,12,24", "--seeds", "2", "--limit", "10")
    found = read(project)
    assert found.learnt[0].sizes == (6, 12)
    assert len(found.learnt[0].items) == 30


def test_the_best_prompt_is_what_has_to_be_met(harness, project):
    """The crossing is the one `curve --against` finds, in words and in a table."""
    root = project.workspace.root
    (root / "recipe.toml").write_text('default = "question"\n[answers]\ncharged = "billing"\n')
    assert harness("eval", "--prompt", "v1", "--model", f"fake/{root / 'recipe.toml'}").code == 0
    assert harness("baselines").code == 0
    told = learn(harness, "--labels", "3,6,12,24,48", "--seeds", "3", "--against", "prompt:v1", "--json").json
    results = project.results(project.dataset(None), "test")
    (drawn,) = results.curves.drawn
    assert drawn.rival == "prompt:v1"
    assert drawn.level.value == pytest.approx(told["level"]["value"])
    assert drawn.crossover.labels == pytest.approx(told["crossover"]["labels"])
    section = curve.section(results)
    assert "meets prompt:v1" in section.blocks[0].text
    assert section.blocks[-1].rows[0][:2] == ("tag-odds", "prompt:v1")
    assert section.blocks[-1].rows[0][3] == f"{drawn.crossover.labels:,.0f}"
