"""Everything at once: a steady load, and one seed's story of faults on real servers; then every promise is checked.

`ZTS_NEMESIS_SEED=7` plays another story; `make soak MINUTES=30` a long one.
"""

from __future__ import annotations

import os

import pytest
from field import Field, breathe
from load import Load
from nemesis import Nemesis

from zts_core.run import Outcome

SEEDS = [int(os.environ["ZTS_NEMESIS_SEED"])] if "ZTS_NEMESIS_SEED" in os.environ else [1]


@pytest.mark.parametrize("seed", SEEDS)
def test_runs_keep_every_promise_while_everything_breaks(field: Field, seed: int) -> None:
    # Innocent steps are under way when their worker dies, several times over.
    field.environment["ZTS_TAKEOVERS"] = "50"
    for _ in range(2):
        field.worker()
    nemesis = Nemesis(field, seed=seed)
    load = Load(field, per_s=8, seed=seed)
    load.start()
    for _ in nemesis.deeds:
        nemesis.strike()
        breathe(0.3)
    nemesis.heal()
    expected = load.stop()
    for run_id, outcome in expected.items():
        field.ends(run_id, outcome)
    harmed = {name for name, times in nemesis.done.items() if times}
    assert harmed == set(nemesis.deeds), f"too little went wrong: {dict(nemesis.done)}"
    assert len(expected) > 20
    assert Outcome.FAILED in expected.values()
