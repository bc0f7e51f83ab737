"""Decides what in an idea needs care (personal data, health, payments, ...) and which safeguards its text promises."""

from __future__ import annotations

import re
from dataclasses import dataclass

from zts_worker.crews.reading import IdeaReading
from zts_worker.crews.reading.signs import Signs, signs

_NEEDS = {
    "accounts": signs(r"""sign(?:s|ed)? (?:in|up)|log(?:s|ged)? in|logins?|accounts?|user ?names?|profiles?|
    members? join"""),
    "contact data": signs(r"""e-?mail address(?:es)?|contact e-?mails?|phone numbers?|home address(?:es)?|
    postal address(?:es)?"""),
    "health data": signs(r"""patients?|diagnos\w+|medications?|symptoms?|therap\w+|medical (?:record|histor)\w*|
        blood (?:pressure|sugar)|mental health|pregnan\w+|prescriptions?|doctors?|health records?|doses?"""),
    "children": signs(r"child|children|kids?|minors|pupils?|teenagers?|schoolchildren"),
    "payments": signs(r"""payments?|credit cards?|card numbers?|pays? (?:online|by card|in the app)|checkout|
    bank accounts?"""),
    "whereabouts": signs(r"""gps|live location|location tracking|track (?:their|your|the) (?:location|position)|
    whereabouts"""),
    "pictures of people": signs(r"""face recognition|faces|selfies|video calls?|photos? of (?:people|children|
    patients|faces)"""),
    "radio link": signs(r"bluetooth(?: low energy)?|ble|wi-?fi|lora(?:wan)?|zigbee|radio|nfc"),
}  # fmt: skip
_PROMISES = {
    "consent": signs(r"""consents?|consented|agree(?:s|d)? to|opt[- ]?in|permission|approves? before"""),
    "deletion": signs(r"""delet(?:e|es|ed|ion)|eras(?:e|ed|ure)|remove their (?:data|account)|forgotten"""),
    "export": signs(r"export(?:s|ed)?|download their|portab\w+|copy of their data"),
    "encryption": signs(r"encrypt\w*|tls|https|end-to-end|hashed"),
    "access control": signs(r"""sign(?:s|ed)? in|log(?:s|ged)? in|logins?|only (?:their|his|her|its) own|roles?|
    two-factor|
        permissions?|access (?:rights|control)|see only|sees only|only (?:the )?(?:owner|staff|members|doctors?)|
        account belongs|api keys?|authenticat\w+"""),
    "purpose": signs(r"""this purpose only|only for (?:this|that|the) purpose|used only (?:for|to)|never sold|
    not sold|nothing else"""),
    "data minimum": signs(r"""only the first name|nickname|no account|no personal data|anonym\w+|pseudonym\w*|
    as little data|
        never enter|no names?|do(?:es)? not (?:need|ask for|collect)"""),
    "retention": signs(r"""(?:deleted|removed|erased|kept for|anonymi[sz]ed) (?:\w+ ){0,3}after|after \w+ (?:days|
    weeks|months|years)|
        retention|as the law requires"""),
    "audit log": signs(r"""audit (?:log|trail)|logs? every (?:access|change)|every change is (?:kept|logged|
    recorded)|traceable"""),
    "payment provider": signs(r"""stripe|paypal|mollie|adyen|payment provider|never (?:store|see) card|no payments?|
        not (?:handle|store|process) payments?"""),
    "local only": signs(r"""stays? on (?:the|their|your)|no cloud|local only|never leaves? the|on[- ]device|
    our own server"""),
    "backup": signs(r"back(?:ed)?[- ]?ups?|restored?"),
    "breach notice": signs(r"""breach\w*|incident (?:response|plan)|notify (?:users|members|patients) (?:of|about|
    when)"""),
}  # fmt: skip
_DENIAL = re.compile(r"\b(?:no|not|never|without|nor|neither|isn't|don't|doesn't)\b(?:[^.;:]{0,40})$", re.I)


@dataclass(frozen=True, slots=True)
class Care:
    """What needs care and what is promised, each with the sentence that says so ("" where the data model does)."""

    needs: dict[str, str]
    promises: dict[str, str]

    @property
    def has_personal_data(self) -> bool:
        """True where people can be told from the data kept."""
        return bool(set(self.needs) - {"radio link"})

    @property
    def is_sensitive(self) -> bool:
        """True for health, children, whereabouts and pictures: data whose misuse harms most."""
        return bool(set(self.needs) & {"health data", "children", "whereabouts", "pictures of people"})


def care_of(reading: IdeaReading) -> Care:
    """Scan the idea's sentences and the personal attributes of its entities."""
    needs = {name: s for name, sign in _NEEDS.items() if (s := first_sentence(sign, reading.sentences, affirmed=True))}
    promises = {
        name: s for name, sign in _PROMISES.items() if (s := first_sentence(sign, reading.sentences, affirmed=False))
    }
    if any(attribute.personal for entity in reading.entities for attribute in entity.attributes):
        needs.setdefault("contact data", "")
    return Care(needs, promises)


def missing_for_compliance(care: Care) -> list[str]:
    """Promises that personal data asks for (after GDPR articles 5, 6, 9, 17 and 32) and the text does not make."""
    if not care.has_personal_data:
        return []
    missing = [] if "deletion" in care.promises else ["deletion of a person's data"]
    if not {"consent", "purpose", "data minimum"} & set(care.promises):
        missing.append("consent, a bound purpose or as little data as possible")
    if care.is_sensitive:
        missing += [promise for promise in ("consent", "encryption") if promise not in care.promises]
    return missing


def missing_for_security(care: Care) -> list[str]:
    """Protections that what the product handles asks for and the text does not promise."""
    missing = []
    promised = set(care.promises)
    if care.has_personal_data and "access control" not in promised:
        missing.append("who may see which data")
    if "payments" in care.needs and "payment provider" not in promised:
        missing.append("a payment provider, so that card data never reaches the product")
    if care.is_sensitive and not {"encryption", "local only"} & promised:
        missing.append("encryption of sensitive data")
    if "radio link" in care.needs and "encryption" not in promised:
        missing.append("encryption of the radio link")
    return missing


def first_sentence(sign: Signs, sentences: tuple[str, ...], *, affirmed: bool) -> str:
    """The first sentence that shows the sign; with `affirmed`, only where the sentence does not deny it."""
    for sentence in sentences:
        for match in sign.finditer(sentence):
            if not (affirmed and _DENIAL.search(sentence[: match.start()])):
                return sentence
    return ""
