"""Executors: the same results here and in processes, in order, without keys, whoever ends meanwhile."""

import os

import pytest

from harness.errors import ConfigError
from harness.ground.spread_settings import Spread
from harness.runs import executors
from harness.runs.executors import alone
from harness.runs.executors.inline import Inline
from harness.runs.executors.lost import WorkerLost
from harness.runs.executors.processes import Processes
from tests.runs import work


@pytest.fixture(scope="module")
def two():
    """Two worker processes; a variable that looks like a key is set while they start."""
    pool = Processes(2)
    os.environ["SOME_API_KEY"] = "sk-secret"
    try:
        list(executors.in_order(pool, work.squared, range(4)))
        yield pool
    finally:
        del os.environ["SOME_API_KEY"]
        pool.close()


def test_results_come_in_order_or_as_they_are_done(two):
    """Every task has its result, in the order of the tasks, or with its task as soon as it is there."""
    for executor in (Inline(), two):
        assert list(executors.in_order(executor, work.squared, iter(range(20)))) == [n * n for n in range(20)]
        assert dict(executors.as_done(executor, work.squared, iter(range(20)))) == {n: n * n for n in range(20)}
        assert list(executors.in_order(executor, work.squared, [])) == []


def test_what_is_done_here_is_handed_on_before_the_next_begins():
    """Without workers no result waits for another task."""
    begun = []
    done = executors.as_done(Inline(), work.squared, (begun.append(n) or n for n in range(9)))
    assert [(pair, len(begun)) for pair in done] == [((n, n * n), n + 1) for n in range(9)]


def test_who_waits_may_look_up_and_loses_nothing_by_an_error(two, tmp_path):
    """None comes when nothing was done for a while; what was done beside a task that fails comes before its error."""
    (tmp_path / "marks").mkdir()
    found = list(executors.as_done(two, work.beside, [str(tmp_path / "marks")], 0.001))
    assert found[0] is None
    assert found[-1] is not None
    had = []
    with pytest.raises(ConfigError, match="2 is refused"):
        had.extend(pair for pair in executors.as_done(Inline(), work.refuse_two, range(9)))
    assert had == [(0, 0), (1, 1)]


def test_no_more_is_done_at_once_than_there_are_workers(two, tmp_path):
    """However many tasks are handed out; the rest waits its turn."""
    for executor in (Inline(), two):
        waiting = [executor.submit(work.beside, str(tmp_path)) for _ in range(6)]
        assert max(future.result() for future in waiting) <= executor.workers


def test_numbers_are_the_same_to_the_bit(two):
    """One thread computes, here and there, so sums are taken in the same order."""
    here, there = (list(executors.in_order(executor, work.summed, range(3))) for executor in (Inline(), two))
    assert [product for product, _ in here] == [product for product, _ in there]
    assert {n for _, threads in (*here, *there) for n in threads} == {1}


def test_no_worker_sees_a_key(two):
    """Neither its own variables nor those the system keeps of it hold anything but what is on the list."""
    for names, of_the_system in executors.in_order(two, work.environment, range(4)):
        assert "SOME_API_KEY" not in (*names, *of_the_system)
        assert all(alone.NEEDED.fullmatch(name) for name in of_the_system)
        assert "PATH" in names


def test_what_a_worker_may_see_is_a_list():
    """Whatever is called like a key, a token or an address of a provider stays here; so does Ray's token."""
    secret = {
        "OPENAI_API_KEY",
        "HF_TOKEN",
        "AWS_SECRET_ACCESS_KEY",
        "PGPASSWORD",
        "RAY_AUTH_TOKEN",
        "ANTHROPIC_BASE_URL",
    }
    shown = {"PATH", "LC_ALL", "OMP_NUM_THREADS", "PYTHONHASHSEED"}
    assert set(alone.kept(dict.fromkeys(secret | shown, ""))) == shown
    there = dict.fromkeys(secret | shown | {"RAY_JOB_ID"}, "")
    alone.scrub(there)
    assert set(there) == shown | {"RAY_JOB_ID"}


def test_what_went_wrong_is_raised_where_it_is_asked_for(two):
    """An error of the work is its own; the worker goes on, and what it prints disturbs nothing."""
    for executor in (Inline(), two):
        with pytest.raises(ConfigError, match="7 is refused"):
            executor.submit(work.refuse, 7).result()
        assert list(executors.in_order(executor, work.shout, range(4))) == list(range(4))


def test_a_worker_that_is_killed_is_replaced(two, tmp_path):
    """kill -9 in the middle of a task: another worker does it, and the results are all there."""
    tasks = [str(tmp_path / f"mark{i}") for i in range(4)]
    found = list(executors.in_order(two, work.die_once, tasks))
    assert all(isinstance(pid, int) for pid in found)
    assert list(executors.in_order(two, work.squared, range(10))) == [n * n for n in range(10)]


def test_a_task_that_kills_every_worker_is_given_up(two):
    """After three workers the task is an error in one line with the exit code; the others are done."""
    with pytest.raises(WorkerLost, match="3 processes ended at the same task .exit code -9"):
        two.submit(work.die, 0).result()
    assert two.submit(work.squared, 3).result() == 9


@pytest.mark.parametrize(
    ("spread", "said"),
    [
        (Spread("processes", address="a:1"), "is that of a Ray cluster"),
        (Spread("ray", address="a:1"), "pip install 'prompt-harness|no Ray cluster answers at a:1"),
    ],
)
def test_settings_that_do_not_work_are_told(spread, said):
    """An address without Ray, and Ray without its package or a cluster, are one line."""
    with pytest.raises(ConfigError, match=said):
        executors.connect(spread)


def test_one_worker_needs_no_process():
    """With one worker, or by default, work is done here."""
    assert isinstance(executors.connect(Spread()), Inline)
    assert isinstance(executors.connect(Spread("processes", workers=1)), Inline)
