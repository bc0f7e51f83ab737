"""What the sandbox survives, in every isolation this machine can put up."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from zts_core.errors import PermanentError, TransientError
from zts_worker.crews import sandbox
from zts_worker.crews.box import pipes
from zts_worker.crews.sandbox import Isolation, Limits, SandboxResult, base_python, run_sandboxed

SMALL = Limits(cpu_s=20, memory_bytes=512 << 20, file_bytes=1 << 20, disk_bytes=4 << 20, processes=24)


def _usable() -> Iterator[Isolation]:
    for walls in sandbox._candidates():
        try:
            with_folder = sandbox.tempfile.TemporaryDirectory()
            with with_folder as folder:
                result = run_sandboxed(
                    [base_python(), "-c", "import json"], folder=Path(folder), timeout_s=20, isolation=walls
                )
        except (OSError, TransientError):
            continue
        if result.exit_code == 0:
            yield walls


def _label(walls: Isolation) -> str:
    return "+".join(name for name in ("namespaces", "private_root", "uid") if getattr(walls, name)) or "bare"


USABLE = list(_usable())
every_isolation = pytest.mark.parametrize("walls", USABLE, ids=_label)


def python(code: str, folder: Path, *, walls: Isolation, timeout_s: float = 20.0) -> SandboxResult:
    return run_sandboxed([base_python(), "-c", code], folder=folder, timeout_s=timeout_s, limits=SMALL, isolation=walls)


@every_isolation
def test_a_program_runs_in_its_folder_and_what_it_writes_belongs_to_the_worker(
    tmp_path: Path, walls: Isolation
) -> None:
    (tmp_path / "given.txt").write_text("here")
    code = "print(open('given.txt').read()); import os; os.mkdir('sub'); open('sub/made.txt','w').write('there')"
    result = python(code, tmp_path, walls=walls)
    assert (result.exit_code, result.stdout, result.killed_reason) == (0, "here\n", None)
    assert (tmp_path / "sub/made.txt").read_text() == "there"
    assert (tmp_path / "sub/made.txt").stat().st_uid == os.getuid()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["given.txt", "sub"]


@every_isolation
def test_an_endless_loop_ends_at_its_time_limit(tmp_path: Path, walls: Isolation) -> None:
    assert python("while True: pass", tmp_path, walls=walls, timeout_s=0.5).killed_reason == "timeout"


@every_isolation
def test_a_fork_bomb_is_bounded_and_leaves_no_process(tmp_path: Path, walls: Isolation) -> None:
    bomb = "import os\nwhile True:\n    try: os.fork()\n    except OSError: pass"
    result = python(bomb, tmp_path, walls=walls, timeout_s=2)
    assert result.killed_reason in ("timeout", "processes")
    assert _processes_in(tmp_path) == []


@every_isolation
def test_a_double_forked_daemon_does_not_outlive_the_program(tmp_path: Path, walls: Isolation) -> None:
    daemon = (
        "import os, time\n"
        "if os.fork() == 0:\n"
        "    os.setsid()\n"
        "    if os.fork() == 0:\n"
        "        open('up', 'w').write('1')\n"
        "        time.sleep(600)\n"
        "    os._exit(0)\n"
        "while not os.path.exists('up'): time.sleep(0.01)\n"
    )
    result = python(daemon, tmp_path, walls=walls)
    assert result.exit_code == 0
    assert result.leftovers == 1
    assert _processes_in(tmp_path) == []


@every_isolation
def test_a_huge_file_is_cut_at_the_limit(tmp_path: Path, walls: Isolation) -> None:
    code = "f = open('big', 'wb')\nfor _ in range(10_000): f.write(b'x' * 1_000_000)"
    assert python(code, tmp_path, walls=walls).exit_code != 0
    assert (tmp_path / "big").stat().st_size <= SMALL.file_bytes


@every_isolation
def test_many_files_together_are_bounded_too(tmp_path: Path, walls: Isolation) -> None:
    code = "import time\nfor n in range(16): open(f'part{n}', 'wb').write(b'x' * 1_000_000)\ntime.sleep(600)\n"
    assert python(code, tmp_path, walls=walls).killed_reason == "disk"


@every_isolation
def test_memory_is_bounded(tmp_path: Path, walls: Isolation) -> None:
    result = python("x = b'x' * (1 << 30)", tmp_path, walls=walls)
    assert "MemoryError" in result.stderr or result.killed_reason == "memory"


@every_isolation
def test_a_flood_of_output_is_capped_and_ended(tmp_path: Path, walls: Isolation) -> None:
    result = python("while True: print('y' * 10_000)", tmp_path, walls=walls)
    assert result.killed_reason == "output"
    assert len(result.stdout) < SMALL.output_bytes + 100
    assert "bytes left out" in result.stdout


@every_isolation
def test_no_secret_of_the_worker_reaches_the_program(
    tmp_path: Path, walls: Isolation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ZTS_TEST_SECRET", "hunter2")
    code = "import os, pathlib\nprint(dict(os.environ))\nprint(pathlib.Path('/proc/self/environ').read_bytes())"
    assert "hunter2" not in python(code, tmp_path, walls=walls).stdout


def test_files_outside_the_folder_are_not_there(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "secret.txt").write_text("hunter2")
    walls = sandbox.isolation_here()
    if not walls.private_root:
        pytest.skip("this machine cannot give the sandbox a file system of its own")
    result = python("print(open('../secret.txt').read())", tmp_path / "home", walls=walls)
    assert "FileNotFoundError" in result.stderr
    assert "hunter2" not in result.stdout


def test_what_is_named_as_readable_is_there_though_it_lies_in_the_system_s_scratch_folder(tmp_path: Path) -> None:
    with sandbox.tempfile.TemporaryDirectory(dir="/tmp") as shown:  # where a checkout or an interpreter may lie
        (Path(shown) / "tool.py").write_text("print('seen')")
        Path(shown).chmod(0o755)
        result = run_sandboxed(
            [base_python(), f"{shown}/tool.py"], folder=tmp_path, timeout_s=20, readable=[Path(shown)]
        )
    assert (result.stdout, result.stderr) == ("seen\n", "")


def test_loopback_works_inside_and_nothing_else_does(tmp_path: Path) -> None:
    walls = sandbox.isolation_here()
    if not walls.namespaces:
        pytest.skip("this machine cannot cut the sandbox off the network")
    code = (
        "import socket\n"
        "with socket.socket() as here:\n"
        "    here.bind(('127.0.0.1', 0)); here.listen()\n"
        "    socket.create_connection(here.getsockname()).close()\n"
        "print([name for _, name in socket.if_nameindex() if name == 'eth0'])\n"
        "socket.create_connection(('192.0.2.1', 80), timeout=5)\n"
    )
    result = python(code, tmp_path, walls=walls)
    assert result.stdout == "[]\n"
    assert "Network is unreachable" in result.stderr


def test_the_result_names_only_the_isolation_in_force(tmp_path: Path) -> None:
    bare = python("", tmp_path, walls=Isolation()).isolation
    assert "no network" not in bare
    assert "resource limits" in bare


def test_a_program_that_is_not_installed_is_a_permanent_error_with_its_name(tmp_path: Path) -> None:
    with pytest.raises(PermanentError, match="no-such-compiler"):
        run_sandboxed(["no-such-compiler"], folder=tmp_path, timeout_s=1)


def test_a_signal_is_told_as_a_negative_exit_code(tmp_path: Path) -> None:
    result = run_sandboxed([base_python(), "-c", "import os; os.kill(os.getpid(), 11)"], folder=tmp_path, timeout_s=20)
    assert result.exit_code == -11
    assert not result.ok


def test_a_worker_that_is_interrupted_takes_the_program_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from zts_worker.crews.box import pipes

    def interrupted(*_args: object, **_values: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(pipes, "_collect", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run_sandboxed([base_python(), "-c", "import time; time.sleep(600)"], folder=tmp_path, timeout_s=500)
    assert _processes_in(tmp_path) == []


def _processes_in(folder: Path) -> list[str]:
    """Processes of this machine whose current folder is `folder`."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if (process / "cwd").readlink() == folder:
                found.append(process.name)
        except OSError:
            continue
    return found


