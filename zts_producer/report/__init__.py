"""What a run leaves: the folder with its report, everything it knows as JSON, and the crews' files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from zts_producer.client import Client

__all__ = ["export_run"]


def export_run(client: Client, run_id: str, out: Path | str = "") -> Path:
    """Write `<out>/<slug>-<id>` and return it; without `out` where the submit said. Raises OutputFolderTaken."""
    from zts_producer.naming import folder_name
    from zts_producer.report.folder import write_folder
    from zts_producer.report.gather import gather
    from zts_producer.report.render import report_files
    from zts_producer.submission import check_out

    report = gather(client, run_id)
    record = report.view.record
    parent = check_out(out or record.out)
    return write_folder(
        parent / folder_name(record.title, run_id),
        reports=report_files(report),
        files=report.files,
        read=lambda file: client.services.artifacts.get(run_id, file.sha256),
    )
