"""The outcome table for what is no chat: vectors of texts, and each line of a batch."""

import asyncio
import gzip
import json
from urllib.parse import quote

import anthropic
import openai
import pytest

from harness.arms.encoders import openai as embeddings
from harness.errors import ContentRefused, ProviderError
from harness.models.providers import _dialect
from harness.models.providers._anthropic_batches import AnthropicBatches
from harness.models.providers._anthropic_messages import Messages
from harness.models.providers._openai_batches import OpenAIBatches
from harness.models.providers._openai_chat import Chat
from harness.models.providers._sdk import Wire
from harness.types import Model, Request, Response
from tests.hostile import Server, hostile
from tests.models.providers.test_outcomes import CASES, described

MODEL = Model("openai", "m")
REQUEST = Request(MODEL, ())


def named(outcome) -> str:
    """The table's word for what came of a request."""
    if isinstance(outcome, ContentRefused):
        return "refused"
    if not isinstance(outcome, ProviderError):
        return "answered"
    goes_on = type(outcome).__name__ in ("RateLimited", "TransientError", "RequestRejected")
    return "failed" if goes_on else "the run stops"


@pytest.fixture(scope="module")
def embedded():
    """What came of a text in every mode of the server, and how often it was asked."""
    with hostile() as seen, pytest.MonkeyPatch.context() as patch:
        patch.setattr(embeddings, "LONGEST_PAUSE_S", 0.0)
        patch.setattr(embeddings, "TIMEOUT_S", 2.0)
        room = asyncio.Semaphore(8)

        async def one(mode):
            async with room:
                try:
                    return mode, await embeddings._vectors("m", "k", f"{seen.url}/{quote(mode, safe='')}/v1", ["x"])
                except ProviderError as error:
                    return mode, error

        async def all_of_them():
            modes = [mode for modes in CASES.values() for mode in modes if mode not in ("large:5", "bomb:64")]
            return dict(await asyncio.gather(*map(one, modes)))

        yield asyncio.run(all_of_them()), seen


@pytest.mark.parametrize("row", CASES)
def test_embeddings_keep_the_table(embedded, row):
    """Each fault ends as a chat's does: vectors, an outage that was asked again, or a stop; one line each."""
    found, seen = embedded
    outcome, again, *_ = described(row)
    for mode in set(CASES[row]) & set(found):
        told = (named(found[mode]), "yes" if seen.requests[mode] > 1 else "no")
        assert told == (outcome.split(":")[0], again.split(",")[0]), (mode, found[mode])
        assert "\n" not in str(found[mode]) or told[0] == "answered"


def made(kind, **parts):
    """A connection without a client."""
    connection = kind.__new__(kind)
    vars(connection).update(model=MODEL, **parts)
    return connection


def lines_of_openai():
    wire = Wire(openai, None, MODEL, "OPENAI_API_KEY", ())
    chat = made(Chat, _dialect=_dialect.OPENAI, _wire=wire)
    batch = made(OpenAIBatches, _wire=wire, _read=chat._response)

    def line(code, body):
        return json.dumps({"custom_id": "k", "response": {"status_code": code, "body": body}}).encode()

    return line, lambda raw: batch._outcome(raw, REQUEST)


def lines_of_anthropic():
    wire = Wire(anthropic, None, MODEL, "ANTHROPIC_API_KEY", ())
    batch = made(AnthropicBatches, _wire=wire, _read=made(Messages, _wire=wire)._response)

    def line(code, body):
        result = {"type": "succeeded", "message": body} if code == 200 else {"type": "errored", "error": body}
        return json.dumps({"custom_id": "k", "result": result}).encode()

    return line, lambda raw: wire.in_batch(raw, batch._outcome)


@pytest.mark.parametrize("wire", ["openai", "anthropic"])
@pytest.mark.parametrize("row", CASES)
def test_each_line_of_a_batch_keeps_the_table(wire, row):
    """What a line holds, a reply or an error, is read as if it had come alone; what is no JSON is kept as it came."""
    line, read = lines_of_openai() if wire == "openai" else lines_of_anthropic()
    outcome, *_ = described(row)
    for mode in CASES[row]:
        name, _, argument = mode.partition(":")
        if name in ("closed", "reset", "slow body", "slow chunks", "slow head", "cut chunk", "cut length"):
            continue  # of a connection, not of a line
        if name in ("redirect", "retry-after", "headers", "bomb", "large"):
            continue  # of a reply's head, or of its size
        if name == "status":
            code, _, said = argument.partition(":")
            if wire == "anthropic" and "type" not in said:
                continue  # its lines have no status, and its errors have a type
            raw = line(int(code), json.loads(said) if said else {"error": {"message": "planted"}})
        else:
            content, _ = Server().content(name, argument, wire)
            raw = line(200, None).replace(b"null", content) if name not in ("null",) else line(200, None)
        found = read(raw)
        assert named(found) == outcome.split(":")[0], (mode, found)
        if isinstance(found, Response):
            assert found.batch
        elif name in ("html", "half", "deep", "latin"):
            assert found.reply


def test_a_bomb_in_a_line_is_no_bomb():
    """Lines are read as they come: bytes that would be unpacked are no JSON."""
    _, read = lines_of_openai()
    assert isinstance(read(gzip.compress(b"{}" * 1000)), ProviderError)
