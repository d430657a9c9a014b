"""The house stays in order: floors, doors, neighbours, sizes and words, checked on the source."""

import ast
import re
from pathlib import Path

import pytest

import harness

HARNESS = Path(harness.__file__).parent
MODULES = sorted(HARNESS.rglob("*.py"))

FLOOR = {
    "types": 0,
    "errors": 0.3,
    "ids": 1,
    "clock": 1,
    "escaping": 1,
    "private": 1,
    "outside": 0.8,
    "plugins": 1,
    "numbers": 1,
    "spreadsheets": 1,
    "parsing": 1,
    "replies": 0.9,
    "unread": 1.1,
    "pricing": 1.5,
    "redaction": 1,
    "validation": 0.5,
    "stats": 1,
    "kinds": 2,
    "workspace": 3,
    "wal": 3,
    "ledger": 4,
    "datasets": 4,
    "prompts": 4,
    "store": 4,
    "providers": 4,
    "embedders": 4.2,
    "encoding": 4.5,
    "choice": 5,
    "fewshot": 5,
    "middleware": 5,
    "baselines": 5,
    "audit": 5,
    "arms": 6,
    "forecast": 6,
    "stack": 6.5,
    "early": 6,
    "wiring": 7,
    "runner": 7,
    "subsets": 6.5,
    "spread": 7.3,
    "curves": 7.8,
    "constraints": 2,
    "panel": 7.4,
    "plan": 2,
    "comparison": 7.5,
    "fusion": 7.7,
    "contracts": 2,
    "gate_settings": 2,
    "gate": 8.6,
    "matching": 3.5,
    "importers": 4,
    "importing": 5,
    "parcel": 8.1,
    "exporters": 8.2,
    "foreign_arms": 9,
    "workbench": 10.8,
    "pytest_plugin": 11.5,
    "carryover": 7.5,
    "shared_items": 8,
    "analysis": 8,
    "ownership": 8.2,
    "decision": 8.5,
    "report": 9,
    "view": 9.5,
    "project": 10,
    "commands": 11,
    "cli": 12,
    "__main__": 13,
    "__init__": 12,
}

DOORS = {
    "duckdb": {"store", "datasets"},
    "sqlite3": {"wal", "ledger", "embedders"},
    "openai": {"providers/_openai_chat", "providers/_azure_chat"},
    "anthropic": {"providers/_anthropic_messages", "providers/_cloud_messages"},
    "httpx2": {"providers/_sdk", "providers/_transport"},
    "aiohttp": {"providers/_transport"},
    "xllamacpp": {"providers/local"},
    "genai_prices": {"pricing"},
    "onnxruntime": {"embedders"},
    "tokenizers": {"embedders"},
    "sklearn": {"baselines", "fusion", "stats", "audit"},
    "jinja2": {"prompts", "report"},
    "yaml": {"prompts"},
    "pydantic": {"validation", "constraints", "gate_settings", "plan", "workspace", "prompts", "datasets", "pricing"},
    "matplotlib": {"report"},
    "rich": {"report", "commands"},
    "click": {"commands", "cli"},
    "re2": {"replies", "parsing", "baselines", "audit"},
    "pandas": {
        "store",
        "panel",
        "comparison",
        "carryover",
        "shared_items",
        "analysis",
        "report",
        "project",
        "gate",
    },
    "time": {"clock"},
    "threadpoolctl": {"spread"},
    "random": {"stack"},
    "mlflow": {"exporters/mlflow"},
    "opentelemetry": {"exporters/otel"},
}

EXTENSIONS = (
    "kinds",
    "providers",
    "embedders",
    "middleware",
    "baselines",
    "arms",
    "datasets/recipes",
    "report/sections",
    "report/figures",
    "audit/checks",
    "commands",
    "importers",
    "exporters",
)

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


def home_of(path: Path) -> str:
    return path.relative_to(HARNESS).with_suffix("").parts[0]


