"""taskiq on Redis streams: each step sends the next one; a fan-out counts down in Redis."""

import asyncio
import sys
import uuid

import redis.asyncio
from serving import PORT, RESULT, Bell, Peer, ring, serve
from taskiq_redis import RedisAsyncResultBackend, RedisStreamBroker

URL = f"redis://127.0.0.1:{PORT}"
broker = RedisStreamBroker(URL).with_result_backend(RedisAsyncResultBackend(URL))
counters = redis.asyncio.Redis(port=PORT)


@broker.task(task_name="hop")
async def hop(number: int, steps: int):
    if number < steps:
        await hop.kiq(number + 1, steps)
    else:
        ring()
    return RESULT


@broker.task(task_name="part")
async def part(name: str, width: int):
    if await counters.incr(name) == width:
        await hop.kiq(1, 1)
    return RESULT


@broker.task(task_name="spread")
async def spread(width: int):
    name = uuid.uuid4().hex
    for _ in range(width):
        await part.kiq(name, width)


class TaskiqSteps(Peer):
    packages = ("taskiq", "taskiq-redis")

    def __init__(self) -> None:
        super().__init__()
        self.bell = Bell()
        self.redis()
        for _ in range(2):
            self.spawn(
                sys.executable,
                *[
                    "-m",
                    "taskiq",
                    "worker",
                    "taskiq_steps:broker",
                    "-w",
                    "1",
                    "--log-level",
                    "ERROR",
                    "--max-async-tasks",
                    "10",
                ],
            )
        self.loop = asyncio.new_event_loop()
        self.loop.run_until_complete(broker.startup())

    def sequence(self, steps: int) -> None:
        self.many(1, steps)

    def many(self, runs: int, steps: int) -> None:
        async def send() -> None:
            for _ in range(runs):
                await hop.kiq(1, steps)

        self.loop.run_until_complete(send())
        self.bell.wait(runs)

    def fan_out(self, width: int) -> None:
        self.loop.run_until_complete(spread.kiq(width))
        self.bell.wait()


if __name__ == "__main__":
    serve(TaskiqSteps)
