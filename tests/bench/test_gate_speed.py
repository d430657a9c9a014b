"""The gate of an unchanged prompt on a clean runner: nothing is asked, and nobody waits."""

import time

import pytest

from tests.test_ci_files import harness, pinned, run_step  # noqa: F401  (fixtures)

MOST_S = 20


@pytest.mark.bench
def test_an_unchanged_prompt_passes_in_seconds(pinned):  # noqa: F811
    """The workflow's own step, with the pinned baseline and no store: no call, within twenty seconds."""
    start_s = time.monotonic()
    done = run_step(pinned, "Gate", ARGUMENTS="--dataset tickets@v1")
    wall_s = time.monotonic() - start_s
    print(f"the gate of an unchanged prompt: {wall_s:.1f} s")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "\n0 calls sent" in done.stdout
    assert wall_s < MOST_S
