"""The serve.py of a folder that needs no package of ours: our own sources, one behind the other.

What predicts here and what is shipped is the same text, so nothing can drift.
"""

from __future__ import annotations

import ast
from pathlib import Path

import harness
from harness.errors import ConfigError

ROOT = Path(harness.__file__).parent
LEARNT = tuple(
    f"arms/portable/{name}"
    for name in (
        *("answer", "features", "heads", "model", "label_sets", "numbers", "spans", "look_up", "chain"),
        "restored",
    )
)
ENCODER = ("arms/encoders/_vectors", "arms/encoders/_transformer", "arms/encoders/_loaded")
SERVING = ("app/serving/folder", "app/serving/server", "app/serving/answering")

# A folder is no place to import from: what lies in it is data, however it is called.
BEGINNING = '''"""Serves this folder: python serve.py --port 8000, then POST /predict. See MODEL_CARD.md."""

from __future__ import annotations

import os
import sys

sys.dont_write_bytecode = True
_here = os.path.dirname(os.path.realpath(__file__))
sys.path[:] = [place for place in sys.path if os.path.realpath(place) != _here]

'''

FITTED = '''

def build(files: Mapping[str, bytes], options: argparse.Namespace) -> Answer:
    """The classifier of this folder."""
    card = json.loads(files[CARD])
    embed = {embed}
    return answer_with(restored_classifier(files, "", embed), card["arm"], card["cost_usd"])


if __name__ == "__main__":
    run_folder(Path(__file__).resolve().parent, build)
'''

PACKAGED = """
try:
    from harness.app.serving import packaged
except ImportError:
    sys.exit("serve.py: this folder needs a package: pip install -r requirements.txt")

if __name__ == "__main__":
    packaged.serve(__file__)
"""


def fitted(*, has_encoder: bool) -> bytes:
    """The serve.py of one fitted classifier."""
    pieces = (*LEARNT, *(ENCODER if has_encoder else ()), *SERVING)
    embed = 'embedder(files["encoder.onnx"], files["tokenizer.json"])' if has_encoder else "lambda texts: None"
    bodies = [_body(name) for name in pieces]
    _check_names(bodies)
    return "\n\n".join([BEGINNING.rstrip(), *bodies, FITTED.replace("{embed}", embed).strip()]).encode() + b"\n"


def packaged() -> bytes:
    """The serve.py of an arm that is served by this package."""
    return (BEGINNING + PACKAGED.lstrip("\n")).encode()


def _body(name: str) -> str:
    """A module's text without its docstring, what it imports of ours, and what only types need."""
    text = (ROOT / f"{name}.py").read_text(encoding="utf-8")
    lines = text.splitlines()
    for node in reversed(ast.parse(text).body):
        if _is_left_out(node):
            del lines[node.lineno - 1 : node.end_lineno]
    title = f"# {'-' * 20} {name}.py"
    return title + "\n\n" + "\n".join(lines).strip()


def _is_left_out(node: ast.stmt) -> bool:
    match node:
        case ast.Expr(value=ast.Constant(value=str())) if node.lineno == 1:
            return True
        case ast.ImportFrom(module=str() as module):
            return module.split(".")[0] in ("__future__", "harness")
        case ast.If(test=ast.Name(id="TYPE_CHECKING")):
            return True
    return False


def _check_names(bodies: list[str]) -> None:
    """Raise `ConfigError` where two pieces call different things by one name."""
    seen: dict[str, str] = {}
    for body in bodies:
        for node in ast.parse(body).body:
            for name in _defined(node):
                if seen.setdefault(name, body) is not body:
                    raise ConfigError(f"two pieces of serve.py define {name}")


def _defined(node: ast.stmt) -> list[str]:
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return [node.name]
    targets = node.targets if isinstance(node, ast.Assign) else []
    return [target.id for target in targets if isinstance(target, ast.Name)]
