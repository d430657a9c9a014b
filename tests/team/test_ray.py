"""Work on a real Ray cluster of two nodes: the numbers of this process, no key there, kills survived."""

import json
import os
import subprocess
import sys
from importlib.util import find_spec

import pytest

from harness.runs.executors import alone
from tests import processes
from tests.conftest import small_workspace
from tests.team import nodes

pytestmark = [
    pytest.mark.team,
    pytest.mark.skipif(find_spec("ray") is None, reason="the extra `ray` is not installed here: make team"),
]


@pytest.fixture(scope="module")
def ray_cluster():
    """Two nodes on the loopback."""
    running = nodes.RayNodes()
    yield running
    running.close()


def python(root, *arguments, **more):
    """A program in a workspace, with a key in its environment."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(root), "PYTHONPATH": str(nodes.REPOSITORY), **more}
    environment["OPENAI_API_KEY"] = "sk-of-the-driver"
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=root,
        check=False,
        env=environment,
        capture_output=True,
        text=True,
        timeout=processes.HANGS_S,
    )


def spread(root, text):
    settings = root / "harness.toml"
    kept = settings.read_text().partition("[spread]")[0]
    settings.write_text(f"{kept}\n[spread]\n{text}\n")


def curve(root, db, *more):
    done = python(root, "-m", "harness", "curve", "tag-odds", "--labels", "6,60", "--seeds", "2", "--all-sizes",
                  "--json", "--db", db, *more)  # fmt: skip
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    told.pop("files", None)
    return told


@pytest.mark.quick
def test_the_cluster_computes_what_this_process_does(ray_cluster, tmp_path):
    """Products are equal to the bit, results in order, errors ours; no worker sees a key, a kill is made up for.

    No more is under way than there are `workers`, whatever processors the cluster has; who leaves cancels the rest.
    """
    script = str(nodes.REPOSITORY / "tests" / "team" / "on_ray.py")
    done = python(tmp_path, script, ray_cluster.address, str(tmp_path))
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["there"] == told["here"]
    assert told["squares"] == [n * n for n in range(20)]
    assert "OPENAI_API_KEY" not in told["seen"]
    assert all(alone.NEEDED.fullmatch(name) or alone.RAY.fullmatch(name) for name in told["seen"])
    assert told["refused"] == "ConfigError: 7 is refused"
    assert told["after_a_kill"] == [True]
    assert (told["at_once"]["1"], told["at_once"]["2"] <= 2, told["left"]) == (1, True, True)


def test_a_curve_on_the_cluster_is_the_curve_here(ray_cluster, tmp_path):
    """Digit for digit, and each run stored with the same rows; the workspace says where in two lines."""
    small_workspace(tmp_path)
    here = curve(tmp_path, "here.duckdb", "--processes", "1")
    spread(tmp_path, f'executor = "ray"\naddress = "{ray_cluster.address}"')
    there = curve(tmp_path, "there.duckdb")
    assert there == here
    hashes = "select run_id, content_hash from runs order by 1"
    stored = [python(tmp_path, "-m", "harness", "sql", hashes, "--json", "--db", db).stdout for db in
              ("here.duckdb", "there.duckdb")]  # fmt: skip
    assert stored[0] == stored[1]
    assert len(json.loads(stored[0])) == 3


def test_nobody_there_is_told(tmp_path):
    """An address where no cluster answers, or that is none, is one line and exit code 2."""
    small_workspace(tmp_path)
    for address, said in (("127.0.0.2:9", "no Ray cluster answers"), ("nowhere", "expected HOST:PORT")):
        spread(tmp_path, f'executor = "ray"\naddress = "{address}"')
        done = python(tmp_path, "-m", "harness", "curve", "tag-odds", "--labels", "6", "--seeds", "2")
        assert (done.returncode, said in done.stderr) == (2, True), done.stderr
        assert "Traceback" not in done.stderr


SEEN = """
import sys
from harness.ground.spread_settings import Spread
from harness.runs import executors
from tests.runs import work
cluster = executors.connect(Spread("ray", sys.argv[1], 2))
print(*sorted({name for names, _ in executors.in_order(cluster, work.environment, range(4)) for name in names}))
cluster.close()
"""


def test_a_cluster_with_a_token_lets_in_who_has_it(tmp_path):
    """With the token work is done, and no worker sees it; without, one line says what may lack, the token in none."""
    token = "token-of-the-cluster-0123456789abcdef"
    running = nodes.RayNodes(token)
    try:
        done = python(tmp_path, "-c", SEEN, running.address, RAY_AUTH_MODE="token", RAY_AUTH_TOKEN=token)
        assert done.returncode == 0, done.stderr
        assert "RAY_AUTH_MODE" in done.stdout.split()
        assert "RAY_AUTH_TOKEN" not in done.stdout.split()
        small_workspace(tmp_path)
        spread(tmp_path, f'executor = "ray"\naddress = "{running.address}"')
        command = ("-m", "harness", "curve", "tag-odds", "--labels", "6", "--seeds", "2")
        refused = python(tmp_path, *command, RAY_AUTH_MODE="token", RAY_AUTH_TOKEN="another-" + token)
    finally:
        running.close()
    assert refused.returncode == 2
    assert "where its nodes have RAY_AUTH_TOKEN, set the same" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert token not in done.stdout + done.stderr + refused.stdout + refused.stderr
