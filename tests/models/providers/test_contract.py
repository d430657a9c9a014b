"""Every provider file offers the same things; what is shipped as fake says so."""

import asyncio

import pytest

from harness.errors import ConfigError
from harness.ground import plugins
from harness.types import Message, ReplyFormat, Request, Response


@pytest.mark.parametrize("name", plugins.names("providers"))
def test_every_provider_says_what_it_is(name):
    """Whether it can be used here, what it runs, where it runs: without connecting."""
    module = plugins.load("providers", name)
    missing = module.available()
    assert missing is None or (isinstance(missing, str) and "\n" not in missing)
    assert module.DEFAULT_MODEL in module.MODELS
    assert isinstance(module.RUNS_HERE, bool)


def ask(model, text, options=("a", "b")):
    fake = plugins.load("providers", "fake")

    async def go():
        connection = fake.connect(model)
        request = Request(connection.model, (Message("user", text),), reply=ReplyFormat(options=options))
        response = await connection.send(request)
        await connection.close()
        return response

    return asyncio.run(go())


def test_fake_models_answer_by_recipe_and_say_so(tmp_path):
    """The first option, a drawn one, or the longest piece of the recipe that fits."""
    recipe = tmp_path / "r.toml"
    recipe.write_text('default = "none"\n[answers]\n"card" = "short"\n"card lost" = "long"\n')
    assert ask("first", "x").text == "a"
    assert {ask("uniform", str(i)).text for i in range(20)} == {"a", "b"}
    assert ask("uniform", "x") == ask("uniform", "x")
    replies = [ask(str(recipe), text) for text in ("my card lost", "my card", "hello")]
    assert [reply.text for reply in replies] == ["long", "short", "none"]
    assert all(isinstance(reply, Response) and "answers by recipe" in reply.answered_by for reply in replies)


def test_a_changed_recipe_is_another_model(tmp_path):
    """Its content is part of the identity, so old answers are not served for it."""
    fake = plugins.load("providers", "fake")
    recipe = tmp_path / "r.toml"
    recipe.write_text('default = "a"')
    first = fake.connect(str(recipe)).model
    recipe.write_text('default = "b"')
    assert fake.connect(str(recipe)).model != first


@pytest.mark.parametrize(
    ("text", "message"),
    [("answers = 3", "answers is 3"), ("[[", "not valid TOML"), ("delay = 1", "unknown key 'delay'")],
)
def test_a_bad_recipe_is_named(tmp_path, text, message):
    """File, key, what was found."""
    recipe = tmp_path / "r.toml"
    recipe.write_text(text)
    with pytest.raises(ConfigError, match=message):
        plugins.load("providers", "fake").connect(str(recipe))
