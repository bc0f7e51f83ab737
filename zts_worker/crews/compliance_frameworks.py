"""Decides what GDPR, CCPA, SOC 2 and HIPAA ask of a product, and by which promise or built ability each is met."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from zts_worker.crews.safeguards import Care

Applies = Callable[[Care], bool]


def _personal(care: Care) -> bool:
    return care.has_personal_data


def _sensitive(care: Care) -> bool:
    return care.is_sensitive


def _children(care: Care) -> bool:
    return "children" in care.needs


def _health(care: Care) -> bool:
    return "health data" in care.needs


def _always(_care: Care) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Requirement:
    """One thing asked. Each group in `met_by` needs one of its promises or abilities; no group means that only a
    person can judge it. `article` is where it is written."""

    article: str
    title: str
    applies: Applies
    met_by: tuple[frozenset[str], ...]
    cure: str


@dataclass(frozen=True, slots=True)
class Framework:
    """A named set of requirements, and for which products it is asked at all."""

    name: str
    title: str
    applies: Applies
    why_not: str
    requirements: tuple[Requirement, ...]


def _any_of(*names: str) -> frozenset[str]:
    return frozenset(names)


GDPR = Framework(
    "GDPR", "General Data Protection Regulation (EU) 2016/679", _personal, "No personal data was found.",
    (
        Requirement("Art. 5(1)(b)", "Data is used for a bound purpose", _personal, (_any_of("purpose", "consent"),),
                    "Say in one sentence what the data is used for, and for nothing else."),
        Requirement("Art. 5(1)(c)", "As little data as possible", _personal, (_any_of("data minimum",
                    "few personal fields"),),
                    "Drop every personal field without which the product still works."),
        Requirement("Art. 5(1)(e)", "Data is not kept for ever", _personal, (_any_of("retention", "deletion"),),
                    "Say after which time data is deleted."),
        Requirement("Art. 6, 7", "There is a lawful basis", _personal, (_any_of("consent", "purpose"),),
                    "Ask for consent, or name the contract that needs the data."),
        Requirement("Art. 8", "Parents consent for children", _children, (_any_of("consent"),),
                    "Let a parent agree before a child's data is stored."),
        Requirement("Art. 9", "Special data is kept by consent and encrypted", _health,
                    (_any_of("consent"), _any_of("encryption")), "Ask for explicit consent and encrypt."),
        Requirement("Art. 15, 20", "People get a copy of their data", _personal, (_any_of("export"),),
                    "Offer an export of everything kept about a person."),
        Requirement("Art. 17", "People can have their data erased", _personal, (_any_of("deletion"),),
                    "Offer deletion of a person with everything that belongs to them."),
        Requirement("Art. 32", "Access is controlled", _personal, (_any_of("access control"),),
                    "Let people sign in and see only what is theirs."),
        Requirement("Art. 32", "Sensitive data is encrypted", _sensitive, (_any_of("encryption", "local only"),),
                    "Encrypt on the way and at rest."),
        Requirement("Art. 13", "A privacy notice names controller and rights", _personal, (),
                    "Complete the draft below."),
        Requirement("Art. 33", "A breach is reported within 72 hours", _personal, (), "Name who reports, and to whom."),
    ),
)  # fmt: skip

CCPA = Framework(
    "CCPA", "California Consumer Privacy Act, Cal. Civ. Code 1798.100 ff.", _personal, "No personal data was found.",
    (
        Requirement("1798.110", "People can know what is kept", _personal, (_any_of("export"),), "Offer an export."),
        Requirement("1798.105", "People can have it deleted", _personal, (_any_of("deletion"),), "Offer deletion."),
        Requirement("1798.120", "No sale, or a way out of it", _personal, (_any_of("no sale"),),
                    "Say that data is not sold, or add “do not sell my data”."),
        Requirement("1798.100(e)", "Reasonable security", _personal, (_any_of("access control"),),
                    "Let people sign in and see only what is theirs."),
        Requirement("1798.100(a)", "A notice at collection", _personal, (), "Show the notice where data is entered."),
        Requirement("1798.185", "Thresholds: revenue or number of consumers", _personal, (),
                    "Check whether the business is large enough to be covered."),
    ),
)  # fmt: skip

SOC2 = Framework(
    "SOC2", "SOC 2, AICPA Trust Services Criteria 2017 (rev. 2022)", _always, "",
    (
        Requirement("CC6.1", "Access is controlled", _always, (_any_of("access control", "local only"),),
                    "Let people sign in; give rights by role."),
        Requirement("CC6.7", "Data is protected on its way and at rest", _always, (_any_of("encryption"),),
                    "Encrypt transport and storage."),
        Requirement("CC7.2", "What happens is recorded", _always, (_any_of("audit log"),),
                    "Keep an audit log of changes."),
        Requirement("CC8.1", "Changes are tested", _always, (_any_of("tests"),), "Run the tests on every change."),
        Requirement("A1.2", "Data can be restored", _always, (_any_of("backup"),), "Back up daily and restore once."),
        Requirement("CC7.4", "Incidents have a response", _always, (), "Write down who does what."),
        Requirement("CC1.4", "People are trained and vetted", _always, (), "An auditor asks for records of it."),
    ),
)  # fmt: skip

HIPAA = Framework(
    "HIPAA", "HIPAA Security and Breach Notification Rules, 45 CFR 164", _health, "No health data was found.",
    (
        Requirement("164.312(a)", "Access control with unique users", _health, (_any_of("access control"),),
                    "One account per person; rights by role."),
        Requirement("164.312(b)", "Audit controls", _health, (_any_of("audit log"),),
                    "Record who read and changed what."),
        Requirement("164.312(e)", "Transmission security", _health, (_any_of("encryption"),), "Encrypt transport."),
        Requirement("164.308(a)(7)", "Contingency plan", _health, (_any_of("backup"),), "Back up and restore once."),
        Requirement("164.502(b)", "Minimum necessary", _health, (_any_of("data minimum", "few personal fields"),),
                    "Show each role only the fields it needs."),
        Requirement("164.404", "Notice of a breach within 60 days", _health, (), "Name who notifies whom."),
        Requirement("164.504(e)", "Business associate agreements", _health, (),
                    "Sign one with every host and service."),
    ),
)  # fmt: skip

FRAMEWORKS: dict[str, Framework] = {framework.name: framework for framework in (GDPR, CCPA, SOC2, HIPAA)}
"""By the name that workflows use in `metadata.compliance`, without spaces and in capitals."""


def framework_named(name: str) -> Framework | None:
    """The framework of this name, however it is written: `SOC 2`, `soc-2` and `SOC2` are the same."""
    return FRAMEWORKS.get("".join(character for character in name.upper() if character.isalnum()))
