"""What the tests of a store stand on."""

from tests.store.contract import dataset, run

__all__ = ["dataset", "run"]
