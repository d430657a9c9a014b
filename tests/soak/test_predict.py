"""`predict` killed again and again over a large file: whole, in order, nothing twice, nothing paid twice."""

import csv
import os

import pytest

from tests import processes
from tests.app.standing import mail, written
from tests.loopback import serve

KILLS, ROWS, PAID_EVERY, AT_ONCE = 20, 100_000, 20, 8
ARM = "cascade:rules>prompt:v1"


def text_of(i: int) -> str:
    """What the rules know, but for every twentieth row, which the prompt is asked."""
    return f"where is {i}" if i % PAID_EVERY == 0 else f"refund number {i}"


@pytest.mark.soak
@pytest.mark.parametrize(("rows", "kills"), [(2_000, 5), (ROWS, KILLS)])
def test_killed_twenty_times(root, rows, kills):
    """A cascade of rules and a paid prompt: each row once, in its place; only calls under way are asked twice."""
    mail(root)
    written(root / "new.csv", [{"text": text_of(i), "n": str(i)} for i in range(rows)])
    with serve(lambda said: "bug") as server:
        link = ("--model", "openai/m", "--base-url", server.openai_url, "--dataset", "mail@v1")
        for split in ("dev", "test"):
            processes.printed(processes.harness(root, "eval", "--prompt", "v1", *link, "--split", split))
            where = ("--dataset", "mail@v1", "--split", split)
            processes.printed(processes.harness(root, "baselines", "--arm", "rules", *where))
        processes.printed(processes.harness(root, "cascade", "rules", "prompt:v1", "--dataset", "mail@v1", "--store"))
        begun = len(server.requests)
        predict = ("predict", ARM, "new.csv", *link, "--concurrency", str(AT_ONCE), "--json")
        for kill in range(kills):
            process = processes.harness(root, *predict)
            goal = begun + (kill + 1) * rows // PAID_EVERY // (kills + 1)
            processes.until(lambda goal=goal: len(server.requests) >= goal, process)
            process.kill()
            process.communicate()
        process = processes.harness(root, *predict)
        out, err = process.stdout.read(), process.stderr.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        process.stdout.close()
        process.stderr.close()
        asked = len(server.requests) - begun
    assert process.returncode == 0, err + out
    print(f"\n{rows:,} rows: {asked:,} calls of {rows // PAID_EVERY:,} paid rows; {usage.ru_maxrss / 1024:.0f} MB")
    with (root / "new.labelled.csv").open(encoding="utf-8", newline="") as file:
        for i, row in enumerate(csv.DictReader(file)):
            expected = ("bug", "rules>prompt:v1") if i % PAID_EVERY == 0 else ("billing", "rules")
            assert (row["n"], row["label"], row["outcome"], row["path"]) == (
                str(i), expected[0], "answered", expected[1]
            )  # fmt: skip
    assert i == rows - 1
    assert rows // PAID_EVERY <= asked <= rows // PAID_EVERY + AT_ONCE * kills
    assert not list(root.glob("*.progress*"))
