"""This project: one worker with two prefork children, everything that protects a run switched on."""

from serving import Peer, serve

from benchmarks import engine


class ZeroToShip(Peer):
    packages = ("zerotoship", "celery", "redis")

    def __init__(self) -> None:
        super().__init__()
        self.engine = engine.Engine()
        self.processes = [self.engine.server, self.engine.worker]

    def sequence(self, steps: int) -> None:
        self.engine.play(engine.sequence(steps))

    def many(self, runs: int, steps: int) -> None:
        self.engine.play(engine.sequence(steps), runs=runs)

    def fan_out(self, width: int) -> None:
        self.engine.play(engine.fan_out(width))

    def close(self) -> None:
        self.engine.close()


if __name__ == "__main__":
    serve(ZeroToShip)
