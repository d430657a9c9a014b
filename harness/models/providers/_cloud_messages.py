"""Anthropic's wire in the clouds of others, through the clients that Anthropic's SDK has for them.

The clouds have credentials of their own, found by their own libraries (the extras `bedrock` and `vertex`) when
the first request is signed. Neither client has batches.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

import anthropic

from harness.errors import AuthError, ConfigError
from harness.models.providers import _sdk
from harness.models.providers._anthropic_messages import Messages

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.models.providers._sdk import AnthropicClient
    from harness.types import Request, Response


# What the SDK raises where a cloud's library is missing, or finds no credentials or no project.
FOUND_NONE = (ImportError, RuntimeError, ValueError, anthropic.AnthropicError)


class CloudMessages(Messages):
    """A connection to a model in a cloud; `credentials` says where they are looked for."""

    key = "the cloud's credentials"
    credentials = ""
    raises = "builtins.LookupError"  # what its library raises, where that is installed

    async def send(self, request: Request) -> Response:
        """The model's reply; `AuthError` where the cloud's library finds no credentials."""
        try:
            return await super().send(request)
        except (*FOUND_NONE, _named(self.raises)) as error:
            said = self._wire.hide(" ".join(str(error).split()))[:200]
            raise AuthError(f"{self.model}: no credentials: {said}; {self.credentials}") from None

    def batches(self) -> None:
        """None: the SDK's client has no batches there."""
        return


class Bedrock(CloudMessages):
    """A connection to a model in Amazon Bedrock."""

    credentials = "set AWS_BEARER_TOKEN_BEDROCK, or AWS_ACCESS_KEY_ID with AWS_SECRET_ACCESS_KEY, or AWS_PROFILE"
    raises = "botocore.exceptions.BotoCoreError"

    def _client(self, address: str, _secrets: Sequence[str], timeout_s: float) -> AnthropicClient:
        try:
            return anthropic.AsyncAnthropicBedrock(**_sdk.options(anthropic, address, timeout_s))
        except ValueError:
            raise ConfigError(f"{self.model} needs a region: set AWS_REGION, as in AWS_REGION=us-east-1") from None


class Vertex(CloudMessages):
    """A connection to a model in Google's Vertex AI."""

    credentials = "set GOOGLE_APPLICATION_CREDENTIALS, or run gcloud auth application-default login"
    raises = "google.auth.exceptions.GoogleAuthError"

    def _client(self, address: str, _secrets: Sequence[str], timeout_s: float) -> AnthropicClient:
        try:
            return anthropic.AsyncAnthropicVertex(**_sdk.options(anthropic, address, timeout_s))
        except ValueError:
            raise ConfigError(
                f"{self.model} needs a region: set CLOUD_ML_REGION, as in CLOUD_ML_REGION=global"
            ) from None


def _named(dotted: str) -> type[Exception]:
    """An exception of an optional library; where that is not installed, one that nothing raises."""
    module, _, name = dotted.rpartition(".")
    try:
        kind = getattr(import_module(module), name)
    except ImportError:
        return ImportError
    return kind if isinstance(kind, type) and issubclass(kind, Exception) else ImportError
