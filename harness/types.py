"""The nouns of the package: frozen records and protocols, and everything else is functions from one to the next.

An arm sees `Item`s, which carry no gold label; the store's `scored` view and `analysis` join it from `Example`s.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

JSON: TypeAlias = "bool | int | float | str | Sequence[JSON] | Mapping[str, JSON] | None"
"""A value that `json.dumps` writes without help."""

Role = Literal["system", "user", "assistant"]
ReplyMode = Literal["label", "json", "choice", "text"]
Purpose = Literal["whole", "part", "fold", "limited", "shard", "search"]
"""`whole`: the arm on a whole split. `part`: fitted to some training items. `fold`: cross-validated. `limited`: on some
items, or ended early. `shard`: on a share of them. `search`: an optimiser's try."""


class Outcome(StrEnum):
    """How a prediction came out. Only `ANSWERED` carries a label."""

    ANSWERED = "answered"
    ABSTAINED = "abstained"  # the arm declined: no rule matched
    UNPARSED = "unparsed"  # the model replied, and the reply is not one of the labels
    REFUSED = "refused"  # the model declined to reply
    FAILED = "failed"  # no reply: an outage or a rejected request


@dataclass(frozen=True, slots=True)
class Item:
    """What is classified. All that an arm sees at predict time: there is no label here."""

    id: str
    text: str
    tags: tuple[str, ...] = ()
    fields: Mapping[str, str] = field(default_factory=dict, hash=False)

    @property
    def words(self) -> str:
        """Text and tags as one text: what text classifiers and encoders read."""
        return " ".join((self.text, *self.tags))


@dataclass(frozen=True, slots=True)
class Example:
    """An item with its gold label (canonical text, see `kinds`; empty where there is none), split, answers by rater."""

    item: Item
    label: str
    split: str
    group: str | None = None
    ratings: Mapping[str, str] = field(default_factory=dict, hash=False)

    @property
    def is_labelled(self) -> bool:
        """Whether there is a gold label."""
        return self.label != ""


class KeptExamples(Sequence[Example]):
    """Examples that stay in files and are read anew each time they are gone through, in order: too many for memory."""

    @abstractmethod
    def part(self, split: str | None, *, labelled: bool = False, rated: bool = False) -> Sequence[Example]:
        """As `Dataset.part`."""

    @abstractmethod
    def splits(self) -> frozenset[str]:
        """The splits that there are."""

    @abstractmethod
    def ids(self) -> Iterator[str]:
        """The ids of the items, in their order as texts."""


@dataclass(frozen=True, slots=True)
class Label:
    """One of the closed set of labels, with the sentence that describes it."""

    name: str
    description: str = ""


@dataclass(frozen=True, slots=True)
class Dataset:
    """A released version of a labelled dataset. `id` hashes its rows, labels and splits."""

    name: str
    version: str
    id: str
    kind: str
    labels: tuple[Label, ...] = field(repr=False)
    examples: Sequence[Example] = field(repr=False)
    description: str = ""
    source: Mapping[str, str] = field(default_factory=dict, hash=False)
    costs: Mapping[str, Mapping[str, float]] = field(default_factory=dict, hash=False)

    @property
    def ref(self) -> str:
        """`name@version`, as the command line takes it."""
        return f"{self.name}@{self.version}"

    @property
    def label_names(self) -> tuple[str, ...]:
        """The labels' names, in the order of dataset.toml."""
        return tuple(label.name for label in self.labels)

    @property
    def splits(self) -> frozenset[str]:
        """The splits that there are."""
        rows = self.examples
        return rows.splits() if isinstance(rows, KeptExamples) else frozenset(one.split for one in rows)

    def in_split(self, split: str) -> Sequence[Example]:
        """The examples of one split, in file order."""
        return self.part(split)

    def labelled(self, split: str | None = None) -> Sequence[Example]:
        """The examples that have a gold label, of one split or of all: what is learnt from, scored and audited."""
        return self.part(split, labelled=True)

    def part(self, split: str | None, *, labelled: bool = False, rated: bool = False) -> Sequence[Example]:
        """The examples of a split (None: of all), those that have a gold label, those that somebody rated."""
        if isinstance(self.examples, KeptExamples):
            return self.examples.part(split, labelled=labelled, rated=rated)
        here = (one for one in self.examples if split in (None, one.split))
        return tuple(one for one in here if (one.is_labelled or not labelled) and (one.ratings or not rated))


