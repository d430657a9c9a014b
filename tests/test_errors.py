import pickle

import pytest

from harness import errors
from harness.types import Attempt

LEAVES = [
    errors.ConfigError("a"),
    errors.DatasetError("a"),
    errors.StoreError("a"),
    errors.BudgetExceeded("a"),
    errors.Interrupted("a"),
    errors.Overtaken("a"),
    errors.RateLimited("a", retry_after_s=2.0, request_id="r"),
    errors.TransientError("a", status=503, retry_after_s=1.0),
    errors.RequestRejected("a", status=400),
    errors.ContentRefused("a", status=400),
    errors.SetupRejected("a", status=404),
    errors.StoreBusy("a"),
    errors.StoreFull("a"),
    errors.StoreGone("a"),
    errors.AuthError("a", status=401),
]


@pytest.mark.parametrize("error", LEAVES, ids=lambda error: type(error).__name__)
def test_errors_survive_pickling(error):
    """An error that crosses a process boundary keeps its class, its message and its facts."""
    if isinstance(error, errors.ProviderError):
        error.attempts = (Attempt(503, 0.1, "down"),)
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is type(error)
    assert str(copy) == str(error)
    assert copy.__dict__ == error.__dict__


@pytest.mark.parametrize("error", LEAVES, ids=lambda error: type(error).__name__)
def test_every_error_has_a_contract_exit_code(error):
    """2 is the user's input, 3 is resumable; nothing else."""
    assert error.exit_code in (2, 3)


def test_near_misses_are_named():
    """The tail of a message lists what is allowed and the nearest to what was found."""
    assert errors.one_of("lable", ["label", "text"]) == "expected one of 'label', 'text'; did you mean 'label'?"
    assert errors.one_of("x", []) == "expected one of (nothing is there)"
