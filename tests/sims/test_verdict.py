"""What the verdict promises, held against planted truths through `decide` and the report's own comparisons.

Each cell draws results whose truth is known and counts what was said that is false. One cell of a kind, with few
draws, is in the default run; `make sims` has them all, and prints what it counted.
"""

from dataclasses import dataclass

import numpy as np
import pytest

from harness.analysis import comparison, decision, panel
from harness.analysis.decision import candidates
from harness.analysis.decision.assurance import Question, assurance
from harness.analysis.decision.choosing import Terms
from harness.analysis.panel import Panel
from harness.ground.constraints import Constraints
from harness.stats import margins, pairwise
from tests.sims import worlds
from tests.sims.worlds import World

MARGIN = 0.02
LONG = 2000


@dataclass
class Counted:
    """Of so many draws: how often the verdict was decided, and for an arm the margin worse or more; how often an equal
    or better arm was shown to be less accurate, by the verdict and by the table; how often the table's intervals hold.
    """

    draws: int = 0
    decided: int = 0
    wrong: int = 0
    shown: int = 0
    table: int = 0
    covered: int = 0

    def rate(self, name):
        return getattr(self, name) / self.draws

    def __str__(self):
        names = ("decided", "wrong", "shown", "table", "covered")
        return f"{self.draws} draws: " + ", ".join(f"{name} {self.rate(name):.4f}" for name in names)


def at_most(alpha, draws):
    """The promise and two standard errors of the simulation."""
    return alpha + 2 * np.sqrt(alpha * (1 - alpha) / draws)


def simulate(world, draws, prices=None, failing=None, **constraints):
    """Verdicts of a world; `failing` marks cells (items x arms) whose calls fail, given the scores."""
    rng, found = np.random.default_rng(7), Counted()
    truth = world.truth
    for _ in range(draws):
        scores, groups = world.draw(rng)
        lost = None if failing is None else failing(scores, rng)
        results = worlds.results(scores, groups, prices, lost, is_fitted=world.fits > 1)
        made = decision.decide(results, Constraints(margin=MARGIN, **constraints))
        found.draws += 1
        found.decided += made.verdict == "decided"
        if made.verdict == "decided":
            found.wrong += truth.max() - truth[worlds.number(made.recommendation)] >= MARGIN - 1e-9
        found.shown += _is_falsely_shown(made, truth)
        best, *others = worlds.answers(results)
        leads = comparison.leading(best, others)
        found.table += any(_is_false(one, truth) for one in leads)
        found.covered += all(one.lead.low <= _gap(one, truth) <= one.lead.high for one in leads)
    return found


def _gap(one, truth):
    return truth[worlds.number(one.a)] - truth[worlds.number(one.b)]


def _is_false(one, truth):
    return one.is_shown and one.difference.value * _gap(one, truth) <= 1e-12


def _is_falsely_shown(made, truth):
    named = [reason for reason in made.reasons if reason.startswith("Shown to be less accurate: ")]
    chosen = truth[worlds.number(made.recommendation)]
    return any(truth[worlds.number(part.split()[0])] >= chosen - 1e-12 for reason in named for part in _names(reason))


def _names(reason):
    return [part for part in reason.partition(": ")[2].split(", ") if part.startswith("arm")]


def keeps(found):
    """Nothing false is decided in more than 2.5%, nor shown (to either side) in more than 5%."""
    print(found)
    assert found.rate("wrong") <= at_most(0.025, found.draws)
    assert max(found.rate("shown"), found.rate("table")) <= at_most(0.05, found.draws)
    assert found.rate("covered") >= 1 - at_most(0.06, found.draws)


def test_equal_arms_in_brief():
    """Seven equal arms on 300 items: none is shown to be less accurate than another."""
    keeps(simulate(World((0.8,) * 7, 300), 8))


def test_arms_at_the_margin_in_brief():
    """Six cheap arms exactly the margin worse than a dear one: none is decided for."""
    keeps(simulate(World((0.88,) + (0.86,) * 5, 300, 0.9), 8, [5.0] + [0.001] * 5))


def test_groups_in_brief():
    """A cheap arm the margin worse, in 100 groups of five that fail together."""
    keeps(simulate(World((0.82, 0.80), 500, 0.5, 5, 0.8), 12, [5.0, 0.001]))


def test_seeds_in_brief():
    """Cheap arms fitted five times, the margin worse on the average over fits: none is decided for."""
    keeps(simulate(World((0.88, 0.86), 200, 0.9, fits=5), 3, [5.0, 0.001]))
    found = fitted_rates(World((0.88,) + (0.86,) * 3, 200, 0.9, fits=3), 40, is_dear=True)
    assert max(found[name] for name in ("wrong", "kept", "broken")) <= at_most(0.025, 40)


@pytest.mark.sims
@pytest.mark.parametrize("arms", [2, 4, 8, 16, 30])
@pytest.mark.parametrize("fits", [3, 5])
@pytest.mark.parametrize("is_dear", [True, False])
def test_seeds(arms, fits, is_dear):
    """As said of fits that lie three points apart, with a floor that all but the first just meet."""
    found = fitted_rates(World((0.88,) + (0.86,) * (arms - 1), 300, 0.9, fits=fits), LONG, is_dear)
    print(arms, fits, is_dear, {name: round(rate, 4) for name, rate in found.items()})
    assert max(found[name] for name in ("wrong", "kept", "broken")) <= at_most(0.025, LONG)
    assert found["ahead"] <= at_most(0.05, LONG)


