"""Prototype and testing: a device that runs on a PC, and tests whose failures are weighed."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from zts_worker.crews.builder import BuilderCrew
from zts_worker.crews.hardware import HardwareCrew
from zts_worker.crews.prototype import PrototypeCrew
from zts_worker.crews.testing import TestingCrew

from .context import FakeRun
from .ideas import TENANTS

POT = (
    "A smart plant pot with a soil moisture sensor and a small pump that waters the plant when the moisture is below "
    "30 percent. It warns with a buzzer when it is dark and shows everything on a small display. It is USB powered."
)
STATION = (
    "A weather station device on an ESP32 with temperature, humidity, air pressure and air quality sensors; it has a "
    "GPS module and blinks an LED when CO2 is above 1200 ppm. USB powered."
)
COUNTER = "A device with a motion sensor that counts visitors. It runs on an Arduino with AA batteries."


def prototyped(idea: str, tmp_path: Path) -> tuple[FakeRun, Any]:
    run = FakeRun(idea, tmp_path, workflow="hardware_prototype")
    run.step(HardwareCrew())
    return run, run.step(PrototypeCrew())


@pytest.mark.parametrize("idea", [POT, STATION, COUNTER], ids=["pot", "station", "counter"])
def test_a_prototype_is_wired_compiles_and_passes_its_tests(idea: str, tmp_path: Path) -> None:
    run, prototype = prototyped(idea, tmp_path)
    assert prototype.ready, prototype.reason
    assert prototype.compiled in (True, None)
    report = run.step(TestingCrew())
    assert (report.passed, report.critical_failure, report.examined) == (True, False, "prototype"), report.results
    folder = run.artifacts.of("prototype") / "prototype"
    command = [sys.executable, "-m", "ruff", "check", "--no-cache", "--isolated", "--select=E,F,W", "--line-length=100"]
    done = subprocess.run([*command, str(folder)], capture_output=True, text=True, check=False)
    assert done.stdout == "All checks passed!\n"


def test_the_ideas_own_thresholds_drive_the_outputs(tmp_path: Path) -> None:
    _, pot = prototyped(POT, tmp_path / "pot")
    assert ("pump", "soil_moisture", "below 30") in {(out.name, out.channel, out.on_when) for out in pot.outputs}
    _, station = prototyped(STATION, tmp_path / "station")
    assert [(out.name, out.channel, out.on_when) for out in station.outputs] == [
        ("led", "carbon_dioxide", "above 1200")
    ]


def test_every_part_of_the_design_is_wired_to_pins_of_its_controller(tmp_path: Path) -> None:
    run, station = prototyped(STATION, tmp_path)
    joined = {interface["ref"] for interface in run.outputs["design"]["interfaces"]}
    assert {wire.part.split()[0] for wire in station.wiring} == joined
    assert all(wire.pin.startswith(("GPIO", "3V3", "GND")) for wire in station.wiring)
    table = json.loads(run.artifacts.read_bytes("prototype", "prototype/wiring.json"))
    assert len(table["wires"]) == len(station.wiring)


def test_a_design_of_unknown_parts_and_missing_fields_still_gives_a_prototype(tmp_path: Path) -> None:
    run = FakeRun(POT, tmp_path)
    run.outputs["design"] = {
        "approved": True,
        "bill_of_materials": [
            {"ref": "X1", "key": "geiger counter!", "role": "sensor", "part_class": "tube */ \\"},
            {"ref": "X2", "key": "laser", "role": "output"},
            "odd",
            {"role": "sensor"},
        ],
        "interfaces": [{"ref": "X1", "signals": ["DATA", "GND"]}, {"ref": "X9", "signals": None}],
        "power_budget": "unknown",
    }
    prototype = run.step(PrototypeCrew())
    assert (prototype.ready, [channel.name for channel in prototype.channels]) == (True, ["geiger_counter"])
    assert run.step(TestingCrew()).passed


def test_a_board_with_too_few_pins_is_not_ready(tmp_path: Path) -> None:
    lines: list[Mapping[str, Any]] = [
        {"ref": f"P{n}", "key": "button", "role": "sensor", "example": "switch"} for n in range(12)
    ]
    run = FakeRun(COUNTER, tmp_path)
    run.outputs["design"] = {
        "bill_of_materials": [{"ref": "P99", "key": "atmega", "role": "controller"}, *lines],
        "interfaces": [{"ref": line["ref"], "signals": ["SIGNAL", "GND"]} for line in lines],
    }
    prototype = run.step(PrototypeCrew())
    assert not prototype.ready
    assert "too few pins" in prototype.reason


def test_an_idea_that_is_no_device_has_nothing_to_prototype(tmp_path: Path) -> None:
    prototype = FakeRun(TENANTS, tmp_path).step(PrototypeCrew())
    assert (prototype.ready, prototype.files) == (False, [])


def test_the_same_design_gives_the_same_files(tmp_path: Path) -> None:
    runs = [prototyped(POT, tmp_path / str(n))[0] for n in range(2)]
    paths = runs[0].artifacts.paths("prototype")
    assert paths == runs[1].artifacts.paths("prototype")
    assert all(
        runs[0].artifacts.read_bytes("prototype", path) == runs[1].artifacts.read_bytes("prototype", path)
        for path in paths
    )


def test_firmware_that_decides_otherwise_than_the_simulation_fails(tmp_path: Path) -> None:
    if not shutil.which("cc"):
        pytest.skip("no C compiler here")
    run, _ = prototyped(POT, tmp_path)
    path = run.artifacts.of("prototype") / "prototype/firmware/control.c"
    path.write_text(path.read_text().replace("output->on_s >= rule->most_on_s", "output->on_s > rule->most_on_s"))
    report = run.step(TestingCrew())
    assert (report.passed, report.critical_failure) == (False, False)
    assert [result.severity for result in report.results if result.outcome != "passed"] == ["high"]


def test_a_safety_test_that_fails_is_critical(tmp_path: Path) -> None:
    run, _ = prototyped(POT, tmp_path)
    path = run.artifacts.of("prototype") / "prototype/simulation/control.py"
    path.write_text(path.read_text().replace("if not self.faults[rule.channel]:", "if rule.most_on_s:"))
    report = run.step(TestingCrew())
    assert (report.passed, report.critical_failure) == (False, True)
    failed = [result for result in report.results if result.outcome == "failed"]
    assert any("SafetyTest" in result.id and result.severity == "critical" for result in failed)


def test_code_that_cannot_be_imported_is_critical(tmp_path: Path) -> None:
    run, _ = prototyped(POT, tmp_path)
    (run.artifacts.of("prototype") / "prototype/simulation/control.py").unlink()
    report = run.step(TestingCrew())
    assert (report.passed, report.critical_failure) == (False, True)


def test_a_test_that_ends_the_process_is_trouble_and_critical(tmp_path: Path) -> None:
    run, _ = prototyped(POT, tmp_path)
    (run.artifacts.of("prototype") / "prototype/tests/test_exit.py").write_text("import os\nos._exit(3)\n")
    report = run.step(TestingCrew())
    assert (report.passed, report.critical_failure, report.trouble) == (False, True, "it ended with code 3")


def test_without_a_prototype_the_projects_tests_are_run(tmp_path: Path) -> None:
    run = FakeRun(TENANTS, tmp_path)
    run.step(BuilderCrew())
    report = run.step(TestingCrew())
    assert (report.passed, report.examined) == (True, "build")
    assert report.ran == len(report.results) > 20
    assert {result.severity for result in report.results} == {"none"}


def test_with_nothing_made_before_there_is_nothing_to_test(tmp_path: Path) -> None:
    report = FakeRun(TENANTS, tmp_path).step(TestingCrew())
    assert (report.passed, report.critical_failure, report.examined) == (False, True, "nothing")