def imports_of(path: Path) -> list[tuple[str, ast.stmt, bool]]:
    """Every imported module by dotted name, with whether it stands inside a function."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    inside = {
        id(node)
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        for node in ast.walk(function)
    }
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [(alias.name, node, id(node) in inside) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: write imports absolutely"
            # `from harness import ids` names the module in the alias, `from harness.ids import x` in the path.
            dotted = [f"harness.{alias.name}" for alias in node.names] if node.module == "harness" else [node.module]
            found += [(name, node, id(node) in inside) for name in dotted]
    return found


def ours(path: Path) -> list[str]:
    names = [name for name, _, _ in imports_of(path) if name.startswith("harness.")]
    return [name for name in names if name.split(".")[1] in FLOOR]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(HARNESS)))
def test_imports_point_down(path):
    """A module imports only lower floors and its own folder."""
    home = home_of(path)
    for target in {name.split(".")[1] for name in ours(path)}:
        assert target == home or FLOOR[target] < FLOOR[home], f"{home} may not import {target}"


def test_every_module_has_a_floor():
    """No module stands outside the plan of the house."""
    assert {home_of(path) for path in MODULES} <= set(FLOOR)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(HARNESS)))
def test_outside_libraries_come_through_their_door(path):
    """Each outside library is imported by one place (type-checking imports excepted)."""
    relative = str(path.relative_to(HARNESS).with_suffix(""))
    for name, node, _ in imports_of(path):
        library = name.split(".")[0]
        if library in DOORS and not is_for_types_only(path, node):
            allowed = DOORS[library]
            assert relative in allowed or home_of(path) in allowed, f"{relative} may not import {library}"


def is_for_types_only(path: Path, statement: ast.stmt) -> bool:
    """True for imports under `if TYPE_CHECKING:`."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            last = max(child.end_lineno or 0 for child in node.body)
            if node.lineno <= statement.lineno <= last:
                return True
    return False


@pytest.mark.parametrize("folder", EXTENSIONS)
def test_extensions_do_not_know_their_neighbours(folder):
    """An extension file imports none of the others; what they share stands in a `_` file."""
    files = sorted((HARNESS / folder).glob("[!_]*.py"))
    assert files, f"{folder} is empty"
    dotted = "harness." + folder.replace("/", ".") + "."
    for path in files:
        neighbours = [name for name in ours(path) if name.startswith(dotted)]
        assert all(name.removeprefix(dotted).startswith("_") for name in neighbours), f"{path}: {neighbours}"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(HARNESS)))
def test_no_import_of_ours_hides_in_a_function(path):
    """Our own modules are imported at the top, where the reader looks."""
    hidden = [name for name, _, inside in imports_of(path) if inside and name.split(".")[0] == "harness"]
    assert not hidden


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(HARNESS)))
def test_sizes(path):
    """No module over 400 lines, no function over 80, no more than six parameters."""
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 400
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert (node.end_lineno or 0) - node.lineno < 80, f"{node.name} is too long"
            names = [a.arg for a in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)]
            asked = [name for name in names if name not in ("self", "cls")]
            assert len(asked) <= 8, f"{node.name} asks for {len(asked)} things"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(HARNESS)))
def test_words(path):
    """No module and no class is named by a word that says nothing."""
    names = [path.stem]
    names += [n.name for n in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(n, ast.ClassDef)]
    words = {word.lower() for name in names for word in re.findall(r"[A-Z]?[a-z]+", name)}
    assert not words & FORBIDDEN_WORDS


def test_two_broad_excepts_in_the_whole_package():
    """`except Exception` stands at the runner's batch boundary, and nowhere else without a reason."""
    broad = []
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ExceptHandler):
                caught = ast.unparse(node.type) if node.type else "everything"
                if caught in ("everything", "Exception", "BaseException"):
                    broad.append(home_of(path))
    assert len(broad) <= 2, broad


@pytest.mark.parametrize("path", sorted(Path(__file__).parent.rglob("test_*.py")), ids=lambda path: path.stem)
def test_every_test_has_its_sentence(path):
    """A test's docstring is the sentence that must hold."""
    functions = [n for n in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(n, ast.FunctionDef)]
    silent = [f.name for f in functions if f.name.startswith("test_") and not ast.get_docstring(f)]
    assert not silent