def fitted_rates(world, draws, is_dear):
    """Rates of what is false, by the question that `decide` asks (see `test_rule`), without its outlook, which is slow.

    `wrong` and `decided` as above; `ahead` is a false lead in the table; floors of just the truth `kept` and `broken`.
    """
    rng, truth = np.random.default_rng(3), world.truth
    counted = dict.fromkeys(("decided", "wrong", "ahead", "kept", "broken"), 0.0)
    limits = Constraints(min_accuracy=float(truth.min()), margin=MARGIN)
    for _ in range(draws):
        results = worlds.results(*world.draw(rng), is_fitted=True)
        rows = [results.answers[one.run.run_id] for one in results.runs]
        seen = panel.of(rows).with_fits(rows)
        held = candidates.floors_of(results, seen, limits)
        true = truth[[worlds.number(name) for name in seen.names]]
        bills = np.where(true == truth.max(), 500.0 if is_dear else 0.1, 0.1)
        question = Question(seen, (), Terms(bills, 1.0), MARGIN, np.ones(len(true), dtype=bool))
        arm, is_decided = question.decided()
        kept, broken = held[0].judged(seen)
        is_least = true == truth.min()
        leads = comparison.shown(seen) & (true[:, None] <= true)
        flags = (is_decided, is_decided & (truth.max() - true[arm] >= MARGIN - 1e-9), leads.any())
        flags += ((kept & is_least).any(), (broken & is_least).any())
        for name, flag in zip(counted, flags, strict=True):
            counted[name] += float(flag) / draws
    return counted


def hard_quarter(scores, rng):
    """The second arm's calls fail on items that it would mostly have got wrong."""
    lost = np.zeros(scores.shape[:2], dtype=bool)
    wrong = np.flatnonzero(scores[:, 1, 0] == 0)
    lost[rng.choice(wrong, size=int(0.8 * len(wrong)), replace=False), 1] = True
    return lost


def test_failing_on_hard_items_is_not_rewarded_in_brief():
    """An arm of .75 whose calls fail where it is wrong looks like .94: it is not decided for over one of .85."""
    found = simulate(World((0.85, 0.75), 800), 10, [5.0, 0.001], hard_quarter)
    print(found)
    assert (found.wrong, found.table) == (0, 0)


@pytest.mark.sims
@pytest.mark.parametrize(("groups", "size", "alike"), [(100, 5, 0.99), (20, 5, 0.99), (30, 20, 0.9), (15, 50, 0.9)])
@pytest.mark.parametrize("accuracy", [0.5, 0.8, 0.95])
def test_an_accuracys_interval_covers_in_groups(groups, size, alike, accuracy):
    """Whole groups that fail: the printed interval covers in at least .93."""
    assert covering(World((accuracy,), groups * size, 0.0, size, alike), LONG) >= 0.94 - 0.01


def test_an_accuracys_interval_covers_in_groups_in_brief():
    """One cell of the same."""
    assert covering(World((0.8,), 500, 0.0, 5, 0.99), 400) >= 0.94 - 2 * np.sqrt(0.05 * 0.95 / 400)


def covering(world, draws):
    rng, covered = np.random.default_rng(0), 0
    for _ in range(draws):
        scores, groups = world.draw(rng)
        found = margins.share(scores[:, 0, 0], groups, name="accuracy")
        covered += found.low <= world.truth[0] <= found.high
    return covered / draws


@pytest.mark.sims
@pytest.mark.parametrize("arms", [2, 4, 8, 16])
def test_simultaneous_intervals_cover(arms):
    """Two ladders of tied arms: all pairs' intervals hold together in 95%, with those that end at 0."""
    accuracies = tuple(0.85 if k < arms // 2 else 0.80 for k in range(arms))
    keeps(simulate(World(accuracies, 600), LONG))


@pytest.mark.sims
@pytest.mark.parametrize("dear", [False, True])
def test_assurance_is_calibrated(dear):
    """Truths from the stated prior; where 80% is said, 75% to 85% are decided with that many labels more."""
    said, came = calibration(4000, dear)
    print(len(said), np.mean(said), np.mean(came))
    assert 0.75 <= np.mean(came) <= 0.85


def calibration(draws, dear):
    """The probabilities that were said, and whether it came so: two arms on 100 items."""
    rng, said, came = np.random.default_rng(1), [], []
    cells = np.array([[1, 1], [1, 0], [0, 1], [0, 0]], dtype=float)
    terms = Terms(np.array([500.0, 0.1]) if dear else np.array([0.1, 0.1]), 1.0)
    for _ in range(draws):
        shares = rng.dirichlet(np.ones(4))
        seen = cells[rng.choice(4, size=100, p=shares)]
        question = Question(_panel(seen), (), terms, MARGIN, np.ones(2, dtype=bool))
        if question.decided()[1]:
            continue
        found = assurance(question, rng)
        if found.labels is None:
            continue
        more = np.vstack([seen, cells[rng.choice(4, size=found.labels, p=shares)]])
        said.append(found.probability)
        came.append(bool(Question(_panel(more), (), terms, MARGIN, np.ones(2, dtype=bool)).decided()[1]))
    return said, came


def _panel(scores):
    asked = np.ones(scores.shape, dtype=bool)
    return Panel(("dear", "cheap"), np.array([f"i{k}" for k in range(len(scores))], dtype=object), scores, asked, asked)


def test_pairs_are_counted_once():
    """The simulations' own arithmetic: a draw of a world is what the engine counts."""
    scores, _ = World((0.9, 0.8), 50).draw(np.random.default_rng(0))
    found = pairwise.units(scores[:, :, 0]).weighed()
    assert found.wins[0, 1] - found.losses[0, 1] == scores[:, 0, 0].sum() - scores[:, 1, 0].sum()
