"""Decides which Neo4j the embedded stack runs: one version from Maven Central, kept in the user's data folder."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from zts_core.errors import ServiceUnavailable
from zts_producer.embedded.locks import FileLock

VERSION = "5.26.30"
"""The newest of the long-term line; a range would make Maven ask for every version there is."""
OLDEST_JAVA, NEWEST_JAVA = 17, 21
"""What Neo4j 5.26 is supported on (its operations manual, system requirements)."""
WAIT_FOR_OTHERS_S = 600.0

_POM = f"""<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>zerotoship</groupId><artifactId>embedded-neo4j</artifactId><version>1</version><packaging>pom</packaging>
<dependencies>
<dependency><groupId>org.neo4j</groupId><artifactId>neo4j</artifactId><version>{VERSION}</version></dependency>
<dependency><groupId>org.neo4j.app</groupId><artifactId>neo4j-server</artifactId><version>{VERSION}</version></dependency>
</dependencies></project>
"""
_COPY = ("--batch-mode", "dependency:copy-dependencies", "-DincludeScope=runtime", "-DoutputDirectory=lib")
_DOWNLOADED = re.compile(r"Downloaded from \S+: \S+/(\S+) \(")
_JAVA_VERSION = re.compile(r'version "(\d+)')

Tell = Callable[[str], None]
"""Hears the name of each file that was downloaded."""


@dataclass(frozen=True, slots=True)
class Neo4jProgram:
    """A Java that fits and the folder of Neo4j's jars."""

    java: Path
    jars: Path


def find_neo4j(cache: Path, tell: Tell) -> Neo4jProgram:
    """The program, fetched where `cache` does not have it yet. Raises ServiceUnavailable, saying what to install."""
    return Neo4jProgram(find_java(), fetch_jars(cache / f"neo4j-{VERSION}", tell))


def has_neo4j(cache: Path) -> bool:
    """Whether the jars are there already."""
    return (cache / f"neo4j-{VERSION}" / "complete").exists()


def find_java() -> Path:
    """JAVA_HOME's or the path's `java`. Raises ServiceUnavailable where there is none that Neo4j runs on."""
    home = os.environ.get("JAVA_HOME")
    found = shutil.which("java", path=f"{home}/bin") if home else shutil.which("java")
    wanted = f"Neo4j {VERSION} needs Java {OLDEST_JAVA} to {NEWEST_JAVA}"
    cure = "install one (Debian: apt install openjdk-17-jre-headless) or set NEO4J_URI to a running Neo4j"
    if found is None:
        raise ServiceUnavailable(f"{wanted} and {'JAVA_HOME has' if home else 'there is'} none: {cure}")
    told = subprocess.run([found, "-version"], capture_output=True, text=True, timeout=30, check=False)
    version = _JAVA_VERSION.search(told.stderr + told.stdout)
    if version is None or not OLDEST_JAVA <= int(version[1]) <= NEWEST_JAVA:
        raise ServiceUnavailable(f"{wanted}, {found} is {version[1] if version else 'no working one'}: {cure}")
    return Path(found)


def fetch_jars(folder: Path, tell: Tell) -> Path:
    """The folder with all jars; downloads them once, however many ask. Raises ServiceUnavailable."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with closing(FileLock.on(folder / "lock")) as lock:
            if not lock.wait_exclusive(timeout_s=WAIT_FOR_OTHERS_S):
                raise ServiceUnavailable(f"another process has been fetching Neo4j into {folder} for long: try again")
            if not (folder / "complete").exists():
                _download(folder, tell)
                (folder / "complete").touch()
    except OSError as error:
        raise ServiceUnavailable(f"Neo4j cannot be kept in {folder}: {error.strerror or error}; free it") from error
    return folder / "lib"


def _download(folder: Path, tell: Tell) -> None:
    maven = shutil.which("mvn")
    if maven is None:
        raise ServiceUnavailable(
            f"Neo4j {VERSION} comes from Maven Central and Maven is not here: install it (Debian: apt install maven) "
            "or set NEO4J_URI to a running Neo4j"
        )
    shutil.rmtree(folder / "lib", ignore_errors=True)  # what an interrupted download left
    (folder / "pom.xml").write_text(_POM)
    with subprocess.Popen(
        [maven, *_COPY],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        assert process.stdout is not None  # noqa: S101 - PIPE was asked for
        wrong = ""
        for line in process.stdout:
            if downloaded := _DOWNLOADED.search(line):
                tell(downloaded[1])
            elif "[ERROR]" in line and not wrong:
                wrong = line.partition("[ERROR]")[2].strip()
    if process.returncode:
        raise ServiceUnavailable(
            f"Maven could not fetch Neo4j {VERSION}: {wrong[:300] or 'it said nothing'}; "
            "check the network and ~/.m2/settings.xml, or set NEO4J_URI to a running Neo4j"
        )
