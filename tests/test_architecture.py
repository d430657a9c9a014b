"""The house stays in order: rooms, doors, neighbours, sizes and words, checked on the source."""

import ast
import re
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

import harness
from harness.ground import plugins

HARNESS = Path(harness.__file__).parent
MODULES = sorted(HARNESS.rglob("*.py"))

ROOMS = ("ground", "stats", "datasets", "models", "arms", "store", "runs", "analysis", "report", "app")
FLOORS = ("types", "errors", *ROOMS, "__init__", "__main__")
"""A file imports its own room and what stands before it here."""

DOORS = {
    "anthropic": {"models/providers"},
    "click": {"app/cli", "app/commands"},
    "duckdb": {"store", "datasets"},
    "gepa": {"runs/improving/escalation"},
    "genai_prices": {"models/pricing"},
    "aiohttp": {"models/providers/_transport"},
    "httpx2": {"models/providers/_sdk", "models/providers/_transport"},
    "jinja2": {"arms/prompts", "report"},
    "matplotlib": {"report"},
    "mlflow": {"app/exporters/mlflow"},
    "onnxruntime": {"arms/encoders"},
    "openai": {"models/providers", "arms/encoders/openai"},
    "opentelemetry": {"app/exporters/otel"},
    "pandas": {"store", "analysis", "report", "app/project", "app/contracts"},
    "psycopg": {"ground/postgres", "store/lake/leases"},
    "pydantic": {"ground", "datasets", "models/pricing", "arms/prompts", "runs/plan"},
    "random": {"models/stack"},
    "ray": {"runs/executors/ray_cluster"},
    "re2": {"datasets", "arms/baselines"},
    "rich": {"report", "app/commands"},
    "scipy": {"stats", "datasets/audit", "arms/baselines", "report/figures"},
    "setfit": {"arms/baselines/setfit"},
    "sklearn": {"datasets/audit", "arms/baselines", "analysis/fusion", "app/contracts"},
    "sentence_transformers": {"arms/encoders/sentence_transformers"},
    "sqlite3": {"ground/sqlite", "models/ledger", "arms/encoders/_cache"},
    "threadpoolctl": {"runs/executors/alone", "arms/baselines"},
    "time": {"ground/clock"},
    "tokenizers": {"arms/encoders"},
    "xllamacpp": {"models/providers/local"},
    "yaml": {"arms/prompts"},
}

LISTED = (
    "datasets/kinds",
    "datasets/recipes",
    "datasets/audit/checks",
    "models/providers",
    "arms/baselines",
    "arms/encoders",
    "store/importers",
    "analysis/metrics",
    "report/sections",
    "report/figures",
    "app/exporters",
    "app/commands",
)
"""Folders whose files are found by listing them: only the loader imports such a file."""

NEIGHBOURS = (*LISTED, "models/middleware")
"""Folders whose files do not know each other; what they share stands in a `_` file."""

# Debts, to be emptied: an extension that is used as a library, by the file that uses it.
USED_AS_LIBRARY = {
    ("models/stack", "models/providers/local"),
    ("models/stack", "models/providers/openai"),
}
# As above: files that import each other, if only for their types or by a string.
CIRCLES: set[frozenset[str]] = set()

FORBIDDEN_WORDS = {
    "utils",
    "helpers",
    "common",
    "misc",
    "manager",
    "handler",
    "processor",
    "service",
    "base",
    "data",
    "info",
    "core",
}

MODULE = re.compile(rf"harness\.({'|'.join(FLOORS)})(\.\w+)*\.?")
every_module = pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(HARNESS)))


class Reference(NamedTuple):
    """A module that a file names: `a/b/c` below `harness/` if it is ours, else the library's dotted name."""

    target: str
    line: int
    is_ours: bool = True
    is_for_types: bool = False


# ------------------------------------------------------------------------------------------------- reading a file


