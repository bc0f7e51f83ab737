"""Workers that are told to stop: what ends in time is paid once, what does not is handed back at once."""

from __future__ import annotations

import signal
import time

import pytest
from field import Field, faulty

pytestmark = [pytest.mark.redis, pytest.mark.worker]

PATIENT = {"ZTS_LEASE": "60", "ZTS_SHUTDOWN": "3"}
"""A lease that no test waits for: whoever goes on earlier was handed the step."""


@pytest.mark.parametrize(
    ("pool", "how"), [("prefork", signal.SIGTERM), ("threads", signal.SIGTERM), ("prefork", signal.SIGQUIT)]
)
def test_a_step_that_ends_in_time_is_paid_once(field: Field, pool: str, how: signal.Signals) -> None:
    worker = field.worker(pool=pool, environment={**PATIENT, "ZTS_SHUTDOWN": "20"})
    run_id = field.runs.start([faulty("PAID", sleep_s=1.5), faulty("NEXT")])
    field.called(run_id, "PAID")
    worker.process.send_signal(how)
    worker.process.wait(30)
    assert field.runs.kinds(run_id)["step_done"] >= 1
    field.worker(environment=PATIENT)
    field.ends(run_id)
    assert field.runs.calls(run_id)["PAID"] == 1


@pytest.mark.parametrize("pool", ["prefork", "threads"])
def test_a_step_that_does_not_end_in_time_is_handed_back_at_once(field: Field, pool: str) -> None:
    leaving = field.worker(pool=pool, environment=PATIENT)
    run_id = field.runs.start([faulty("LONG", first_s=300)])
    field.called(run_id, "LONG")
    field.worker(environment=PATIENT)
    began = time.monotonic()
    leaving.process.send_signal(signal.SIGTERM)
    field.called(run_id, "LONG", times=2)
    assert time.monotonic() - began < 60, "long before its lease ends"
    assert leaving.process.wait(30) == 0
    field.ends(run_id)
    lost = [entry.detail for entry in field.runs.store.ledger(run_id) if entry.kind == "lease_expired"]
    assert [detail["handed_back"] for detail in lost] == [True]
    assert "handed back" in leaving.said()
    with field.runs.raw() as client:
        assert client.hget(f"zts:run:{run_id}:steps", "1:takeovers") is None, "no blame"
