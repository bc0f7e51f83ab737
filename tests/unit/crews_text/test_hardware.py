from __future__ import annotations

import csv
import io
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from zts_worker.crews.hardware import HardwareCrew
from zts_worker.crews.hardware_choice import address_clash
from zts_worker.crews.hardware_parts import OUTPUTS, SENSORS
from zts_worker.crews.hardware_power import wake_seconds, wished_life_hours

from .context import FakeContext
from .ideas import SAMPLES, example_texts

DEVICE = "A battery-powered device with an ESP32 and a humidity sensor. Each reading has a time and a humidity. "


def _design(text: str, folder: Path) -> tuple[HardwareCrew.Output, FakeContext]:
    context = FakeContext(text, folder)
    return HardwareCrew().run(context), context


def test_the_plant_sensor_is_approved_with_the_parts_its_text_asks_for(tmp_path: Path) -> None:
    output, _ = _design(example_texts()["plant_moisture_sensor"], tmp_path)
    assert output.approved, output.reason
    assert {"esp32", "soil_moisture", "temperature", "led", "supply"} <= {b.key for b in output.bill_of_materials}
    assert output.power_budget is not None
    assert output.power_budget.supply == "two AA alkaline cells"
    assert output.power_budget.wake_interval_s == 1800
    assert output.cost_limit_eur == 12
    assert output.unit_cost_eur <= 12


@pytest.mark.parametrize("name", ["bee_hive_log", "tool_lending", "invoice_reminder", "reading_streak"])
def test_an_idea_that_is_no_device_is_not_approved(name: str, tmp_path: Path) -> None:
    output, context = _design(example_texts()[name], tmp_path)
    assert not output.approved
    assert not output.is_device
    assert context.artifacts.files == {}


def test_the_budget_is_the_sum_of_its_lines_by_the_formula_it_names(tmp_path: Path) -> None:
    output, _ = _design(example_texts()["plant_moisture_sensor"], tmp_path)
    budget = output.power_budget
    assert budget is not None
    for line in budget.parts:
        average = line.active_ma * line.duty + line.sleep_ma * (1 - line.duty)
        assert line.average_ma == pytest.approx(average, abs=1e-3)
    assert budget.average_ma == pytest.approx(sum(line.average_ma for line in budget.parts), abs=1e-4)
    assert budget.battery_life_hours == pytest.approx(2500 * 0.8 * 0.85 / budget.average_ma, rel=1e-3)
    assert (budget.battery_life_hours or 0) > (budget.wished_life_hours or 0)


def test_waking_more_often_empties_the_battery_sooner_until_the_budget_does_not_close(tmp_path: Path) -> None:
    lives = []
    for wake in ("every hour", "every 10 minutes", "every minute"):
        output, _ = _design(f"{DEVICE}It measures {wake}. It runs for six months on two AA batteries.", tmp_path)
        assert output.power_budget is not None
        lives.append((output.power_budget.battery_life_hours or 0.0, output.approved))
    assert [approved for _, approved in lives] == [True, False, False]
    assert lives[0][0] > lives[1][0] > lives[2][0]


def test_a_budget_that_does_not_close_names_the_cure(tmp_path: Path) -> None:
    output, _ = _design(f"{DEVICE}It measures every minute. It runs for a year on two AA batteries.", tmp_path)
    assert not output.approved
    assert "wake less often or take a larger cell" in output.reason


def test_a_coin_cell_cannot_feed_a_radio_of_eighty_milliamperes(tmp_path: Path) -> None:
    output, _ = _design(f"{DEVICE}It runs on a CR2032 coin cell.", tmp_path)
    assert not output.approved
    assert "peak" in output.reason


def test_parts_that_cost_more_than_the_idea_allows_are_not_approved(tmp_path: Path) -> None:
    output, _ = _design(f"{DEVICE}The parts should cost less than 4 euros.", tmp_path)
    assert not output.approved
    assert "4.00 are allowed" in output.reason


def test_without_a_named_supply_the_smallest_that_closes_is_taken(tmp_path: Path) -> None:
    output, _ = _design(f"{DEVICE}It measures every hour.", tmp_path)
    assert output.approved
    assert output.power_budget is not None
    assert output.power_budget.supply == "two AAA alkaline cells"


def test_a_device_on_usb_has_no_battery_life(tmp_path: Path) -> None:
    output, _ = _design(DEVICE.replace("battery-powered", "desk") + "It has a USB plug and a relay.", tmp_path)
    assert output.approved
    assert output.power_budget is not None
    assert output.power_budget.battery_life_hours is None


def test_what_the_text_denies_is_not_on_the_board(tmp_path: Path) -> None:
    output, _ = _design(f"{DEVICE}It has no display and no camera.", tmp_path)
    assert not {"display", "camera"} & {line.key for line in output.bill_of_materials}


def test_the_drawings_and_lists_are_files_that_programs_read(tmp_path: Path) -> None:
    for text in (example_texts()["plant_moisture_sensor"], *(s.text for s in SAMPLES if s.kind == "hardware")):
        output, context = _design(text, tmp_path)
        assert output.is_device
        tree = ET.fromstring(context.artifacts.text("design/block_diagram.svg"))
        assert tree.tag.endswith("svg")
        rows = list(csv.DictReader(io.StringIO(context.artifacts.text("design/bill_of_materials.csv"))))
        total = sum(float(row["unit_cost_eur"]) * int(row["quantity"]) for row in rows)
        assert total == pytest.approx(output.unit_cost_eur, abs=0.01)
        assert output.block_diagram.startswith("flowchart LR")


def test_every_sensor_and_output_is_joined_and_drawn(tmp_path: Path) -> None:
    output, _ = _design(example_texts()["plant_moisture_sensor"], tmp_path)
    joined = {interface.ref for interface in output.interfaces}
    wired = [line for line in output.bill_of_materials if line.role in ("sensor", "output", "radio")]
    assert {line.ref for line in wired} == joined
    assert all(f"{line.key}[" in output.block_diagram for line in wired)


def test_no_two_parts_of_the_catalogue_share_a_bus_address() -> None:
    assert address_clash([*SENSORS, *OUTPUTS]) == ""
    assert "0x44" in address_clash([SENSORS[1], SENSORS[1]])


@pytest.mark.parametrize(
    ("sentence", "seconds"),
    [("It wakes up every 30 minutes.", 1800), ("It measures every hour.", 3600), ("It sends once a day.", 86400),
     ("It samples 4 times per hour.", 900), ("We meet every week.", 900), ("It reads every 0 seconds.", 1)],
)  # fmt: skip
def test_the_wake_interval_is_read_from_the_text(sentence: str, seconds: float) -> None:
    assert wake_seconds((sentence,)) == pytest.approx(seconds)


def test_the_wished_battery_life_is_read_from_the_text() -> None:
    assert wished_life_hours(("It should run for a year on two AA batteries.",)) == 8760
    assert wished_life_hours(("The battery lasts at least 6 months.",)) == 6 * 730
    assert wished_life_hours(("We run for a year.",)) is None