def name_of(path: Path) -> str:
    """`a/b/c` of harness/a/b/c.py."""
    return str(path.relative_to(HARNESS).with_suffix("")).removesuffix("/__init__") or "__init__"


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def references(tree: ast.Module) -> tuple[Reference, ...]:
    """Every module that a file names: by an import, by a string, or as an extension to be loaded."""
    for_types = {
        id(node)
        for choice in ast.walk(tree)
        if isinstance(choice, ast.If) and isinstance(choice.test, ast.Name) and choice.test.id == "TYPE_CHECKING"
        for node in ast.walk(choice)
    }
    return tuple(
        one._replace(is_for_types=id(node) in for_types)
        for node in ast.walk(tree)
        for one in (*imported(node), *by_string(node), *loaded(node, tree))
    )


def imported(node: ast.AST) -> list[Reference]:
    if isinstance(node, ast.Import):
        return [reference(alias.name, node) for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        assert node.level == 0, "write imports absolutely"
        module = node.module or ""
        if module.split(".")[0] != "harness":
            return [reference(module, node)]
        # The module is the alias in `from harness.ground import ids`, the path in `from harness.ground.ids import x`.
        return [reference(f"{module}.{alias.name}", node) for alias in node.names]
    return []


def by_string(node: ast.AST) -> list[Reference]:
    """Modules of ours, or of others for `import_module`, in strings that are nothing but a name."""
    if isinstance(node, ast.Constant) and MODULE.fullmatch(str(node.value)):
        return [reference(str(node.value).rstrip("."), node)]
    if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "import_module" and node.args:
        argument = node.args[0]
        if isinstance(argument, ast.Constant) and not str(argument.value).startswith("harness."):
            return [reference(str(argument.value), node)]
    return []


def loaded(node: ast.AST, tree: ast.Module) -> list[Reference]:
    """The folder, or the file, that the loader of extensions is asked for."""
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args):
        return []
    if not (isinstance(node.func.value, ast.Name) and node.func.value.id == "plugins"):
        return []
    if node.func.attr == "Located":  # a name with the place where it will be looked for; nothing is loaded
        return []
    folder = text_of(node.args[0], tree)
    if folder is None:
        return [Reference(folder_of("commands"), node.lineno)]  # it may be any: as if it were the highest
    place = folder_of(folder)
    name = text_of(node.args[1], tree) if len(node.args) > 1 else None
    if name is None:
        return [Reference(place, node.lineno)]
    return [Reference(f"{place}/{name.replace('-', '_')}", node.lineno)]


def folder_of(name: str) -> str:
    return plugins.FOLDERS.get(name, name)


