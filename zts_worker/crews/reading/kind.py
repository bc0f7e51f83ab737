"""Decides what kind of product an idea is: the kind whose words it uses most."""

from __future__ import annotations

from zts_worker.crews.reading.model import IdeaKind
from zts_worker.crews.reading.signs import Signs, signs

_SIGNS: tuple[tuple[IdeaKind, float, Signs], ...] = (
    ("hardware", 2.0, signs(r"""micro-?controllers?|arduino|esp32\S*|esp8266|raspberry pi|pcbs?|firmware|solder\w*|
        gpio|lora(?:wan)?|bluetooth low energy|ble|3d-printed|circuit boards?|wearable|batter(?:y|ies)|
        battery-powered|embedded device|robots?|drones?|actuators?|servos?|hardware|breadboard|mikrocontroller|
        microcontrolador""")),
    ("hardware", 1.0, signs(r"""sensors?|devices?|leds?|motors?|enclosure|voltage|radio|gadget|buzzer|
        water pumps?|relays?|usb[- ](?:powered|rechargeable)|sensoren|
        sensores""")),
    ("mobile", 3.0, signs(r"mobile apps?|phone apps?|smartphone apps?|iphone|ios|android|app store|play store|"
                           "push notifications?|handy-?app|app móvil|application mobile")),
    ("mobile", 1.0, signs(r"smartphones?|(?<!over the )(?<!by )phones?|apps?|camera|gps|swipes?|handy")),
    ("game", 3.0, signs(r"""video games?|board games?|card games?|multiplayer|high-?scores?|boss fights?|gameplay|
        platformer|puzzle games?|role-playing|roguelike|dungeons?|videospiel|videojuego|jeu vidéo|game""")),
    ("game", 0.5, signs(r"""players?|levels?|enem(?:y|ies)|quests?|puzzles?|jump|lives|opponents?|spieler""")),
    ("marketplace", 4.0, signs(r"""market-?places?|two-sided|buyers and sellers|peer-to-peer|marktplatz|
        mercado en línea|place de marché""")),
    ("marketplace", 1.0, signs(r"""sellers?|buyers?|lend(?:er|ers|s)?|borrow(?:er|ers|s)?|rent out|commission|
    listings?|
        connects? \w+ (?:with|to|and)|second-?hand|swap|hosts? and guests|deposits?""")),
    ("internal_tool", 4.0, signs(r"""internal (?:tool|app|system|dashboard|site)s?|back office|intranet|
        our (?:own )?(?:employees|staff|warehouse|back office|office managers?|colleagues|sales team|support team)|
        internes werkzeug|herramienta interna|outil interne""")),
    ("internal_tool", 1.0, signs(r"employees|office manager|human resources|hr|onboarding|our company|company login|"
                                  "colleagues|our team|department|audit log")),
    ("data", 3.0, signs(r"""data ?sets?|data pipelines?|open data|data warehouse|machine learning|forecasts?|
        time series|scrap(?:e|es|ing)|statistical|data analysis|anomal(?:y|ies)|analytics|datensatz""")),
    ("data", 1.0, signs(r"""dashboards?|predict\w*|statistics|charts?|csv|trends?|aggregat\w+|(?<!business )model|
        visuali[sz]\w+|maps?""")),
    ("api", 4.0, signs(r"apis?|rest api|sdk|webhooks?|graphql|developer platform")),
    ("api", 1.0, signs(r"""endpoints?|developers|json|api keys?|rate limit\w*|requests per second|
        client librar(?:y|ies)""")),
    ("web", 2.0, signs(r"""web ?sites?|web ?apps?|webseite|sitio web|site web|web application|
        online (?:tool|planner|platform)""")),
    ("web", 1.0, signs(r"browser|pages?|online|sign in|site|portals?|one platform")),
)  # fmt: skip
_MOST_OF_ONE_SIGN = 4


def kind_of(text: str) -> IdeaKind:
    """The kind with the highest weighted count of its words; "web" where none is used."""
    scores: dict[IdeaKind, float] = {"web": 0.5}
    for kind, weight, pattern in _SIGNS:
        found = min(_MOST_OF_ONE_SIGN, sum(1 for _ in pattern.finditer(text)))
        scores[kind] = scores.get(kind, 0.0) + weight * found
    return max(scores, key=lambda kind: scores[kind])
