"""Decides how a report is written: REPORT.md and report.html from templates, run.json from everything there is."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import cache
from importlib.metadata import version
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup, escape

from zts_core.audit import AuditTrail
from zts_producer.journal import written
from zts_producer.outcomes import exit_code
from zts_producer.report.build import built_commands, built_summary
from zts_producer.report.charts import charts
from zts_producer.report.gather import Report
from zts_producer.times import clock, duration, moment
from zts_producer.view import NodeStatus, record_json

SCHEMA_VERSION = 1
"""Of run.json: raised when a field changes its meaning or goes; new fields do not raise it."""

UNSAID = {"mode", "not_judged", "files"}
"""Fields of an output that the report tells elsewhere: in the steps, in what was not judged, among the files."""
MOST_ITEMS = 30
"""Items of a list that REPORT.md shows; run.json has them all."""
MOST_COLUMNS = 6
"""Columns of a table that can still be read; what has more is shown entry by entry."""

TONES = {
    NodeStatus.DONE: "good",
    NodeStatus.FAILED: "bad",
    NodeStatus.REJECTED: "bad",
    NodeStatus.ESCALATED: "turn",
    NodeStatus.CANCELLED: "turn",
    NodeStatus.SKIPPED: "unseen",
    NodeStatus.RUNNING: "busy",
    NodeStatus.RETRYING: "busy",
    NodeStatus.QUEUED: "busy",
    NodeStatus.WAITING: "busy",
    NodeStatus.PENDING: "unseen",
    NodeStatus.NOT_REACHED: "unseen",
}


def report_files(report: Report) -> dict[str, str]:
    """The files of a report by their name."""
    facts = {
        "report": report,
        "record": report.record,
        "state": report.record.outcome or report.record.status,
        "tone": _tone(report),
        "built": built_summary(report.outputs),
        "commands": built_commands(report.outputs),
        "charts": charts(report.view, report.plan, report.ledger),
        "version": version("zerotoship"),
    }
    return {
        "REPORT.md": _templates().get_template("report.md.j2").render(facts),
        "report.html": _templates().get_template("report.html.j2").render(facts),
        "run.json": json.dumps(run_json(report), indent=2, ensure_ascii=False) + "\n",
        "run.log": written(report.log),
    }


def run_json(report: Report) -> dict[str, Any]:
    """Everything about a run as plain JSON data."""
    view = report.view.to_json()
    steps, tree, route = view.pop("steps"), view.pop("tree"), view.pop("route")
    return {
        "schema_version": SCHEMA_VERSION,
        "zerotoship_version": version("zerotoship"),
        "run": record_json(report.record),
        "idea": report.idea,
        "route": route,
        "steps": steps,
        "tree": tree,
        "ledger": [asdict(entry) for entry in report.ledger],
        "outputs": report.outputs,
        "results": {
            str(seq): {
                "namespace": result.namespace,
                "output": result.output,
                "artifacts": {path: {"sha256": kept[0], "size": kept[1]} for path, kept in result.artifacts.items()},
            }
            for seq, result in report.results.items()
        },
        "not_judged": report.not_judged,
        "files": [asdict(file) for file in report.files],
        **({"audit": _seal(report.audit)} if report.audit.chain else {}),
        "workflow": json.loads(report.plan.to_json()),
    }


def _seal(trail: AuditTrail) -> dict[str, Any]:
    """What proves later that the history is still this one, to whoever kept it."""
    return {"lines": len(trail.lines), "sha256": trail.seal(len(trail.lines))}


def _tone(report: Report) -> str:
    if report.record.outcome is None:
        return "busy"
    code = exit_code(report.record.outcome)
    return "good" if code == 0 else "bad" if code in (3, 5) else "turn"


@cache
def _templates() -> Environment:
    environment = Environment(
        loader=PackageLoader("zts_producer.report"),
        autoescape=select_autoescape(("html.j2",)),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {
        "md": markdown_text,
        "fence": fenced,
        "duration": duration,
        "moment": moment,
        "clock": clock,
        "kind": kind_of,
        "columns": columns_of,
        "headline": headline,
        "plain": plain,
        "label": lambda name: str(name).replace("_", " "),
        "size": size,
        "pretty": pretty,
    }
    environment.globals |= {"tones": TONES, "unsaid": UNSAID, "most": MOST_ITEMS}
    return environment


def markdown_text(text: object) -> str:
    """Text on one line in which nothing is Markdown or HTML."""
    return re.sub(r"([\\`*\[\]<>|~#])", r"\\\1", " ".join(str(text).split()))


def fenced(text: str, language: str = "") -> str:
    """Text in a fence longer than any it holds."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{text.rstrip()}\n{fence}"


def kind_of(value: object) -> str:
    """How a value is shown: mapping, list, text, and mappings in a list as a table or, where they are large, cards."""
    if isinstance(value, Mapping):
        return "mapping" if value else "text"
    if not isinstance(value, list | tuple) or not value:
        return "text"
    if not all(isinstance(item, Mapping) for item in value):
        return "list"
    large = any(isinstance(cell, Mapping | list | tuple) for row in value for cell in row.values())
    return "cards" if large or len(columns_of(value)) > MOST_COLUMNS else "table"


def headline(row: Mapping[str, Any]) -> str:
    """What a mapping is called: its title or name, or its first text."""
    texts = [str(value) for value in row.values() if isinstance(value, str) and value]
    return str(row.get("title") or row.get("name") or next(iter(texts), "entry"))


def columns_of(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """The keys of a list of mappings, in the order in which they appear."""
    return list(dict.fromkeys(key for row in rows for key in row))


def plain(value: object, limit: int = 0) -> str:
    """A value as short text: lists joined, mappings as `key: value`; cut to `limit` characters."""
    if isinstance(value, bool):
        text = "yes" if value else "no"
    elif value is None or value in ("", [], {}, ()):
        text = "–"
    elif isinstance(value, Mapping):
        text = "; ".join(f"{str(key).replace('_', ' ')}: {plain(inner)}" for key, inner in value.items())
    elif isinstance(value, list | tuple):
        text = ", ".join(plain(item) for item in value)
    else:
        text = str(value)
    return text if not limit or len(text) <= limit else text[: limit - 1] + "…"


def pretty(value: object) -> Markup:
    """A value as indented JSON, safe in HTML."""
    return escape(json.dumps(value, indent=2, ensure_ascii=False, default=str))


def size(count: int) -> str:
    """Bytes, for people."""
    if count < 1000:
        return f"{count} B"
    return f"{count / 1000:.1f} kB" if count < 1_000_000 else f"{count / 1_000_000:.1f} MB"