def test_a_watcher_that_dies_is_the_sandboxs_failure_and_no_time_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipes, "_LAUNCH", "import os; os._exit(1)")
    with pytest.raises(TransientError, match="ended without a word"):
        python("pass", tmp_path, walls=USABLE[-1])


@every_isolation
def test_what_cannot_be_started_is_the_sandboxs_failure(tmp_path: Path, walls: Isolation) -> None:
    broken = tmp_path / "broken"
    broken.write_bytes(b"\x7fELF and no more")
    broken.chmod(0o755)
    with pytest.raises(TransientError, match=r"could not be set up: cannot start"):
        run_sandboxed([str(broken)], folder=tmp_path, timeout_s=20, isolation=walls)


HOSTILE = {
    "loop": "while True: pass",
    "bomb": "import os\nwhile True:\n  try: os.fork()\n  except OSError: pass",
    "huge": "open('huge','wb').truncate(10 << 30); f = open('huge','r+b'); f.seek(10 << 30); f.write(b'x')",
    "above": "print(open('../../secret').read())",
    "daemon": (
        "import os, time\nif os.fork() == 0:\n  os.setsid()\n  if os.fork() == 0:\n    open('up', 'w').write('1')\n"
        "    time.sleep(600)\n  os._exit(0)\nwhile not os.path.exists('up'): time.sleep(0.01)"
    ),
}
AS_ANOTHER = """
import json, os, sys, tempfile
from pathlib import Path
from zts_worker.crews import sandbox
walls = sandbox.isolation_here() if sys.argv[1] == "strongest" else sandbox.Isolation()
limits = sandbox.Limits(cpu_s=20, memory_bytes=512 << 20, file_bytes=1 << 20, disk_bytes=4 << 20, processes=24)
seen = {"user": os.getuid()}
with tempfile.TemporaryDirectory() as outer:
    (Path(outer) / "secret").write_text("secret")
    for name, code in json.loads(sys.argv[2]).items():
        folder = Path(outer) / "a" / name
        folder.mkdir(parents=True)
        longest = 1.0 if name in ("loop", "bomb") else 15.0
        result = sandbox.run_sandboxed([sandbox.base_python(), "-c", code], folder=folder, timeout_s=longest,
                                       limits=limits, isolation=walls)
        seen[name] = [result.exit_code, result.killed_reason, result.leftovers, "secret" in result.stdout]
    seen["isolation"] = list(result.isolation)
print(json.dumps(seen))
"""


