"""promptfoo configurations as people write them: what promptfoo would run is what is taken over."""

import json

import pytest

from harness.arms.prompts import promptfoo
from harness.errors import ConfigError


@pytest.fixture
def read(tmp_path):
    """Writes the files, and reads the configuration among them."""

    def read(config, **texts):
        for name, text in texts.items():
            (tmp_path / name.replace("_", ".")).write_text(text)
        (tmp_path / "c.yaml").write_text(json.dumps({"prompts": ["C {{text}}"]} | config))
        return promptfoo.read(tmp_path / "c.yaml")

    return read


def labels(config):
    return [(cells["text"], label) for _, cells, label in config.tests]


def equals(value):
    return [{"type": "equals", "value": value}]


@pytest.mark.parametrize(
    "cell",
    [
        *("contains: refund", "icontains-any: a,b", '"javascript: output.length < 5"', "fn: x", "eval: x", "python: x"),
        *("similar(0.8): shipping", "not-equals: refund", "llm-rubric: is polite", "grade: is polite", "is-json"),
        *("file://check.js", "latency(5000)", "starts-with: r", "regex: ^r", "levenshtein(2): refund"),
    ],
)
def test_assertions_of_other_types_are_no_labels(read, cell):
    """A cell of `__expected` that begins with another type's name is left out and counted, as inline ones are."""
    config = read({"tests": "t.csv"}, t_csv=f"text,__expected\none,{cell}\ntwo,billing\n")
    assert labels(config) == [("two", "billing")]
    assert [place.rpartition("/")[2] for place in config.without_label] == ["t.csv:2"]


@pytest.mark.parametrize(
    ("cell", "label"),
    [
        ("billing", "billing"),
        ("equals: billing", "billing"),
        ("equals:billing", "billing"),
        ("note: paid", "note: paid"),
    ],
)
def test_a_cell_without_a_type_is_the_label(read, cell, label):
    """So is one that says `equals`; a word with a colon that is no type is a label like any other."""
    assert labels(read({"tests": "t.csv"}, t_csv=f"text,__expected\none,{cell}\n")) == [("one", label)]


def test_numbered_columns_and_options_of_a_table(read):
    """`__expected1` and so on are assertions together; other columns that begin so are no variables."""
    table = "text,__expected1,__expected2,__description\none,equals: a,latency(5000),first\ntwo,a,b,second\n"
    config = read({"tests": "t.csv"}, t_csv=table)
    assert (labels(config), config.variables) == ([("one", "a")], ["text"])
    assert len(config.without_label) == 1  # an output cannot equal both a and b


def test_the_default_test_holds_for_all(read):
    """Its assertions and variables; a variable that is the label is not shown to the item."""
    default = {"assert": equals("{{ expected }}"), "vars": {"tone": "dry"}}
    config = read({"defaultTest": default, "tests": "t.csv"}, t_csv="text,expected\none,a\ntwo,b\nthree,\n")
    assert labels(config) == [("one", "a"), ("two", "b")]
    assert config.variables == ["text", "tone"]
    in_a_file = read({"defaultTest": "file://d.yaml", "tests": "t.csv"}, d_yaml=json.dumps(default))
    assert labels(in_a_file) == labels(config)


@pytest.mark.parametrize(
    "value", ["{{ unknown }}", "{{ text | upper }}", "{% if x %}a{% endif %}", "file://x.txt", {"a": 1}]
)
def test_computed_values_are_no_labels(read, value):
    """What a template or a file would compute is left out, not taken word by word."""
    tests = [{"vars": {"text": "one"}, "assert": equals(value)}, {"vars": {"text": "two"}, "assert": equals(True)}]
    assert labels(read({"tests": tests})) == [("two", "true")]


def test_lists_are_several_tests(read):
    """Each combination is a test of its own, as promptfoo runs it; unless it was told not to."""
    test = {"vars": {"text": ["one", "two"], "tone": ["dry", "warm"]}, "assert": equals("a")}
    config = read({"tests": [test]})
    assert [(cells["text"], cells["tone"]) for _, cells, _ in config.tests] == [
        ("one", "dry"), ("one", "warm"), ("two", "dry"), ("two", "warm"),
    ]  # fmt: skip
    assert labels(read({"tests": [test | {"options": {"disableVarExpansion": True}}]})) == [('["one", "two"]', "a")]


def test_a_list_that_explodes_is_refused(read):
    """A hundred thousand tests out of one line are a mistake."""
    with pytest.raises(ConfigError, match="more than 10,000 tests"):
        read({"tests": [{"vars": {name: list(range(99)) for name in "abc"}, "assert": equals("a")}]})


def test_prompts_in_files(read):
    """Lines of `---` stand between the prompts of a text file; a chat may be YAML; `file://` may be left out."""
    chat = "- role: system\n  content: Sort.\n- role: user\n  content: '{{text}}'\n"
    config = read(
        {"prompts": ["file://p.txt", "q.yaml"], "tests": [{"vars": {"text": "one"}, "assert": equals("a")}]},
        p_txt="Prompt one {{text}}\n---\nPrompt two {{text}}\n\n---\n",
        q_yaml=chat,
    )
    assert [messages[-1][1] for messages in config.prompts] == [
        "Prompt one {{text}}",
        "Prompt two {{text}}",
        "{{text}}",
    ]
    assert config.prompts[2][0] == ("system", "Sort.")


def test_tests_in_lines(read):
    """A JSONL file of tests is read line by line."""
    tests = [json.dumps({"vars": {"text": name}, "assert": equals("a")}) for name in ("one", "two")]
    assert labels(read({"tests": "file://t.jsonl"}, t_jsonl="\n".join(tests))) == [("one", "a"), ("two", "a")]


def test_a_variable_in_a_file_is_refused(read):
    """Its name is not the item's text."""
    with pytest.raises(ConfigError, match="variable 'text' is read from file://a.txt"):
        read({"tests": [{"vars": {"text": "file://a.txt"}, "assert": equals("a")}]})
