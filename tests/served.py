"""A model for prompt arms with nothing around it: what it answers and what a reply costs are given."""

from types import SimpleNamespace

from harness.types import Model


def served(provider, nano: tuple[int | None, int | None] = (0, 0), model: Model | None = None) -> SimpleNamespace:
    """What a prompt arm needs of a stack; `nano` is a reply's list price and its bill, in nano-dollars."""
    return SimpleNamespace(
        model=model or Model("openai", "m"), provider=provider, ask_ahead=None, cost=lambda response: nano
    )