@pytest.mark.parametrize("walls", ["strongest", "none that needs a privilege"])
def test_a_worker_that_is_not_root_survives_the_same(walls: str, tmp_path: Path) -> None:
    """As `nobody`, with the strongest isolation it may put up, and as on a machine without user namespaces."""
    interpreter = next(
        (path for path in ("/usr/bin/python3.13", "/usr/bin/python3.12", "/usr/bin/python3.11") if Path(path).exists()),
        "",
    )
    if os.geteuid() != 0 or not shutil.which("setpriv") or not interpreter:
        pytest.skip("needs root, setpriv and an interpreter that any user may run")
    command = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", interpreter, "-c", AS_ANOTHER, walls]
    repository = str(Path(sandbox.__file__).parents[2])
    ran = subprocess.run(
        [*command, json.dumps(HOSTILE)],
        capture_output=True,
        text=True,
        timeout=120,
        cwd="/",
        env={"PATH": os.defpath, "PYTHONPATH": repository, "PYTHONDONTWRITEBYTECODE": "1", "HOME": "/nonexistent"},
    )
    assert ran.returncode == 0, ran.stderr
    seen = json.loads(ran.stdout)
    assert seen["user"] == 65534
    assert seen["loop"][1] == "timeout"
    assert seen["bomb"][1] in ("timeout", "processes", "memory", "cpu")
    assert seen["huge"][0] != 0
    assert (seen["daemon"][0], seen["daemon"][2] >= 1) == (0, True)
    is_private = "private file system" in seen["isolation"]
    # Without namespaces nothing hides what the worker's own user may read: the result claims no such wall.
    assert seen["above"][3] is not is_private
    assert ("no network" in seen["isolation"]) is is_private
