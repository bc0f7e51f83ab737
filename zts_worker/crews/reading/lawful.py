"""Decides which sentences of an idea describe something illegal, and which only speak of it to prevent it."""

from __future__ import annotations

from zts_worker.crews.reading.signs import signs

_UNLAWFUL = signs(r"""cocaine|heroin|crystal meth|methamphetamine|fentanyl|illegal drugs?|drug dealers?|
    stolen (?:\w+ ){0,2}(?:goods|cards?|credit|passwords?|accounts?|identit\w+|phones?|bikes?|data|credentials)|
    credit card numbers? (?:from|of) (?:others|victims|strangers)|card skimm\w+|
    counterfeit\w*|fake (?:ids?|passports?|reviews?|diplomas?|degrees?|prescriptions?|documents?|money|invoices?)|
    without (?:a |an |any )?prescriptions?|forged? (?:documents?|passports?|signatures?|prescriptions?)|
    launder\w* (?:\w+ )?money|money launder\w+|
    ransomware|malware|spyware|keyloggers?|botnets?|phishing|ddos|hack(?:s|ing)? into|
    break(?:s|ing)? into (?:houses|homes|cars|accounts|phones)|
    (?:insider trading)|ponzi|pyramid schemes?|tax evasion|evad\w+ tax\w*|brib\w+|blackmail\w*|extort\w+|
    (?:child|minors?) (?:porn\w*|abuse material)|child labou?r|deepfake (?:porn\w*|nudes?)|revenge porn|
    human trafficking|traffick\w+|hit ?man|contract killing|assassinat\w+|
    (?:build|make|sell|3d-print\w*|print) (?:\w+ ){0,2}(?:bombs?|explosives?|guns?|firearms?|weapons?)|
    unlicensed (?:firearms?|weapons?|guns?)|ghost guns?|
    pirated|piracy of|crack(?:ed)? (?:software|licen[sc]es?)|
    (?:secretly|covertly) (?:track\w*|record\w*|spy\w*|film\w*|monitor\w*|read\w*)|
    without (?:their|her|his) (?:knowledge|consent)|
    spy(?:ing)? on (?:\w+ ){0,2}(?:wife|husband|partner|girlfriend|boyfriend|ex)|
    unlicensed (?:gambling|casino)|illegal\w*|rig(?:ging)? (?:an |the )?elections?|match-fixing|
    kokain|drogenhandel|geldwäsche|gestohlene\w*|gefälschte\w*|cocaína|lavado de dinero|dinero falso|
    robad[oa]s|cocaïne|blanchiment|volées?|faux papiers""")
_AGAINST = signs(r"""detect\w*|prevent\w*|protect\w*|avoid\w*|stop\w*|against|block\w*|report\w*|recover\w*|spot\w*|
    recogni[sz]\w*|fight\w*|warn\w*|defend\w*|combat\w*|anti-?\w*|awareness|compliance|never|victims?|flag\w*|
    identify\w*|identif\w+|remov\w*|not|no|without being|filter\w*|trac(?:e|ing)|educat\w*|explain\w*|refus\w*|
    forbid\w*|ban(?:s|ned)?|insur\w*|museum|history of|novel|fiction\w*|game|player|schützen|verhindern|
    prevenir|evitar|éviter|prévenir""")
_AVOIDING_THE_LAW = signs(r"""police (?:cannot|can't|will not|won't|never)|without (?:getting|being) caught|
    untraceable|
    dark ?(?:net|web) (?:market|shop)\w*|no questions asked|authorities (?:cannot|can't)""")


def unlawful_sentences(sentences: tuple[str, ...]) -> tuple[str, ...]:
    """Sentences that plan something illegal; at most 20. A list of words judges this, not a lawyer."""
    found = [s for s in sentences if _AVOIDING_THE_LAW.search(s) or (_UNLAWFUL.search(s) and not _is_against(s))]
    return tuple(found[:20])


def _is_against(sentence: str) -> bool:
    """True where the sentence speaks of the crime to hinder, report or depict it."""
    rest = _UNLAWFUL.without(sentence)
    return bool(_AGAINST.search(rest))
