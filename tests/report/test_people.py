"""People's single answers beside every arm, and where they do not agree with each other."""

from dataclasses import replace

import numpy as np
import pytest

from harness.analysis.people import MOST_ANSWERS, people
from harness.report.sections import people as section
from harness.report.sections import scorecard
from harness.stats import agreement
from harness.types import Dataset, Example, Item, Label


def rated(results):
    """The results' items with three raters: the first always right, the others wrong on every fourth and tenth."""
    first = results.predictions.drop_duplicates("example_id")
    labels, examples = results.split.labels, []
    for n, (item, gold) in enumerate(zip(first["example_id"], first["gold"], strict=True)):
        other = labels[(labels.index(gold) + 1) % len(labels)]
        said = {"r1": gold, "r2": other if n % 4 == 0 else gold} | ({"r3": other} if n % 10 == 0 else {})
        examples.append(Example(Item(str(item), "text"), gold, "test", ratings=said))
    return Dataset("tickets", "v1", "s1:x", "single", tuple(map(Label, labels)), tuple(examples))


def test_people_of_single_labels(results):
    """Each person is measured as an arm is, and their agreement is that of the table of their answers."""
    found = people(rated(results), "test")
    n = results.split.n
    right = np.arange(n) % 4 != 0
    assert found.values["accuracy"] == pytest.approx((1.0, right.mean(), 0.0))
    assert found.n_twice == n
    assert len(found.disputed) == sum(number % 4 == 0 or number % 10 == 0 for number in range(n))
    assert found.agreement.low < found.agreement.value < found.agreement.high < 1
    codes = {label: code for code, label in enumerate(results.split.labels)}
    table = [[codes.get(one.ratings.get(who), -1) for who in ("r1", "r2", "r3")] for one in rated(results).examples]
    assert found.agreement.value == agreement.krippendorffs_alpha(table, np.random.default_rng(0), resamples=9).value


def test_agreement_of_a_kind_of_degrees():
    """Near numbers nearly agree; more different answers than are compared in half a second have no agreement."""

    def found(n):
        numbers = [str(i % n) for i in range(2 * n)]
        near = {number: str(max(0, int(number) - 1)) for number in numbers}
        examples = [
            Example(Item(f"i{i}", "text"), number, "test", ratings={"r1": number, "r2": near[number]})
            for i, number in enumerate(numbers)
        ]
        ends = (Label("0"), Label(str(n)))
        return people(Dataset("moods", "v1", "s1:x", "score", ends, tuple(examples)), "test")

    assert found(40).agreement.value > 0.9
    assert found(40).disputed == frozenset()
    assert found(MOST_ANSWERS + 1).agreement is None


def test_beside_every_arm(results):
    """The scorecard names what a person reaches, and every arm stands beside where people agree and where not."""
    results = replace(results, people=people(rated(results), "test"))
    said = [block.text for block in scorecard.section(results).blocks if hasattr(block, "text")]
    assert any("A single person has an accuracy of .583 against the gold, on 60 items" in one for one in said)
    table = section.section(results).blocks[-1]
    assert [row[0] for row in table.rows] == [one.run.name for one in results.runs]
    rows = results.predictions.dropna(subset=["credit"])
    best = rows[rows["run_id"] == results.runs[0].run.run_id]
    expected = best[best["example_id"].isin(results.people.disputed)]["credit"].astype(float).mean()
    assert table.rows[0][2] == f"{expected:.3f}".removeprefix("0")
    assert "They differ on: " in table.caption
