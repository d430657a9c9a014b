"""The ledger of paid answers: what was asked, answered, paid and reserved, over several processes."""

from harness.models.ledger.batches import Batch
from harness.models.ledger.bookings import Spent
from harness.models.ledger.copying import Copied, copy
from harness.models.ledger.erasing import erase
from harness.models.ledger.ledger import Ledger, place_of
from harness.models.ledger.rows import Asked

__all__ = ["Asked", "Batch", "Copied", "Ledger", "Spent", "copy", "erase", "place_of"]
