"""What each entry point loads: start-up is import time, and every library that creeps in is paid by every command."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from servers import REPOSITORY

IDEA = REPOSITORY / "examples" / "ideas" / "bee_hive_log.txt"
HEAVY = (
    "neo4j",
    "pydantic_settings",
    "dotenv",
    "prometheus_client",
    "pydantic_ai",
    "crewai",
    "openai",
    "httpx",
    "jinja2",
    "rich",
    "structlog",
)
"""Libraries that no producer needs before it shows, reports or asks something."""
HEAVY_FOR_LOOKS = tuple(name for name in HEAVY if name != "rich")
OF_CREWS = "zts_worker.crews."
TOLD = "import atexit, json, sys; atexit.register(lambda: print('\\n' + json.dumps(sorted(sys.modules)))); "


def loaded(code: str, **environment: str) -> set[str]:
    """Names of all modules that a process has imported when it ends."""
    answer = subprocess.run(
        [sys.executable, "-c", TOLD + code],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return set(json.loads(answer.stdout.splitlines()[-1]))


def of(libraries: tuple[str, ...], modules: set[str]) -> set[str]:
    return {name for name in libraries if name in modules}


@pytest.mark.parametrize("module", ["zts_producer", "zts_producer.cli", "zts_producer.client"])
def test_importing_the_producer_loads_no_server_library_and_no_crew(module: str) -> None:
    modules = loaded(f"import {module}")
    assert of((*HEAVY, "celery", "kombu", "redis"), modules) == set()
    assert not [name for name in modules if name.startswith("zts_worker")]


def test_a_command_that_only_says_its_version_loads_next_to_nothing() -> None:
    modules = loaded("sys.argv = ['zts-submit', '--version']; from zts_producer.cli import zts_submit; zts_submit()")
    assert of((*HEAVY, "celery", "kombu", "redis", "pydantic"), modules) == set()


@pytest.mark.redis
def test_a_submit_loads_the_store_and_neither_celery_nor_anything_for_showing(redis_url: str, tmp_path: Path) -> None:
    argv = ["zts-submit", "--detach", "--out", str(tmp_path / "out"), str(IDEA)]
    code = f"sys.argv = {argv!r}; from zts_producer.cli import zts_submit; zts_submit()"
    modules = loaded(code, REDIS_URL=redis_url, ZTS_DATA_FOLDER=str(tmp_path))
    assert of(("celery", "kombu", "redis"), modules) == {"redis"}
    assert of(HEAVY, modules) == set()
    assert not [name for name in modules if name.startswith("zts_worker")], "what our own crews write is known"


@pytest.mark.redis
@pytest.mark.parametrize("command", [["list"], ["list", "--json"], ["workflows", "list"]])
def test_a_command_that_looks_loads_no_queue_and_no_crew(redis_url: str, tmp_path: Path, command: list[str]) -> None:
    code = f"sys.argv = {['zts', *command]!r}; from zts_producer.cli import zts; zts()"
    modules = loaded(code, REDIS_URL=redis_url, ZTS_DATA_FOLDER=str(tmp_path))
    assert of((*HEAVY_FOR_LOOKS, "celery", "kombu"), modules) == set()
    assert not [name for name in modules if name.startswith("zts_worker")]


@pytest.mark.parametrize("command", [["--help"], ["status", "--help"], ["--version"]])
def test_help_is_given_without_the_engine(command: list[str]) -> None:
    code = f"sys.argv = {['zts', *command]!r}; from zts_producer.cli import zts; zts()"
    assert of((*HEAVY, "celery", "kombu", "redis", "pydantic", "asyncio", "yaml"), loaded(code)) == set()


def test_a_worker_loads_crews_and_models_only_when_a_step_needs_them() -> None:
    modules = loaded("import zts_worker.celery, zts_worker.tasks", PROMETHEUS_PORT="0")
    assert of(("neo4j", "pydantic_ai", "crewai", "openai", "httpx", "jinja2"), modules) == set()
    assert not [name for name in modules if name.startswith(OF_CREWS)]


def test_children_of_a_worker_share_what_it_had_loaded_when_it_forked() -> None:
    """A look for garbage writes into every object it goes through, and so makes copies of shared memory."""
    code = (
        "import gc, zts_worker.celery, zts_worker.tasks; from celery.signals import worker_init; "
        "worker_init.send(None); assert gc.get_freeze_count() > 10 * len(gc.get_objects())"
    )
    assert "zts_worker.tasks" in loaded(code, PROMETHEUS_PORT="0")
