from pathlib import Path

import pytest

from harness.arms.prompts import files
from harness.errors import ConfigError
from harness.types import Item, Label

USER = "{% block user %}\n{{ item.text }}\n{% endblock %}\n"


def parsed(text):
    return files.parse(text, task="t", version="v1", path="prompts/t/v1.j2")


def test_identity_is_what_a_prompt_says():
    """Description, parent and file name do not change the id; template, model and examples do."""
    plain = parsed(USER)
    assert parsed("---\ndescription: other words\nparent: v0\n---\n" + USER).id == plain.id
    assert files.parse(USER, task="t", version="v9", path="elsewhere.j2").id == plain.id
    assert parsed(USER.replace("\n", "\r\n")).id == plain.id
    changed = [
        USER.replace("item.text", "item.text | upper"),
        "---\nmodel: {temperature: 0.5}\n---\n" + USER,
        "---\nexamples: {how: knn, k: 2}\n---\n" + USER,
        "---\noutput: json\n---\n" + USER,
    ]
    assert len({plain.id, *(parsed(text).id for text in changed)}) == 5


def test_own_fields_and_their_order_are_part_of_what_a_prompt_says():
    """A model that gives its reason first is asked something else; without fields nothing changes."""
    headers = (
        "output: json",
        "output: json\nfields: {a: string, b: string}",
        "output: json\nfields: {b: string, a: string}",
    )
    assert len({parsed(f"---\n{header}\n---\n{USER}").id for header in headers}) == 3
    assert parsed(f"---\noutput: json\nfields: {{}}\n---\n{USER}").id == parsed(f"---\noutput: json\n---\n{USER}").id


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("outptu: label", "unknown key 'outptu'.*did you mean 'output'"),
        ("output: lable", "output is 'lable'.*'label'"),
        ("model: {temperature: hot}", "model.temperature is 'hot'.*number"),
        ("model: {max_tokens: yes}", "model.max_tokens is True.*integer"),
        ("model: {temprature: 0}", "model.temprature"),
        ("examples: knn", "needs k"),
        ("examples: {how: fixed}", "needs ids"),
        ("output: text", "pattern"),
        ("pattern: x", "pattern"),
        ("fields: {reason: string}", "go with `output: json`"),
        ("output: json\nfields: {reason: words}", "fields.reason is 'words'.*'string'"),
        ("output: json\nfields: {Label: string}", "another name than 'label'"),
        ("output: json\nfields: {'a b': string}", "letters, digits and _"),
        ("parent: 2024-01-01", "date 2024-01-01.*quote"),
        ("- a\n- b", r"found \['a', 'b'\]; expected keys and values"),
        ("a: [", "v1.j2:3.*YAML"),
        ("a: &x [1]\nb: *x", "aliases are not allowed"),
        ("!!python/object/apply:os.system ['true']", "not plain YAML"),
    ],
)
def test_front_matter_mistakes_are_named(header, message):
    """One line that names the file, the key, what was found and what was expected."""
    with pytest.raises(ConfigError, match=message) as caught:
        parsed(f"---\n{header}\n---\n{USER}")
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith("prompts/t/v1.j2")


def test_prompts_are_found_by_version_and_by_path(root):
    """`v1` is looked up under the task; a `.j2` is a path; a miss lists what there is."""
    by_version = files.load(root, "tickets", "v1")
    assert files.load(root, "other", "prompts/tickets/v1.j2").id == by_version.id
    assert files.versions(root, "tickets") == ["v1"]
    assert files.tasks(root) == ["tickets"]
    with pytest.raises(ConfigError, match="no prompt 'v7'.*'v1'"):
        files.load(root, "tickets", "v7")
    with pytest.raises(ConfigError, match="no such file"):
        files.load(root, "tickets", "nowhere.j2")


@pytest.mark.parametrize("name", ["../v1", "/etc/passwd", "v1/../../x", ".hidden", "a b", ""])
def test_a_path_in_a_version_is_refused(root, name):
    """A version is a name, never a way out of the folder."""
    with pytest.raises(ConfigError, match="cannot be a name"):
        files.load(root, "tickets", name)


def test_versions_are_in_natural_order(root):
    """v10 comes after v2."""
    for version in ("v10", "v2"):
        (root / "prompts" / "tickets" / f"{version}.j2").write_text(USER, encoding="utf-8")
    assert files.versions(root, "tickets") == ["v1", "v2", "v10"]


def test_a_prompt_that_is_no_text_is_refused(root):
    """Bytes that are not UTF-8 are named by place."""
    path = root / "prompts" / "tickets" / "v2.j2"
    path.write_bytes(USER.encode() + b"\xff")
    with pytest.raises(ConfigError, match="byte 48 is not UTF-8"):
        files.load(root, "tickets", "v2")


def test_shipped_prompts_render():
    """Every prompt of this repository parses and renders for an item."""
    root = Path(__file__).resolve().parents[3]
    for task in files.tasks(root):
        for version in files.versions(root, task):
            prompt = files.load(root, task, version)
            messages = prompt.template.messages(
                Item("1", "rocket", ("space",)), [Label("Travel")], task, (), {"Travel": "A"}
            )
            assert "rocket" in messages[-1].content
