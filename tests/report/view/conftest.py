"""What tests of the view share."""

from tests.browsing import axe, browser  # noqa: F401  (fixtures)
