"""`zts up --neo4j` as a person uses it: fetched, started, found from another terminal, and gone with its stack."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from graph_servers import neo4j_jars
from servers import REPOSITORY, wait_until

from zts_core.errors import ServiceUnavailable
from zts_producer.embedded import default_folder
from zts_producer.embedded.folder import StackRecord, read_record
from zts_producer.embedded.neo4j_program import fetch_jars, find_java

pytestmark = [pytest.mark.redis, pytest.mark.worker, pytest.mark.cli]

COUNT = "MATCH (r:Run {status: 'finished'})-[:HAS_STEP]->(s) RETURN count(s) AS steps"


class Terminal:
    """Runs `zts` with one data folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("NEO4J", "ZTS_"))}
        self.environment = {**kept, "REDIS_URL": "embedded", "ZTS_DATA_FOLDER": str(folder), "ZTS_PROMETHEUS_PORT": "0"}

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        code = "import sys; from zts_producer.cli import zts; sys.argv[0] = 'zts'; zts()"
        command = [sys.executable, "-c", code, *arguments]
        return subprocess.Popen(
            command, cwd=REPOSITORY, env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def told(self, *arguments: str) -> Any:
        process = self.start(*arguments, "--json")
        out, err = process.communicate(timeout=100)
        assert process.returncode == 0, err
        return json.loads(out)

    @property
    def record(self) -> StackRecord:
        record = read_record(self.folder / "stack.json")
        assert record is not None
        return record


@pytest.fixture
def terminal(folder: Path) -> Terminal:
    return Terminal(folder)


def read_json(process: subprocess.Popen[str]) -> Any:
    """What `zts up --json` prints once everything is up."""
    assert process.stdout is not None
    lines: list[str] = []
    while not lines or lines[-1].rstrip() != "}":
        line = process.stdout.readline()
        assert line, process.stderr.read() if process.stderr else ""
        lines.append(line)
    return json.loads("".join(lines))


def test_a_stack_with_a_neo4j_of_its_own_from_start_to_end(terminal: Terminal) -> None:
    neo4j_jars()
    up = terminal.start("up", "--neo4j", "--json")
    told = read_json(up)
    password = Path(told["neo4j_password_file"])
    assert stat.S_IMODE(password.stat().st_mode) == 0o600
    assert password.read_text().strip() not in " ".join(commands())
    idea = REPOSITORY / "examples" / "ideas" / "bee_hive_log.txt"
    terminal.told("submit", str(idea), "--workflow", "marketing_focus", "--out", str(terminal.folder.parent / "out"))
    assert terminal.told("graph", COUNT)["rows"] == [{"steps": 3}]
    assert terminal.told("health")["components"]["graph"]["detail"].startswith("Neo4j at 127.0.0.1")

    graph = terminal.record.graph
    assert graph is not None
    assert graph.name == "neo4j"
    assert graph.process is not None
    os.kill(graph.process.pid, signal.SIGKILL)
    wait_until(lambda: terminal.record.graph not in (None, graph), within_s=20, what="Neo4j is started again")
    assert terminal.told("graph", COUNT)["rows"] == [{"steps": 3}]

    newer = terminal.record.graph
    assert newer is not None
    assert newer.process is not None
    up.kill()
    up.communicate(timeout=10)
    wait_until(lambda: newer.process and not newer.process.lives, within_s=40, what="Neo4j is gone with its stack")


def commands() -> list[str]:
    """The command lines of everything that runs (Linux)."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            found.append((folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace"))
        except OSError:
            continue
    return found


def test_a_graph_that_was_chosen_and_a_neo4j_of_its_own_exclude_each_other(terminal: Terminal) -> None:
    terminal.environment["NEO4J_URI"] = "bolt://elsewhere"
    process = terminal.start("up", "--neo4j")
    _, err = process.communicate(timeout=60)
    assert (process.returncode, len(err.splitlines())) == (2, 1)
    assert "NEO4J_URI" in err


def test_without_java_one_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    with pytest.raises(ServiceUnavailable, match=r"needs Java 17 to 21 and there is none: .*apt install"):
        find_java()


def test_a_java_that_is_too_old_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    program = tmp_path / "bin" / "java"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\necho 'openjdk version \"11.0.2\"' >&2\n")
    program.chmod(0o755)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    with pytest.raises(ServiceUnavailable, match="bin/java is 11"):
        find_java()


def test_without_maven_one_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ServiceUnavailable, match=r"Maven is not here: .*apt install maven"):
        fetch_jars(tmp_path / "neo4j", lambda _: None)


def test_a_download_that_fails_says_why_and_leaves_nothing_half_done(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    maven = tmp_path / "mvn"
    maven.write_text("#!/bin/sh\nmkdir -p lib; echo x > lib/half.jar\necho '[ERROR] no route to host'\nexit 1\n")
    maven.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    with pytest.raises(ServiceUnavailable, match="no route to host"):
        fetch_jars(tmp_path / "neo4j", lambda _: None)
    files: list[str] = []
    said = "Downloaded from central: https://x/org/a/1/a-1.jar (1 kB at 2 kB/s)"
    maven.write_text(f"#!/bin/sh\nmkdir lib; echo x > lib/whole.jar\necho '{said}'\n")
    assert [jar.name for jar in fetch_jars(tmp_path / "neo4j", files.append).iterdir()] == ["whole.jar"]
    assert files == ["a-1.jar"]
    maven.unlink()
    fetch_jars(tmp_path / "neo4j", files.append)


def test_the_jars_are_kept_in_the_users_data_folder() -> None:
    assert neo4j_jars().is_relative_to(default_folder())
