"""dramatiq: pipelines of steps, and a group with a completion callback."""

import sys

import dramatiq
from dramatiq import group, pipeline
from dramatiq.brokers.redis import RedisBroker
from dramatiq.middleware import GroupCallbacks
from dramatiq.rate_limits.backends import RedisBackend
from serving import PORT, RESULT, Bell, Peer, ring, serve

broker = RedisBroker(port=PORT)
broker.add_middleware(GroupCallbacks(RedisBackend(url=f"redis://127.0.0.1:{PORT}")))
dramatiq.set_broker(broker)


@dramatiq.actor
def step(_before=None):
    return RESULT


@dramatiq.actor
def done(_before=None):
    ring()


@dramatiq.actor
def spread(width):
    parts = group([step.message() for _ in range(width)])
    parts.add_completion_callback(done.message())
    parts.run()


class DramatiqPipeline(Peer):
    packages = ("dramatiq", "redis")

    def __init__(self) -> None:
        super().__init__()
        self.bell = Bell()
        self.redis()
        self.spawn(sys.executable, *["-m", "dramatiq", "dramatiq_pipeline", "-p", "2", "-t", "4"])

    def sequence(self, steps: int) -> None:
        self.many(1, steps)

    def many(self, runs: int, steps: int) -> None:
        for _ in range(runs):
            pipeline([step.message() for _ in range(steps)] + [done.message()]).run()
        self.bell.wait(runs)

    def fan_out(self, width: int) -> None:
        spread.send(width)
        self.bell.wait()


if __name__ == "__main__":
    serve(DramatiqPipeline)
