from __future__ import annotations

from pathlib import Path

from zts_worker.crews.launch import LaunchCrew

from .context import FakeContext
from .ideas import example_texts

BUILD: dict[str, object] = {
    "status": "completed",
    "data_model": {"entities": [{"name": "hive", "plural": "Hives", "attributes": []}]},
    "commands": {"start": "python -m bee_hive_log"},
}


def _launch(text: str, folder: Path, build: dict[str, object] | None = None) -> tuple[LaunchCrew.Output, FakeContext]:
    context = FakeContext(text, folder, earlier={"build": build} if build else None)
    return LaunchCrew().run(context), context


def test_the_timeline_runs_from_two_weeks_before_to_two_weeks_after(tmp_path: Path) -> None:
    for text in example_texts().values():
        output, _ = _launch(text, tmp_path)
        days = [entry.day for entry in output.timeline]
        assert days == sorted(days)
        assert (days[0], days[-1]) == (-14, 14)
        assert 0 in days


def test_kinds_of_products_have_days_of_their_own(tmp_path: Path) -> None:
    device, _ = _launch(example_texts()["plant_moisture_sensor"], tmp_path)
    market, _ = _launch(example_texts()["tool_lending"], tmp_path)
    assert any("devices" in entry.what for entry in device.timeline)
    assert any("one side" in entry.what for entry in market.timeline)


def test_the_ideas_own_target_is_the_first_measure(tmp_path: Path) -> None:
    output, _ = _launch(example_texts()["bee_hive_log"], tmp_path)
    first = output.success_metrics[0]
    assert first.sentence == "It works if ten people still log inspections after eight weeks."
    assert first.target == "ten people"


def test_five_documents_are_written_in_markdown(tmp_path: Path) -> None:
    output, context = _launch(example_texts()["bee_hive_log"], tmp_path)
    assert output.ready
    assert len(output.files) == 5
    assert all(context.artifacts.text(path).startswith("# ") for path in output.files)


def test_what_was_built_is_what_the_notes_and_the_way_back_speak_of(tmp_path: Path) -> None:
    output, _ = _launch(example_texts()["bee_hive_log"], tmp_path, BUILD)
    assert "Add, list, change and delete Hives." in output.release_notes
    assert any("`python -m bee_hive_log`" in step.detail for step in output.rollback_plan)
    assert next(check for check in output.checklist if check.what == "The product is built").done


def test_a_failed_build_is_not_launched(tmp_path: Path) -> None:
    output, context = _launch(example_texts()["bee_hive_log"], tmp_path, {"status": "failed"})
    assert not output.ready
    assert "build failed" in output.reason
    assert context.artifacts.files == {}


def test_personal_data_puts_a_privacy_notice_on_the_list(tmp_path: Path) -> None:
    output, _ = _launch(example_texts()["invoice_reminder"], tmp_path)
    assert any("privacy notice" in check.what for check in output.checklist)
