"""README's first three lines as people type them: the wheel in a new environment, an empty folder, a messy file."""

import os
import re
import shlex
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.app.commands.test_init import messy

ROOT = Path(__file__).resolve().parents[2]
MOST_S = 300


@pytest.mark.bench
def test_from_pip_install_to_a_verdict(tmp_path):
    """In five minutes, without a key, with no file edited: the last of three commands prints a verdict."""
    build = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "-q",
        "--no-deps",
        "--no-build-isolation",
        "-w",
        str(tmp_path),
        str(ROOT),
    ]
    subprocess.run(build, check=True)
    (wheel,) = tmp_path.glob("prompt_harness-*.whl")
    block = re.search(r"<!-- start -->\n```sh\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    lines = [shlex.split(line, comments=True) for line in block.group(1).splitlines()]
    subprocess.run([sys.executable, "-m", "venv", str(tmp_path / "env")], check=True)
    folder = tmp_path / "empty"
    folder.mkdir()
    messy(folder)
    programs = tmp_path / "env" / ("Scripts" if os.name == "nt" else "bin")
    kept = {name: value for name, value in os.environ.items() if not name.endswith(("_KEY", "_TOKEN"))}
    start_s = time.monotonic()
    for words in lines:
        typed = [str(wheel) if word == "prompt-harness" else word for word in words]
        done = subprocess.run(
            [str(programs / typed[0]), *typed[1:]], cwd=folder, env=kept, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
    wall_s = time.monotonic() - start_s
    print(f"from pip install to a verdict: {wall_s:.0f} s")
    assert "tickets@v1 / test" in done.stdout
    assert re.search(r"Cannot tell yet|beats|Serve ", done.stdout)
    assert wall_s < MOST_S