@dataclass(frozen=True, slots=True)
class Settings:
    """How a model is asked to answer. `None` means: not sent, the provider's default holds."""

    temperature: float | None = None
    max_tokens: int = 256
    top_p: float | None = None
    seed: int | None = None
    stop: tuple[str, ...] = ()
    reasoning_effort: str | None = None


@dataclass(frozen=True, slots=True)
class ReplyFormat:
    """What a reply may be.

    `options` are the permitted replies of modes `label` and `choice`, in order; `schema` is the JSON schema (as
    canonical text, so that the record stays hashable) of mode `json`; `pattern` is the regular expression of mode
    `text`. `descriptions` say what the labels mean, in their order, for models that are told of labels as data.
    """

    mode: ReplyMode = "label"
    options: tuple[str, ...] = ()
    schema: str | None = None
    pattern: str | None = None
    descriptions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a chat, as the provider gets it."""

    role: Role
    content: str


@dataclass(frozen=True, slots=True)
class Model:
    """Which weights, served by whom.

    `endpoint` is what else decides the answer: the server's base URL (credentials removed), or the sha256 of a
    local weights file. Empty for a provider's own default server.
    """

    provider: str
    name: str
    endpoint: str = ""

    def __str__(self) -> str:
        return f"{self.provider}/{self.name}"


@dataclass(frozen=True, slots=True)
class Request:
    """One question to a model. Every field changes the answer, so its hash is the ledger's key.

    `sample` is the run's repeat: a repeat is a new draw and must not be served an old answer.
    """

    model: Model
    messages: tuple[Message, ...]
    settings: Settings = Settings()
    reply: ReplyFormat = ReplyFormat()
    sample: int = 0


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens in five disjoint buckets: their sum is every token of the call."""

    input_fresh: int = 0
    cache_read: int = 0
    cache_write: int = 0
    output_visible: int = 0
    reasoning: int = 0

    @property
    def total(self) -> int:
        """All tokens of the call."""
        return self.input_fresh + self.cache_read + self.cache_write + self.output_visible + self.reasoning

    def plus(self, other: Usage) -> Usage:
        """The tokens of both calls, bucket by bucket."""
        return Usage(*(getattr(self, bucket) + getattr(other, bucket) for bucket in self.__slots__))


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try at a request: the HTTP status (or None), its own duration, and the error if it failed.

    `reply` is what came back where that could not be read.
    """

    status: int | None
    latency_s: float | None
    error: str | None = None
    reply: str | None = None


@dataclass(frozen=True, slots=True)
class Response:
    """A model's reply.

    `finish` is `stop`, `length` (cut off) or `refusal`. `usage` and `raw_usage` are None when the server reports
    none. `latency_s` is the successful attempt's own time, without queueing. From the ledger (`cached=True`) a
    response keeps the latency and usage of the call that was paid. `waited_s` is everything else: the queue, failed
    attempts and the pauses between them. A reply from a provider's batch API (`batch`) has no latency: None.
    `answered_by` is the model name the server gave back. `scores` are per-option probabilities.
    """

    text: str
    finish: Literal["stop", "length", "refusal"]
    usage: Usage | None
    raw_usage: JSON
    latency_s: float | None
    answered_by: str
    request_id: str | None = None
    scores: Mapping[str, float] | None = field(default=None, hash=False)
    attempts: tuple[Attempt, ...] = ()
    cached: bool = False
    waited_s: float = 0.0
    batch: bool = False


@dataclass(frozen=True, slots=True)
class Prediction:
    """An arm's answer for one item. Unknown is None, never 0.

    `label` is set exactly when `outcome` is answered; `score` is the arm's confidence in it and `scores` the
    confidence per label, both in [0, 1]. `cost_usd` is what the prediction costs at list price, `billed_usd` what
    this run paid (0 from the ledger). `latency_s` is the time a caller would have waited for this item alone,
    `waited_s` what this run waited besides: for its turn, failed attempts and pauses. `path` names the arms asked.
    """

    item_id: str
    outcome: Outcome
    label: str | None = None
    score: float | None = None
    scores: Mapping[str, float] | None = field(default=None, hash=False)
    raw: str | None = None
    error: str | None = None
    usage: Usage | None = None
    cost_usd: float | None = None
    billed_usd: float | None = None
    latency_s: float | None = None
    waited_s: float | None = None
    cached: bool = False
    attempts: int = 0
    request_id: str | None = None
    path: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Run:
    """One arm on one split of one dataset version. The fields up to `repeat` hash to `id`.

    `arm_id` hashes what the arm is (its version and parameters, or the prompt's content); `item_set` the ids of the
    items to predict, so a limited run is a run of its own. `purpose` is no part of what it is.
    """

    id: str
    dataset_id: str
    split: str
    arm: str
    arm_id: str
    model: str | None = None
    params: Mapping[str, JSON] = field(default_factory=dict, hash=False)
    seed: int = 0
    n_train: int | None = None
    item_set: str = ""
    repeat: int = 0
    purpose: Purpose = "whole"

    @property
    def identity(self) -> dict[str, JSON]:
        """The fields that hash to the run's id, by name."""
        unhashed = ("id", "purpose")
        return {name: getattr(self, name) for name in self.__slots__ if name not in unhashed}


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number with its uncertainty. All of `value`, `low` and `high` are None without data."""

    name: str
    value: float | None
    low: float | None
    high: float | None
    n: int
    method: str


@dataclass(frozen=True, slots=True)
class Confidence:
    """How sure an arm was of the answers it gave with a score, one entry per item.

    `score` is the answer's; `squared_error` is summed over all labels, else NaN; `groups` has codes, if any.
    """

    score: NDArray[np.float64]
    right: NDArray[np.bool_]
    squared_error: NDArray[np.float64]
    groups: NDArray[np.int64] | None = None


@dataclass(frozen=True, slots=True)
class Metric:
    """What is measured over a run, and how unanswered items are treated.

    `estimate` takes gold, answers (None for none), the label names and a random generator; of a metric that `needs`
    scores, a `Confidence` and a random generator. Failed predictions never reach it. With `in_groups` it also takes
    `clusters`, a code per item (None: each stands for itself), and its interval is that of so many groups.
    """

    name: str
    estimate: Callable[..., Estimate]
    better: Literal["higher", "lower"]
    unanswered: Literal["wrong", "excluded", "counted"]
    needs: Literal["answers", "scores"] = "answers"
    in_groups: bool = False


class Provider(Protocol):
    """Something that answers requests: a provider file, or a middleware around one."""

    async def send(self, request: Request) -> Response:
        """The model's reply; raises a `ProviderError` when there is none."""
        ...


class Connection(Provider, Protocol):
    """What a provider file's `connect` returns: a provider that knows which model it serves."""

    @property
    def model(self) -> Model:
        """The model behind this connection; part of every request's identity."""
        ...

    async def close(self) -> None:
        """Let go of sockets and weights."""
        ...


class Arm(Protocol):
    """Anything compared in an experiment."""

    @property
    def batch_size(self) -> int:
        """How many items `predict` wants at once."""
        ...

    def fit(self, items: Sequence[Item], labels: Sequence[str]) -> None:
        """Learn from the training items; called once, before `predict`."""
        ...

    async def prepare(self, items: Sequence[Item]) -> None:
        """Do for all items at once what would be slow or dear one by one; `predict` works without it."""
        ...

    async def predict(self, items: Sequence[Item]) -> list[Prediction]:
        """One prediction per item, in the items' order."""
        ...
