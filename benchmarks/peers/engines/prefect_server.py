"""Prefect with its local server: flows run inside a process, many runs inside two, four at a time in each."""

import asyncio
import os
import subprocess
import sys
import time

from serving import FOLDER, ME, PORT, RESULT, Bell, Peer, ring, serve, wait_for_port

os.environ.update(
    PREFECT_API_URL=f"http://127.0.0.1:{PORT}/api",
    PREFECT_HOME=str(FOLDER / "prefect"),
    PREFECT_LOGGING_LEVEL="ERROR",
    PREFECT_SERVER_ANALYTICS_ENABLED="false",
    PREFECT_LOGGING_TO_API_ENABLED="false",
    PREFECT_RESULTS_PERSIST_BY_DEFAULT="true",
    DO_NOT_TRACK="1",
)

from prefect import flow, task

AT_A_TIME = 4


@task
async def step(_number):
    return RESULT


@flow
async def run_of(steps):
    for number in range(steps):
        await step(number)


@flow
async def fan_of(width):
    await step(0)
    await asyncio.gather(*[step(number) for number in range(width)])
    await step(1)


async def several(runs: int, steps: int) -> None:
    gate = asyncio.Semaphore(AT_A_TIME)

    async def one() -> None:
        async with gate:
            await run_of(steps)

    await asyncio.gather(*[one() for _ in range(runs)])


class PrefectServer(Peer):
    packages = ("prefect",)

    def __init__(self) -> None:
        super().__init__()
        self.bell = Bell()
        place = ("--host", "127.0.0.1", "--port", str(PORT), "--no-ui")
        self.spawn(sys.executable, "-m", "prefect", "server", "start", *place)
        wait_for_port(PORT)
        time.sleep(3)
        self.workers = [self.start_worker() for _ in range(2)]
        self.bell.wait(2)

    def start_worker(self):
        process = subprocess.Popen(
            [sys.executable, ME, "worker"], stdin=subprocess.PIPE, stdout=sys.stderr, text=True, start_new_session=True
        )
        self.processes.append(process)
        return process.stdin

    def sequence(self, steps: int) -> None:
        asyncio.run(run_of(steps))

    def many(self, runs: int, steps: int) -> None:
        for pipe in self.workers:
            print(runs // 2, steps, file=pipe, flush=True)
        self.bell.wait(2)

    def fan_out(self, width: int) -> None:
        asyncio.run(fan_of(width))


def work() -> None:
    asyncio.run(run_of(2))
    ring()
    for line in sys.stdin:
        runs, steps = map(int, line.split())
        asyncio.run(several(runs, steps))
        ring()


if __name__ == "__main__":
    if sys.argv[1:2] == ["worker"]:
        work()
    else:
        serve(PrefectServer)
