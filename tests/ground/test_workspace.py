import pytest

from harness.errors import ConfigError
from harness.ground import workspace


def test_the_nearest_settings_upwards_win(tmp_path):
    """A harness.toml, or a pyproject.toml with [tool.harness], in the nearest folder upwards."""
    (tmp_path / "pyproject.toml").write_text('[tool.harness]\ndataset = "outer@v1"\n')
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    assert workspace.find(inner).preferences.dataset == "outer@v1"
    assert workspace.find(inner).root == tmp_path
    (tmp_path / "a" / "pyproject.toml").write_text("[project]\nname = 'not ours'\n")
    assert workspace.find(inner).root == tmp_path
    (tmp_path / "a" / "harness.toml").write_text('dataset = "inner@v1"\n')
    assert workspace.find(inner).preferences.dataset == "inner@v1"


def test_a_folder_without_settings_is_a_workspace_too(tmp_path):
    """The current folder, with defaults."""
    assert workspace.find(tmp_path).root == tmp_path


def test_root_names_another(tmp_path):
    """--root wins over where one stands; a folder that is not there is named."""
    (tmp_path / "x").mkdir()
    assert workspace.find(tmp_path, tmp_path / "x").root == tmp_path / "x"
    with pytest.raises(ConfigError, match="no such folder"):
        workspace.find(tmp_path, tmp_path / "y")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("datset = 'x'", "unknown key 'datset'.*did you mean 'dataset'"),
        ("arms = 'x'", "arms is 'x'"),
        ("arms = [1]", "arms.0 is 1"),
        ("cpu_usd_per_hour = -1", "cpu_usd_per_hour is -1"),
        ("concurrency = 0", "concurrency is 0"),
        ("dataset = 3", "dataset is 3.*quote it"),
        ("[[", "not valid TOML"),
    ],
)
def test_settings_mistakes_are_named(tmp_path, text, message):
    """File, key, what was found and what was expected."""
    (tmp_path / "harness.toml").write_text(text)
    with pytest.raises(ConfigError, match=message):
        workspace.find(tmp_path)


@pytest.mark.parametrize("name", ["a", "v1", "emoji-tags", "a.b_c-9", "9"])
def test_names(name):
    """Letters, digits, dot, underscore and dash."""
    assert workspace.checked_name(name, "dataset") == name


@pytest.mark.parametrize("name", ["", ".", "..", "../x", "/etc", "a/b", "-a", ".a", "a b", "a\n", "é", "x" * 65])
def test_names_that_could_be_paths_are_refused(name):
    """A name never leads anywhere."""
    with pytest.raises(ConfigError, match="cannot be a name"):
        workspace.checked_name(name, "dataset")
