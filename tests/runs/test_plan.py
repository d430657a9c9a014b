import pytest

from harness.errors import ConfigError
from harness.runs import plan
from harness.runs.plan import Step

WHOLE = """
arms = ["rules", "tfidf-svm", "prompt:v1"]
datasets = ["tickets@v1", "mail@v1"]
splits = ["dev", "test"]
seeds = [0, 1]
labels = [100, 200]

[[fusion]]
members = ["rules", "tfidf-svm", "prompt:v1"]
thresholds = [0.5, 0.9]
"""


def test_the_matrix():
    """Arms that learn are multiplied by seeds, prompts are not; datasets and splits multiply all."""
    found = plan.steps(plan.parse(WHOLE, "plan.toml"))
    assert len(found) == 2 * 2 * (2 + 2 + 1)
    assert found[0] == Step("tickets@v1", "dev", "rules", 0)
    assert [step.seed for step in found if step.kind == "prompt"] == [0] * 4
    assert len(set(found)) == len(found)


def test_what_is_left_out_has_a_default():
    """The workspace's dataset, the test split, seed 0."""
    assert plan.steps(plan.parse('arms = ["rules"]', "plan.toml")) == [Step(None, "test", "rules", 0)]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("arms = [", "plan.toml: not valid TOML"),
        ("arms = []", "plan.toml: arms is empty; expected the names of arms"),
        ('arms = ["rules", "rules"]', "plan.toml: arms has 'rules' twice"),
        ('arms = ["rules"]\narmz = 1', "plan.toml: unknown key 'armz'; expected one of"),
        ('arms = ["rules"]\nlabels = [0]', "plan.toml: labels.0 is 0"),
        ('arms = ["rules"]\nseeds = ["one"]', "plan.toml: seeds.0 is 'one'"),
        ('arms = ["rules"]\n[[fusion]]\nmembers = ["rules"]', "fusion 1: found 1 members; expected two or more"),
        ('arms = ["rules"]\n[[fusion]]\nmembers = ["rules", "ruels"]', "'ruels' is not among the plan's arms"),
        (WHOLE.replace("[0.5, 0.9]", "[0.5]"), "fusion 1: found 1 thresholds; 3 members take 2"),
        (WHOLE.replace("thresholds = [0.5, 0.9]", 'use = "x"'), "use names a run that says which members"),
    ],
)
def test_mistakes_name_the_key(text, said):
    """What was found, what was expected, where."""
    with pytest.raises(ConfigError) as error:
        plan.parse(text, "plan.toml")
    assert said in str(error.value)
