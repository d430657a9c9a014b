"""A ledger copied from a file to a server, back, and from server to server."""

import json

import pytest

from harness.errors import ConfigError
from harness.models.ledger import Ledger
from tests.loopback import serve
from tests.models.ledger.copies import CopyContract, assert_goes_on, copied, fill, kill_in_the_middle, lengthen
from tests.team import lakes
from tests.team.server import GUARDED, PASSWORD


def server(postgres):
    return f"postgres:{postgres.database()}"


class TestFromFileToServer(CopyContract):
    @pytest.fixture
    def source(self, tmp_path):
        return tmp_path / "from.sqlite"

    @pytest.fixture
    def target(self, postgres):
        return server(postgres)


class TestFromServerToFile(CopyContract):
    @pytest.fixture
    def source(self, postgres):
        return server(postgres)

    @pytest.fixture
    def target(self, tmp_path):
        return tmp_path / "to.sqlite"


def test_a_round_trip_and_a_move_between_servers_are_whole(postgres, tmp_path):
    """File, server, another server, file: each time all of it, and what is there already is recognised."""
    one, other, back = server(postgres), server(postgres), tmp_path / "back.sqlite"
    fill(tmp_path / "a.sqlite")
    assert [copied(*pair).calls for pair in ((tmp_path / "a.sqlite", one), (one, other), (other, back))] == [8, 8, 8]
    assert copied(back, tmp_path / "a.sqlite").had == 8


def test_a_copy_that_was_killed_goes_on(postgres, tmp_path):
    """By kill -9, between two blocks, to a server."""
    source, target = tmp_path / "a.sqlite", server(postgres)
    fill(source)
    lengthen(source)
    kill_in_the_middle(source, target)
    assert_goes_on(source, target)


def test_the_server_counts_in_any_collation(postgres, tmp_path):
    """Hashes are of bytes: a database that sorts by a language is no other."""
    postgres.sql("create database icu template template0 locale_provider icu icu_locale 'de' locale 'C'")
    fill(tmp_path / "a.sqlite")
    target = f"postgres:{postgres.conninfo_of('icu')}"
    assert [copied(tmp_path / "a.sqlite", target).calls for _ in range(2)] == [8, 0]


@pytest.mark.quick
def test_a_team_that_began_with_a_file_pays_nothing_twice(postgres, root):
    """Asked into the file, copied by the command, asked again with the server in the settings: no call is sent."""
    place = f"postgres:{postgres.database(user=GUARDED, host='127.0.0.1')}"
    asked = ["eval", "--prompt", "v1", "--model", "openai/m", "--fresh", "--json", "--base-url"]
    copy = ["ledger", "copy", "results/calls.sqlite", place, "--json"]
    with serve(lambda said: "bug") as provider:
        key = {"OPENAI_API_KEY": "k", "PGPASSWORD": PASSWORD}
        lakes.harness(root, *asked, provider.openai_url, **key)
        sent = len(provider.requests)
        came = json.loads(lakes.harness(root, *copy, **key))
        assert came["calls"] == sent > 10
        settings = root / "harness.toml"
        settings.write_text(f'ledger = "{place}"\n' + settings.read_text())
        asked.remove("--fresh")
        lakes.harness(root, *asked, provider.openai_url, "--db", "other.duckdb", **key)
        assert len(provider.requests) == sent
    done = lakes.run(root, *copy, PGPASSWORD="wrong and not shown")
    assert (done.returncode, "not shown" in done.stdout + done.stderr) == (2, False)
    assert PASSWORD not in done.stderr


def test_a_password_in_an_address_is_refused_and_not_shown(tmp_path):
    """As in the settings."""
    with Ledger(tmp_path / "a.sqlite"), pytest.raises(ConfigError) as refused:
        copied(tmp_path / "a.sqlite", "postgres:dbname=x password=not-shown")
    assert "not-shown" not in str(refused.value)
