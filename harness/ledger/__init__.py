"""The ledger of paid answers: what was asked, answered, paid and reserved, over several processes."""

from harness.ledger.batches import Batch
from harness.ledger.bookings import Spent
from harness.ledger.ledger import Asked, Ledger

__all__ = ["Asked", "Batch", "Ledger", "Spent"]
