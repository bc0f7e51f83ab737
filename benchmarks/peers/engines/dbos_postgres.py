"""DBOS on PostgreSQL: one run inside this process, many on its queue with two more processes."""

import asyncio
import os
import pwd
import shutil
import subprocess
import sys
import time
from pathlib import Path

from dbos import DBOS, DBOSClient
from serving import FOLDER, ME, PORT, RESULT, Bell, Peer, ring, serve, wait_for_port

POLL_S = 0.02


@DBOS.step()
def step(_number):
    return RESULT


@DBOS.step()
async def async_step(_number):
    return RESULT


@DBOS.workflow()
def run_of(steps, tell):
    for number in range(steps):
        step(number)
    if tell:
        ring()


@DBOS.workflow()
async def fan_of(width):
    await async_step(0)
    await asyncio.gather(*[async_step(number) for number in range(width)])
    await async_step(1)


def launch(name: str) -> None:
    url = f"postgresql+psycopg://{user()}@127.0.0.1:{PORT}/dbos"
    DBOS(
        config={
            "name": "peer",
            "system_database_url": url,
            "executor_id": name,
            "log_level": "ERROR",
            "application_version": "1",
        }
    )
    DBOS.launch()


def user() -> str:
    return "postgres" if os.getuid() == 0 else pwd.getpwuid(os.getuid()).pw_name


def server_folder() -> Path:
    """Where initdb and postgres are: not on the PATH in Debian."""
    found = shutil.which("initdb") or next(map(str, sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))), None)
    if not found:
        raise FileNotFoundError("PostgreSQL's initdb; install postgresql")
    return Path(found).parent


class DbosPostgres(Peer):
    packages = ("dbos",)

    def __init__(self) -> None:
        super().__init__()
        self.bell = Bell()
        self.start_postgres()
        launch("here")
        self.client = DBOSClient(system_database_url=f"postgresql+psycopg://{user()}@127.0.0.1:{PORT}/dbos")
        for name in ("one", "two"):
            self.spawn(sys.executable, ME, "worker", name)
            self.bell.wait()

    def start_postgres(self) -> None:
        data, tools = FOLDER / "data", server_folder()
        who = ["runuser", "-u", "postgres", "--"] if os.getuid() == 0 else []
        if who:
            shutil.chown(FOLDER, "postgres")
        subprocess.run([*who, tools / "initdb", "-D", data, "-A", "trust"], check=True, cwd="/", stdout=sys.stderr)
        settings = ("-c", "listen_addresses=127.0.0.1", "-c", "max_connections=200")
        self.spawn(*who, str(tools / "postgres"), "-D", str(data), "-p", str(PORT), "-k", str(FOLDER), *settings)
        wait_for_port(PORT)
        time.sleep(1)

    def sequence(self, steps: int) -> None:
        run_of(steps, False)

    def many(self, runs: int, steps: int) -> None:
        for _ in range(runs):
            self.client.enqueue({"workflow_name": "run_of", "queue_name": "q", "app_version": "1"}, steps, True)
        self.bell.wait(runs)

    def fan_out(self, width: int) -> None:
        asyncio.run(fan_of(width))

    def close(self) -> None:
        self.client.destroy()
        DBOS.destroy()
        super().close()


def work(name: str) -> None:
    launch(name)
    DBOS.register_queue("q", worker_concurrency=4, polling_interval_sec=POLL_S, on_conflict="always_update")
    ring()
    while True:
        time.sleep(60)


if __name__ == "__main__":
    if sys.argv[1:2] == ["worker"]:
        work(sys.argv[2])
    else:
        serve(DbosPostgres)
