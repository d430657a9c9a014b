"""What a provider rejects for its content or its size is an outcome, not an error."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.types import Attempt, Response, Usage

if TYPE_CHECKING:
    from harness.errors import ContentRefused
    from harness.types import Request


def refusal(error: ContentRefused, request: Request | None = None, *, batch: bool = False) -> Response:
    """The reply that a rejection stands for: its text is the provider's reason, and nobody is billed for it."""
    return Response(
        text=str(error),
        finish="refusal",
        usage=Usage(),
        raw_usage=None,
        latency_s=None,
        answered_by=request.model.name if request else "",
        request_id=error.request_id,
        attempts=error.attempts or (Attempt(error.status, None, str(error), error.reply),),
        batch=batch,
    )
