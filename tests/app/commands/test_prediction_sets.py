"""Prediction sets in the report: chosen on dev, counted on test, equal to what the stored scores say."""

from dataclasses import replace

import numpy as np
import pytest

from harness.app.project import Project
from harness.ground.clock import SystemClock
from harness.ground.workspace import Preferences, Workspace
from harness.stats import calibration
from tests.conftest import TICKETS, write_tickets

SPLITS = ("train", "dev", "test")


@pytest.fixture
def project(harness, root):
    """A dataset with a dev split; one arm was run on dev and test, another on test alone."""
    rows = [
        (f"{text} {i}", label, "|".join(text.split()[:2]), SPLITS[(i + len(text)) % 3])
        for i in range(9)
        for text, label in TICKETS
    ]
    write_tickets(root, rows, name="mail")
    where = ("--dataset", "mail@v1", "--split")
    assert harness("baselines", "--arm", "tag-odds", *where, "dev").code == 0
    assert harness("baselines", "--arm", "tag-odds", "--arm", "tfidf-svm", *where, "test").code == 0
    return Project(Workspace(root, Preferences(dataset="mail@v1", model="fake/first")), SystemClock())


def gold_and_scores(project, split):
    """The gold label and all scores of every item that tag-odds was asked."""
    dataset = project.dataset("mail@v1")
    run_id = project.selected("tag-odds", dataset, split).first.run_id
    gold = {example.item.id: example.label for example in dataset.in_split(split)}
    return [(gold[item_id], one.scores or {}) for item_id, one in project.store.stored(run_id).items()]


def test_sets_are_those_of_the_stored_scores(project):
    """Threshold, coverage and size as a few lines over the stored predictions have them; none without a run on dev."""
    results = project.results(project.dataset("mail@v1"), "test")
    by_arm = {one.run.arm: results.sets.get(one.run.run_id) for one in results.runs}
    assert by_arm["tfidf-svm"] is None
    found = by_arm["tag-odds"]
    chosen = gold_and_scores(project, "dev")
    assert found.chosen_n == len(chosen) == 45
    threshold = calibration.conformal_threshold([scores.get(gold, 0.0) for gold, scores in chosen], 0.1)
    assert found.threshold == pytest.approx(threshold)
    assert threshold > 0
    shown = gold_and_scores(project, "test")
    sets = [({label for label, score in scores.items() if score >= threshold}, gold) for gold, scores in shown]
    assert found.coverage.value == pytest.approx(np.mean([gold in labels for labels, gold in sets]))
    assert found.size.value == pytest.approx(np.mean([len(labels) for labels, _ in sets]))
    assert found.coverage.low < found.coverage.value <= found.coverage.high


def test_of_very_many_items_sets_are_those_of_the_items_looked_at(project, harness):
    """Those of a small run that is passed over are among them: each has a set of a known size."""
    where = ("--dataset", "mail@v1", "--split", "test")
    assert harness("baselines", "--arm", "majority", "--limit", "8", *where).code == 0
    space = project.workspace
    few = Project(replace(space, preferences=replace(space.preferences, most_items=20)), SystemClock())
    results = few.results(few.dataset("mail@v1"), "test")
    assert (results.split.subsample_of, [one.name for one in results.passed_over]) == (45, ["majority"])
    (shown,) = [one for one in results.runs if one.run.arm == "tag-odds"]
    found = results.sets[shown.run.run_id]
    items = set(results.predictions["example_id"])
    sizes = [
        sum(score >= found.threshold for score in (one.scores or {}).values())
        for item_id, one in few.store.stored(shown.run.run_id).items()
        if item_id in items
    ]
    assert (found.coverage.n, shown.n) == (len(sizes), len(sizes))
    assert found.size.value == pytest.approx(np.mean(sizes))


def test_dev_promises_nothing_about_itself(project):
    """On the split that chooses there are no sets."""
    assert not project.results(project.dataset("mail@v1"), "dev").sets


def test_the_report_shows_them(project, harness, root):
    """A table in the section on calibration, with the arm that was run on dev."""
    assert harness("report", "--dataset", "mail@v1").code == 0
    text = (root / "results" / "mail@v1" / "test" / "report.md").read_text()
    table = text.partition("labels in a set")[2].partition("Every label whose score")[0]
    assert "tag-odds" in table
    assert "tfidf-svm" not in table
