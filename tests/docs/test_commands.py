"""Every command that a page tells a reader to type is run: it may find nothing to do, it may not be unknown."""

from __future__ import annotations

import io
import os
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import click
import pytest
from celery.bin.celery import celery
from pages import PAGES, REPOSITORY, commands
from servers import RedisServer, Worker, wait_until

from zts_core.run import StepStatus
from zts_core.settings import Settings
from zts_producer.cli.main import run
from zts_producer.cli.root import root
from zts_producer.cli.submit import submit
from zts_producer.client import Client

ALL = sorted({(command, page.name) for page in PAGES for command in commands(page)})
OURS = [(command, page) for command, page in ALL if command.split()[0] in ("zts", "zts-submit")]
OTHERS = [(command, page) for command, page in ALL if command.split()[0] not in ("zts", "zts-submit")]
GO_ON = ("up", "--follow")
"""Commands with one of these words run until somebody ends them: their words are read, and they are not started."""

FLOW = """
name: my_flow
sequence:
  - {state: IDEA_VALIDATION, crew: ValidatorCrew}
  - {approval: {state: SIGN_OFF, prompt: "Shall we?"}}
  - {state: COMPLETED}
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimpleNamespace]:
    """A folder with an idea and a workflow, a Redis, a worker, and a run that waits for an answer."""
    folder = tmp_path_factory.mktemp("docs")
    (folder / "idea.txt").write_text(
        "# Tool library\n\nNeighbours register a tool and record a loan with its due day.\n"
    )
    (folder / "my_idea.txt").write_text("# Tool library\n\nNeighbours register a tool and record a loan.\n")
    (folder / "my_flow.yaml").write_text(FLOW)
    server = RedisServer()
    worker = Worker(server.url, folder, environment={"HOME": str(folder)})
    try:
        worker.wait_ready()
        settings = Settings(redis_url=server.url, data_folder=folder / "data")
        with Client(settings, workers=False) as client:
            record = client.submit((folder / "idea.txt").read_text(), str(folder / "my_flow.yaml"))
            waits = [StepStatus.DONE, StepStatus.WAITING]
            wait_until(lambda: [step.status for step in client.steps(record.run_id)] == waits)
            ended = client.submit((folder / "idea.txt").read_text(), str(folder / "my_flow.yaml"))
            client.cancel(ended.run_id)
            wait_until(lambda: client.record(ended.run_id).outcome)
        yield SimpleNamespace(folder=folder, url=server.url, run=record.run_id, ended=ended.run_id)
    finally:
        worker.kill()
        server.close()


@pytest.mark.worker
@pytest.mark.parametrize(("command", "page"), OURS, ids=[f"{page}: {command}" for command, page in OURS])
def test_a_command_of_ours_is_known_and_answers(
    place: SimpleNamespace,
    command: str,
    page: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name in [name for name in os.environ if name.startswith("ZTS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("REDIS_URL", place.url)
    monkeypatch.setenv("HOME", str(place.folder))
    monkeypatch.setenv("ZTS_DATA_FOLDER", str(place.folder / "data"))
    monkeypatch.chdir(place.folder)
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    # What follows a run to its end gets one that has ended.
    follows = command.split()[1] in ("watch", "resume")
    program, *words = with_real_names(command, place.ended if follows else place.run, place.folder)
    if any(word in words for word in GO_ON):
        understood(root, words)
        return
    if program == "zts-submit" and "--detach" not in words and "-d" not in words:
        words += ["--detach"]
    code = run(submit if program == "zts-submit" else root, program, words)
    said = capsys.readouterr()
    assert code != 1, said.err
    assert not (code == 2 and "--help" in said.err), f"{page} shows a command that is none: {said.err}"


def with_real_names(command: str, run_id: str, folder: Path) -> list[str]:
    """The command with this test's run and files in place of a page's examples."""
    words = shlex.split(command.replace("[STATE]", "").replace("…", ""))
    shown = re.compile(r"1rz\w*|last")
    known = {
        "RUN": run_id,
        "STATE": "IDEA_VALIDATION",
        "NAME": "rapid_prototype",
        "FILE": "my_flow.yaml",
        "-": "idea.txt",
    }
    real = [known.get(word, run_id if shown.fullmatch(word) else word) for word in words]
    for word in real:
        if word.endswith((".txt", ".yaml")) and "/" not in word and not (folder / word).exists():
            (folder / word).write_text((folder / ("idea.txt" if word.endswith("txt") else "my_flow.yaml")).read_text())
    return real


def understood(command: click.Command, words: list[str]) -> None:
    """Read the words as click would, command by command, and run nothing."""
    context = command.make_context(command.name or "", list(words), resilient_parsing=False)
    while isinstance(context.command, click.Group):
        name, inner, rest = context.command.resolve_command(context, [*context._protected_args, *context.args])
        assert inner is not None
        context = inner.make_context(name or "", rest, parent=context)


@pytest.mark.parametrize(("command", "page"), OTHERS, ids=[f"{page}: {command}" for command, page in OTHERS])
def test_a_command_of_celery_or_make_is_known(command: str, page: str) -> None:
    program, *words = shlex.split(command)
    if program == "make":
        targets = set(re.findall(r"^([a-z-]+):", (REPOSITORY / "Makefile").read_text(), re.M))
        asked = [word for word in words if "=" not in word]
        assert set(asked) <= targets, f"{page} names a target that the Makefile does not have"
        return
    words = words[words.index("zts_worker") + 1 :]
    name, inner, rest = celery.resolve_command(click.Context(celery), words)
    assert inner is not None
    if name == "worker":
        inner.make_parser(click.Context(inner)).parse_args(list(rest))
