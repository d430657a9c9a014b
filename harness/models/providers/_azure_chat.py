"""The wire of Azure OpenAI: OpenAI's, with the deployment in the path, the version in the query, its own header."""

from __future__ import annotations

from typing import TYPE_CHECKING

import openai

from harness.models.providers import _sdk
from harness.models.providers._openai_chat import Chat

if TYPE_CHECKING:
    from harness.models.providers._dialect import Dialect
    from harness.types import Model


class Deployment(Chat):
    """A connection to a deployment; `place` is the resource's address and the version of its API."""

    def __init__(self, model: Model, place: tuple[str, str], key: str, timeout_s: float, dialect: Dialect) -> None:
        address, self._version = place
        super().__init__(model, f"{address.rstrip('/')}/openai", key, timeout_s, dialect)

    def _client(self, address: str, key: str, timeout_s: float) -> openai.AsyncOpenAI:
        options = _sdk.options(openai, address, timeout_s)
        return openai.AsyncAzureOpenAI(api_key=key, api_version=self._version, **options)
