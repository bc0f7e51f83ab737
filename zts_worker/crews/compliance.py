"""Decides, framework by framework, what the product must do about data, what it does, and what is missing."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from zts_core.crew import StepContext
from zts_worker.crews.compliance_evidence import PROMISE, PersonalField, evidence_of, personal_fields
from zts_worker.crews.compliance_frameworks import FRAMEWORKS, Framework, Requirement, framework_named
from zts_worker.crews.markdown import plain, table
from zts_worker.crews.marketing_copy import product_name
from zts_worker.crews.output import Answer, CrewOutput
from zts_worker.crews.reading import read_idea
from zts_worker.crews.safeguards import Care, care_of

Status = Literal["met", "promised", "missing", "not_judged", "not_applicable"]
"""Shown by what was built or by the data model; only said in the idea; neither; for a person; not asked here."""
NOT_JUDGED = (
    "What only people and contracts can show: training, agreements, notices, who answers for what.",
    "Whether a promise in the idea is kept once the product runs.",
    "This is no legal advice.",
)


class PersonalDatum(Answer):
    """A field of the data model that says something of a person, and whether the idea or the build has it."""

    entity: str
    attribute: str
    source: Literal["idea", "build"]


class RequirementResult(Answer):
    """One requirement: where it is written, what became of it, on which evidence, and what would cure it."""

    article: str
    title: str
    status: Status
    evidence: str
    cure: str


class FrameworkResult(Answer):
    """One framework; `passed` where nothing judged is missing, and where it does not apply."""

    name: str
    title: str
    applicable: bool
    passed: bool
    reason: str
    requirements: list[RequirementResult]


class ComplianceCrew:
    """Compares the product with the frameworks its workflow names."""

    name: ClassVar[str] = "ComplianceCrew"
    namespace: ClassVar[str] = "compliance"
    team: ClassVar[str] = "zts_worker.crews.compliance_team:TEAM"

    class Output(CrewOutput):
        """The comparison."""

        passed: bool = Field(description="Every framework named is known and has nothing missing.")
        reason: str
        personal_data: list[PersonalDatum]
        sensitive: list[str] = Field(description="Kinds of data and features that need care, as found in the idea.")
        frameworks: list[FrameworkResult]
        missing: list[str] = Field(description="`FRAMEWORK article: title` of everything missing.")
        concerns: list[str] = Field(
            default=[], description="What an auditor doubts; only with a model, decides nothing."
        )
        files: list[str]

    def run(self, context: StepContext) -> ComplianceCrew.Output:
        """Judge every framework of `metadata.compliance` (or of the value `frameworks`) and write its file."""
        reading = read_idea(context.idea)
        care = care_of(reading)
        fields = personal_fields(reading, context.earlier("build"))
        concerns: list[str] = []
        if context.models is not None:
            from zts_worker.crews.compliance_team import by_team

            fields, concerns = by_team(context.models, context, fields, _asked(context))
        care = _with_fields(care, fields)
        evidence = evidence_of(reading, care, fields, context.earlier_artifacts)
        results = []
        for name in _asked(context):
            context.check()
            results.append(judged(name, care, evidence))
        name = product_name(reading)
        files = {f"compliance/{_file_name(r.name)}.md": _document(name, r, fields) for r in results}
        for path, text in files.items():
            context.artifacts.write_text(path, text)
        output = _output(results, fields, care, files=list(files), unread=reading.not_judged)
        if context.models is not None:
            output = output.model_copy(update={"mode": "model", "concerns": concerns})
        context.say(output.reason)
        return output


def _asked(context: StepContext) -> list[str]:
    named = context.values.get("frameworks", context.metadata.get("compliance", []))
    names = [named] if isinstance(named, str) else named
    return list(dict.fromkeys(str(name)[:40] for name in names))[:20] if isinstance(names, list | tuple) else []


def _with_fields(care: Care, fields: list[PersonalField]) -> Care:
    """Personal fields of the build count even where the idea does not speak of them."""
    return Care({**care.needs, **({"contact data": ""} if fields else {})}, care.promises)


def judged(name: str, care: Care, evidence: dict[str, str]) -> FrameworkResult:
    """The framework of this name; an unknown one is not passed, because nobody looked."""
    framework = framework_named(name)
    if framework is None:
        return FrameworkResult(
            name=name,
            title=name,
            applicable=True,
            passed=False,
            reason=f"{name} is not known here; known are {', '.join(FRAMEWORKS)}.",
            requirements=[],
        )
    if not framework.applies(care):
        return _result(framework, [], applicable=False, reason=framework.why_not)
    results = [_judge(requirement, care, evidence) for requirement in framework.requirements]
    missing = [result for result in results if result.status == "missing"]
    counts = {status: sum(result.status == status for result in results) for status in ("promised", "not_judged")}
    reason = (
        f"{len(missing)} missing, {counts['promised']} only promised, {counts['not_judged']} for a person to judge."
    )
    return _result(framework, results, applicable=True, reason=reason)


def _result(
    framework: Framework, results: list[RequirementResult], *, applicable: bool, reason: str
) -> FrameworkResult:
    return FrameworkResult(
        name=framework.name,
        title=framework.title,
        applicable=applicable,
        passed=all(result.status != "missing" for result in results),
        reason=reason,
        requirements=results,
    )


def _judge(requirement: Requirement, care: Care, evidence: dict[str, str]) -> RequirementResult:
    status: Status = "met"
    shown: list[str] = []
    if not requirement.applies(care):
        status = "not_applicable"
    elif not requirement.met_by:
        status = "not_judged"
    for group in requirement.met_by if status == "met" else ():
        found = [evidence[name] for name in sorted(group) if name in evidence]
        # What was built is better evidence than what was promised.
        best = sorted(found, key=lambda line: line.startswith(PROMISE))[:1]
        shown += best
        status = _worse(status, "missing" if not best else "promised" if best[0].startswith(PROMISE) else "met")
    return RequirementResult(
        article=requirement.article,
        title=requirement.title,
        status=status,
        evidence="; ".join(shown),
        cure="" if status in ("met", "promised", "not_applicable") else requirement.cure,
    )


def _worse(one: Status, other: Status) -> Status:
    """Of two groups of evidence the weaker one counts."""
    order: tuple[Status, ...] = ("met", "promised", "missing")
    return max(one, other, key=lambda status: order.index(status) if status in order else 0)


def _output(
    results: list[FrameworkResult],
    fields: list[PersonalField],
    care: Care,
    *,
    files: list[str],
    unread: tuple[str, ...],
) -> ComplianceCrew.Output:
    missing = [f"{r.name} {q.article}: {q.title}" for r in results for q in r.requirements if q.status == "missing"]
    failed = [result.name for result in results if not result.passed]
    names = ", ".join(result.name for result in results)
    reason = f"Missing in {', '.join(failed)}: {len(missing)} points." if failed else f"Nothing is missing for {names}."
    return ComplianceCrew.Output(
        mode="offline",
        not_judged=[*unread, *NOT_JUDGED],
        passed=not failed,
        reason=reason if results else "The workflow names no framework.",
        personal_data=[PersonalDatum(entity=f.entity, attribute=f.attribute, source=f.source) for f in fields],
        sensitive=sorted(care.needs),
        frameworks=results,
        missing=missing,
        files=files,
    )


def _file_name(name: str) -> str:
    return "".join(character for character in name.lower() if character.isascii() and character.isalnum()) or "unnamed"


def _document(product: str, result: FrameworkResult, fields: list[PersonalField]) -> str:
    rows = [(q.article, q.title, q.status.replace("_", " "), q.evidence or q.cure) for q in result.requirements]
    parts = [
        f"# {plain(product)} and {plain(result.name)}",
        plain(result.title),
        f"**{'Passed' if result.passed else 'Not passed'}.** {plain(result.reason)}",
    ]
    if rows:
        parts.append(table(("Where", "What is asked", "State", "Evidence or cure"), rows))
    if fields and result.applicable:
        parts.append("## Personal data\n\n" + table(("Record", "Field", "Found in"), _field_rows(fields)))
    if result.name == "GDPR" and result.applicable:
        parts.append(_notice(product, fields))
    parts.append("## What was not judged\n\n" + "\n".join(f"- {line}" for line in NOT_JUDGED))
    return "\n\n".join(parts) + "\n"


def _field_rows(fields: list[PersonalField]) -> list[tuple[str, ...]]:
    return [(field.entity, field.attribute, field.source) for field in fields]


def _notice(product: str, fields: list[PersonalField]) -> str:
    """A draft privacy notice (Art. 13); what only the controller knows is left in angle brackets."""
    kept = ", ".join(sorted({field.attribute.replace("_", " ") for field in fields})) or "what you enter"
    return (
        "## Draft of a privacy notice\n\n"
        f"{plain(product)} is run by &lt;name and address&gt;. We keep {plain(kept)} to run {plain(product)} and for "
        "nothing else. The basis is &lt;your consent, or our contract with you&gt;. It is deleted &lt;when&gt;. "
        "You may ask for a copy, a correction or deletion at &lt;e-mail&gt;, and complain to &lt;authority&gt;."
    )
