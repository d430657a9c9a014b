"""The worlds of names and runs, made by the commands on a lake: every reader's figures are those of the raw tables.

The raw tables are read from a copy in a file, which `harness store copy` makes: its content is the lake's.
"""

import pytest

from harness.ground.clock import SystemClock
from harness.store import Store, copying
from tests.team import lakes
from tests.worlds import building, test_macros
from tests.worlds.brute import STORE, Raw
from tests.worlds.building import WORLDS
from tests.worlds.test_macros import (
    test_labels_and_bins_add_up,
    test_outcomes_are_the_products,
    test_pairs_are_the_raw_tables,
    test_the_scorecard_is_the_products,
)
from tests.worlds.test_readers import (
    test_compare_all,
    test_compare_two,
    test_decide,
    test_gate,
    test_report_and_post,
    test_runs_list,
    test_runs_show,
    test_vote,
    test_workbench,
)

READERS = [
    test_runs_show,
    test_runs_list,
    test_decide,
    test_compare_two,
    test_compare_all,
    test_vote,
    test_gate,
    test_report_and_post,
    test_workbench,
    test_the_scorecard_is_the_products,
    test_outcomes_are_the_products,
    test_pairs_are_the_raw_tables,
    test_labels_and_bins_add_up,
]
for reader in READERS:
    reader.__test__ = False  # here they are called, world by world


@pytest.mark.soak
@pytest.mark.parametrize("name", WORLDS)
def test_every_reader_says_the_figures_of_the_raw_tables(name, postgres, tmp_path, monkeypatch):
    """Whatever a world's commands have written into a lake, its readers show under the right names."""
    conninfo = postgres.database()
    folder = tmp_path / "lake"  # in full: a world's workspace is a copy of another's, with its settings
    settings = f'db = "{lakes.PREFIX}{conninfo}"\ndb_data = "{folder}"\n{building.SETTINGS}'
    monkeypatch.setattr(building, "SETTINGS", settings)
    world = WORLDS[name](tmp_path / name)
    lake = lakes.opened(conninfo, tmp_path)
    assert lake.verify() == []
    copy = Store(world.root / STORE, SystemClock())
    copying.copy(lake.database, copy.database, lambda *_: None)

    def built(_):
        return world, Raw(world.root, world.ref)

    def asked(_, query, values=()):
        with lake.reader() as select:
            return select(query, values)

    monkeypatch.setattr(test_macros, "asked", asked)
    for reader in READERS:
        reader(built, name)
    lake.close()
