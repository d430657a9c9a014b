"""The worlds, each built once, when it is first asked for."""

import pytest

from tests.worlds.brute import Raw
from tests.worlds.building import WORLDS


@pytest.fixture(scope="session")
def built(tmp_path_factory):
    """A world by name, with its raw tables; it is not to be changed."""
    made, folder = {}, tmp_path_factory.mktemp("worlds")

    def by_name(name):
        if name not in made:
            world = WORLDS[name](folder / name)
            made[name] = world, Raw(world.root, world.ref)
        return made[name]

    return by_name


@pytest.fixture
def changeable(built, tmp_path):
    """A copy of a world that a test may change, with the raw tables as they were."""

    def by_name(name):
        world, raw = built(name)
        return world.copied(tmp_path / "world"), raw

    return by_name
