"""Identity is content: canonical JSON and the ids hashed from it. Pure, no IO.

The form of an id and of the canonical text is part of the documented contract: changing either
orphans every stored answer, so a change needs a new scheme prefix.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from harness.types import JSON, Model, ReplyFormat, Request, Settings

SCHEME = "s1:"
BITS = 56


_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def canonical_json(value: JSON) -> str:
    """The one JSON text of a value: sorted keys, no blanks, no NaN, characters as they are."""
    return _ENCODER.encode(value)


def content_id(value: JSON) -> str:
    """The first 16 hex digits of the SHA-256 of the value's canonical JSON, behind the scheme."""
    return SCHEME + hashlib.sha256(canonical_json(value).encode("utf-8", "surrogatepass")).hexdigest()[:16]


def request_text(request: Request) -> str:
    """The canonical JSON of a request. Model, settings and reply format, which a run shares, are written once."""
    # The content is what is long; its frame is the same each time, so it is written down.
    messages = ",".join(f'{{"content":{_ENCODER.encode(m.content)},"role":"{m.role}"}}' for m in request.messages)
    model, reply, settings = (_shared_text(part) for part in (request.model, request.reply, request.settings))
    return (
        f'{{"messages":[{messages}],"model":{model},"reply":{reply},"sample":{request.sample},"settings":{settings}}}'
    )


def request_id(request: Request) -> str:
    """The ledger's key of a request: the full SHA-256 of its canonical JSON, for it guards money."""
    return text_id(request_text(request))


def text_id(text: str) -> str:
    """The full SHA-256 of a text, behind the scheme."""
    return SCHEME + hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


@lru_cache(maxsize=256)
def _shared_text(part: Model | Settings | ReplyFormat) -> str:
    said = asdict(part)
    if not any(said.get("descriptions", ())):
        said.pop("descriptions", None)  # a part of the text only where there are any: older answers stay found
    return canonical_json(said)


def item_set_id(item_ids: Sequence[str]) -> str:
    """The id of a set of items, whatever their order."""
    return item_set_of(sorted(item_ids))


def item_set_of(in_order: Iterable[str]) -> str:
    """The same of ids that come in order, of which only one need be in memory: the `content_id` of their list."""
    digest = hashlib.sha256(b"[")
    for place, item_id in enumerate(in_order):
        text = canonical_json(item_id)
        digest.update((f",{text}" if place else text).encode("utf-8", "surrogatepass"))
    digest.update(b"]")
    return SCHEME + digest.hexdigest()[:16]


def unit_interval(*parts: str) -> float:
    """A number in [0, 1) that depends on the parts alone: uniform over distinct parts.

    Used to assign splits and to draw samples, so that adding rows moves no other row.
    """
    return _bits(parts) / (1 << BITS)


def shard_of(item_id: str, n: int) -> int:
    """Which of `n` shards an item is in, from 1 to n, by its id alone.

    The first 56 bits of the SHA-256 of `shard`, the byte 1f and the id (UTF-8), times n, without the lowest 56 bits,
    plus 1. Part of the documented contract (docs/scale.md): parts that different machines made must fit together.
    """
    return (_bits(("shard", item_id)) * n >> BITS) + 1


def _bits(parts: Sequence[str]) -> int:
    digest = hashlib.sha256("\x1f".join(parts).encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[: BITS // 8], "big")
