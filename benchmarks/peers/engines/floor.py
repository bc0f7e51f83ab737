"""The least that a durable hop can cost: two queue hops and one commit, on bare Redis in one process."""

import json

from redis import Redis
from serving import PORT, RESULT, Peer, serve


class Floor(Peer):
    packages = ("redis", "hiredis")

    def __init__(self) -> None:
        super().__init__()
        self.redis()
        self.client = Redis(port=PORT)

    def sequence(self, steps: int) -> None:
        payload = json.dumps(RESULT)
        for number in range(steps):
            for _ in range(2):
                self.client.lpush("queue", payload)
                self.client.brpop("queue")
            commit = self.client.pipeline(transaction=True)
            for name in ("output", "ledger", "state", "outbox"):
                commit.set(f"{name}:{number}", payload)
            commit.execute()


if __name__ == "__main__":
    serve(Floor)