def text_of(node: ast.expr, tree: ast.Module) -> str | None:
    """A string, or what a constant of the module is; of another module's constant, what that is."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.Name):
        return constant(tree, node.id)
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        for one in ast.walk(tree):
            if isinstance(one, ast.ImportFrom) and any((a.asname or a.name) == node.value.id for a in one.names):
                path = HARNESS.parent / (one.module or "").replace(".", "/") / f"{node.value.id}.py"
                return constant(tree_of(path), node.attr) if path.exists() else None
    return None


def constant(tree: ast.Module, name: str) -> str | None:
    for statement in tree.body:
        match statement:
            case ast.Assign(targets=[ast.Name(id=bound)], value=ast.Constant(value=value)) if bound == name:
                return str(value)
    return None


def reference(dotted: str, node: ast.AST) -> Reference:
    """A reference to the file that a dotted name leads to."""
    first, *rest = dotted.split(".")
    line = getattr(node, "lineno", 0)
    if first != "harness":
        return Reference(dotted, line, is_ours=False)
    while rest and not is_module("/".join(rest)):
        rest = rest[:-1]
    return Reference("/".join(rest) or "__init__", line)


def is_module(name: str) -> bool:
    return (HARNESS / f"{name}.py").exists() or (HARNESS / name / "__init__.py").exists()


def room_of(name: str) -> str:
    return name.partition("/")[0]


def upward(name: str, tree: ast.Module) -> list[str]:
    """What a file names that stands above it."""
    floor = FLOORS.index(room_of(name))
    ours = [one for one in references(tree) if one.is_ours and one.target != "__init__"]
    return [f"{name}:{one.line} names {one.target}" for one in ours if FLOORS.index(room_of(one.target)) > floor]


# ------------------------------------------------------------------------------------------------- rooms


def test_ten_rooms_and_five_files():
    """`ls harness` shows the architecture."""
    shown = {path.name for path in HARNESS.iterdir() if path.name != "__pycache__"}
    assert shown == {*ROOMS, "__init__.py", "__main__.py", "py.typed", "types.py", "errors.py"}


@every_module
def test_imports_point_down(path):
    """A file names its own room and the rooms before it, by import, by string and as an extension alike."""
    assert not upward(name_of(path), tree_of(path))


@pytest.mark.parametrize(
    ("name", "source", "target"),
    [
        ("stats/x", "from harness.store import Store", "store"),
        ("stats/x", "from harness.app import cli", "app/cli"),
        ("stats/x", "import harness.report.html", "report/html"),
        ("types", "from harness.errors import ConfigError", "errors"),
        ("ground/x", "if TYPE_CHECKING:\n    from harness.runs.runner import run", "runs/runner"),
        ("datasets/x", 'import_module("harness.report.drawings").draw()', "report/drawings"),
        ("datasets/x", 'LAZY = {"a": "harness.app.workbench.shown"}', "app/workbench/shown"),
        ("datasets/x", 'import_module(f"harness.models.providers.{name}")', "models/providers"),
        ("models/x", 'plugins.load("baselines", "rules")', "arms/baselines/rules"),
        ("models/x", 'plugins.names("embedders", extensions)', "arms/encoders"),
        ("analysis/x", 'FOLDER = "report/sections"\nplugins.load(FOLDER, name)', "report/sections"),
        ("runs/x", "def f(folder):\n    return plugins.names(folder)", "app/commands"),
    ],
)
def test_an_upward_import_is_found(name, source, target):
    """What points up is found however it is written."""
    (sentence,) = upward(name, ast.parse(source))
    assert sentence.endswith(f" names {target}")


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("app/cli", "from harness.report.html import render"),
        ("report/x", "from harness import __version__"),
        ("arms/x", 'plugins.load("providers", name)'),
        ("ground/x", 'GROUP = "harness.baselines"'),
        ("stats/x", '"""As `harness.report.html` shows it."""'),
    ],
)
def test_what_points_down_is_let_through(name, source):
    """Lower rooms, the version, groups of entry points and sentences are no upward imports."""
    assert not upward(name, ast.parse(source))


def test_no_circles():
    """No two files import each other, over others or not, for types or not."""
    assert circles(graph()) == CIRCLES


def graph() -> dict[str, set[str]]:
    """Every file of ours, with the files that it names."""
    edges: dict[str, set[str]] = {name_of(path): set() for path in MODULES}
    for path in MODULES:
        name = name_of(path)
        ours = {one.target for one in references(tree_of(path)) if one.is_ours}
        edges[name] = {target for target in ours if target in edges and target not in (name, "__init__")}
    return edges


def circles(edges: dict[str, set[str]]) -> set[frozenset[str]]:
    """The largest groups of files of which each leads to every other."""
    leads = {name: reached(edges, name) for name in edges}
    return {frozenset(one for one in leads[name] if name in leads[one]) for name in edges if name in leads[name]}


def reached(edges: dict[str, set[str]], start: str) -> set[str]:
    """What a file leads to, over other files or not; itself only where it stands on a circle."""
    seen: set[str] = set()
    ahead = [start]
    while ahead:
        new = edges[ahead.pop()] - seen
        seen |= new
        ahead += new
    return seen


def test_a_circle_is_found():
    """A circle over three files is one; two files on the way to it are none."""
    edges = {"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a", "e"}, "e": set()}
    assert circles(edges) == {frozenset("abc")}


# ------------------------------------------------------------------------------------------------- doors and neighbours


@every_module
def test_outside_libraries_come_through_their_door(path):
    """Each outside library is imported by one place (type-checking imports excepted)."""
    name = name_of(path)
    for one in references(tree_of(path)):
        library = one.target.split(".")[0]
        if one.is_ours or one.is_for_types or library not in DOORS:
            continue
        doors = DOORS[library]
        assert any(name == door or name.startswith(f"{door}/") for door in doors), f"{name} may not import {library}"


@pytest.mark.parametrize("folder", NEIGHBOURS)
def test_extensions_do_not_know_their_neighbours(folder):
    """An extension file imports none of the others; what they share stands in a `_` file."""
    files = sorted((HARNESS / folder).glob("[!_]*.py"))
    assert files, f"{folder} is empty"
    for path in files:
        neighbours = {one.target for one in references(tree_of(path)) if extension(one.target) == folder}
        assert not neighbours, f"{path}: {neighbours}"


def extension(name: str) -> str | None:
    """The folder of an extension file, None for any other file."""
    folder, _, stem = name.rpartition("/")
    return folder if folder in NEIGHBOURS and not stem.startswith("_") else None


def test_an_arm_does_not_know_another():
    """The files of `arms/` that define an arm import none of the others."""
    arms = {path for path in (HARNESS / "arms").glob("*.py") if defines_an_arm(path)}
    assert len(arms) > 5
    names = {name_of(path) for path in arms}
    for path in arms:
        assert not {one.target for one in references(tree_of(path))} & names - {name_of(path)}, path


def defines_an_arm(path: Path) -> bool:
    return any(isinstance(one, ast.ClassDef) and one.name.endswith("Arm") for one in tree_of(path).body)


def test_an_extension_is_no_library():
    """Nobody but the loader imports a file that is found by its folder, nor asks the loader for it by its name."""
    used = set()
    for path in MODULES:
        for one in references(tree_of(path)):
            if one.is_ours and extension(one.target) in LISTED and is_module(one.target):
                used.add((name_of(path), one.target))
    assert used == USED_AS_LIBRARY


def test_every_folder_of_extensions_is_known():
    """The folders that the loader knows by another name are listed above."""
    assert set(plugins.FOLDERS.values()) <= set(LISTED)


@every_module
def test_no_import_of_ours_hides_in_a_function(path):
    """Our own modules are imported at the top, where the reader looks."""
    functions = [n for n in ast.walk(tree_of(path)) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]
    inside = [one for function in functions for node in ast.walk(function) for one in imported(node)]
    assert not [one.target for one in inside if one.is_ours]


# ------------------------------------------------------------------------------------------------- sizes and words


@every_module
def test_sizes(path):
    """No module over 400 lines, no function over 80, no more than eight parameters."""
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 400
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert (node.end_lineno or 0) - node.lineno < 80, f"{node.name} is too long"
            names = [a.arg for a in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)]
            asked = [name for name in names if name not in ("self", "cls")]
            assert len(asked) <= 8, f"{node.name} asks for {len(asked)} things"


@every_module
def test_words(path):
    """No module and no class is named by a word that says nothing."""
    names = [path.stem]
    names += [n.name for n in ast.walk(tree_of(path)) if isinstance(n, ast.ClassDef)]
    words = {word.lower() for name in names for word in re.findall(r"[A-Z]?[a-z]+", name)}
    assert not words & FORBIDDEN_WORDS


def test_two_broad_excepts_in_the_whole_package():
    """An `except Exception` that swallows stands at the runner's batch boundary, and nowhere else without a reason."""
    broad = []
    for path in MODULES:
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.ExceptHandler) and ast.unparse(node.body[-1]) != "raise":
                caught = ast.unparse(node.type) if node.type else "everything"
                if caught in ("everything", "Exception", "BaseException"):
                    broad.append(name_of(path))
    assert len(broad) <= 2, broad


@pytest.mark.parametrize("path", sorted(Path(__file__).parent.rglob("test_*.py")), ids=lambda path: path.stem)
def test_every_test_has_its_sentence(path):
    """A test's docstring is the sentence that must hold."""
    functions = [n for n in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(n, ast.FunctionDef)]
    silent = [f.name for f in functions if f.name.startswith("test_") and not ast.get_docstring(f)]
    assert not silent
