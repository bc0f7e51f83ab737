"""Decides how a product is presented: positioning, landing page, posts and e-mails, all in the idea's own words."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from zts_core.crew import Models, StepContext
from zts_worker.crews import marketing_copy as copy
from zts_worker.crews.markdown import plain
from zts_worker.crews.marketing_palette import Motif, look_of
from zts_worker.crews.output import Answer, CrewOutput
from zts_worker.crews.reading import IdeaReading, read_idea
from zts_worker.crews.safeguards import Care, care_of

LANDING_PAGE, POSTS, LETTERS = "landing/index.html", "launch/posts.md", "launch/emails.md"
_TEMPLATES = Path(__file__).parent / "templates" / "marketing"
_ADDRESS = re.compile(r"[^@\s<>\"'%?&]{1,64}@[\w.-]{1,190}")
_WORDS = {
    "skip": "Skip to the content", "sections": "Sections of this page", "how": "How it works", "join": "Join",
    "data": "Your data", "why": "Why", "instead": "What it replaces", "write": "Write to us",
    "no_price": "There is no price yet; the first users help to find it.", "footer": "No cookies, no tracking.",
}  # fmt: skip
NOT_JUDGED = (
    "Whether the words move anybody: show the page to five of the named users.",
    "Whether the name is free as a trade mark or domain.",
)


class Post(Answer):
    """A post, its kind of channel and its text (plain)."""

    channel: str
    text: str


class Email(Answer):
    """An e-mail of the sequence: sent `day` days after sign-up."""

    day: Annotated[int, Field(ge=0, le=365)]
    subject: str
    body: str


class MarketingCrew:
    """Presents the product."""

    name: ClassVar[str] = "MarketingCrew"
    namespace: ClassVar[str] = "marketing"
    team: ClassVar[str] = "zts_worker.crews.marketing_team:TEAM"

    class Output(CrewOutput):
        """What is said about the product, and the files that say it."""

        ready: bool = Field(description="There is something lawful and concrete to present, and all files are written.")
        reason: str
        positioning: str
        value_proposition: str
        audience: list[str]
        landing_page: str = Field(description="Path of the page among the files; empty where none was written.")
        look: Motif | Literal["none"] = Field(description="Motif of the page.")
        posts: list[Post]
        emails: list[Email]
        files: list[str]

    def run(self, context: StepContext) -> MarketingCrew.Output:
        """Write the landing page, the posts and the e-mails."""
        reading = read_idea(context.idea)
        if reading.unlawful or not (reading.entities or context.models):
            reason = "What is illegal is not advertised." if reading.unlawful else "The text names nothing to present."
            return _not_ready(reason, reading)
        context.say(f"landing page for {copy.product_name(reading)}")
        if context.models is not None:
            return _by_team(context.models, context, reading)
        page, motif = landing_page(reading, care_of(reading), contact=str(context.values.get("contact", "")))
        context.artifacts.write_text(LANDING_PAGE, page)
        context.check()
        posts, letters = copy.posts(reading), copy.letters(reading)
        context.artifacts.write_text(POSTS, _posts_text(reading, posts))
        context.artifacts.write_text(LETTERS, _letters_text(reading, letters))
        return MarketingCrew.Output(
            mode="offline",
            not_judged=[*reading.not_judged, *NOT_JUDGED],
            ready=True,
            reason=f"Landing page, {len(posts)} posts and {len(letters)} e-mails are written.",
            positioning=copy.positioning(reading),
            value_proposition=copy.value_proposition(reading),
            audience=list(reading.audience),
            landing_page=LANDING_PAGE,
            look=motif,
            posts=[Post(channel=channel, text=text) for channel, text in posts.items()],
            emails=[Email(day=letter.day, subject=letter.subject, body=letter.body) for letter in letters],
            files=[LANDING_PAGE, POSTS, LETTERS],
        )


def _by_team(models: Models, context: StepContext, reading: IdeaReading) -> MarketingCrew.Output:
    """The agents' words on the same page and in the same files."""
    from zts_worker.crews.marketing_team import by_team
    from zts_worker.crews.team import NOT_CHECKED

    position, words = by_team(models, context)
    contact = str(context.values.get("contact", ""))
    page, motif = landing_page(reading, care_of(reading), contact=contact, proposition=position.value_proposition)
    posts = {said.channel: said.text for said in words.posts}
    letters = [copy.Letter(letter.day, letter.subject, letter.body) for letter in words.emails]
    context.artifacts.write_text(LANDING_PAGE, page)
    context.artifacts.write_text(POSTS, _posts_text(reading, posts))
    context.artifacts.write_text(LETTERS, _letters_text(reading, letters))
    return MarketingCrew.Output(
        mode="model",
        not_judged=[*NOT_JUDGED, NOT_CHECKED],
        ready=True,
        reason=f"Landing page, {len(posts)} posts and {len(letters)} e-mails are written.",
        positioning=position.positioning,
        value_proposition=position.value_proposition,
        audience=position.audience,
        landing_page=LANDING_PAGE,
        look=motif,
        posts=[Post(channel=channel, text=text) for channel, text in posts.items()],
        emails=[Email(day=letter.day, subject=letter.subject, body=letter.body) for letter in letters],
        files=[LANDING_PAGE, POSTS, LETTERS],
    )


def landing_page(reading: IdeaReading, care: Care, *, contact: str = "", proposition: str = "") -> tuple[str, Motif]:
    """The page as HTML, everything from outside escaped, and the motif drawn; a bad `contact` is left out.

    Without a `proposition` the idea's own words stand at the top.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    look = look_of(f"{reading.title}\n{reading.slug}")
    proposition = proposition or copy.value_proposition(reading)
    page = environment.get_template("landing.html.j2").render(
        language="en" if reading.language == "und" else reading.language,
        title=copy.product_name(reading),
        description=copy.shortened(proposition, 155),
        proposition=proposition,
        problem=reading.problem,
        steps=copy.steps(reading),
        alternatives=reading.alternatives,
        promises=copy.promises(care),
        prices=reading.monetisation[:3],
        contact=contact if _ADDRESS.fullmatch(contact) else "",
        drawing_title=f"An abstract drawing of {look.motif}",
        look=look,
        words=_WORDS,
    )
    return page, look.motif


def _posts_text(reading: IdeaReading, posts: dict[str, str]) -> str:
    parts = [f"# Launch posts for {plain(copy.product_name(reading))}"]
    parts += [f"## {channel}\n\n{plain(text)}" for channel, text in posts.items()]
    return "\n\n".join(parts) + "\n"


def _letters_text(reading: IdeaReading, letters: list[copy.Letter]) -> str:
    parts = [f"# E-mails for {plain(copy.product_name(reading))}"]
    parts += [f"## Day {letter.day}: {plain(letter.subject)}\n\n{plain(letter.body)}" for letter in letters]
    return "\n\n".join(parts) + "\n"


def _not_ready(reason: str, reading: IdeaReading) -> MarketingCrew.Output:
    return MarketingCrew.Output(
        mode="offline",
        not_judged=list(reading.not_judged),
        ready=False,
        reason=reason,
        positioning="",
        value_proposition="",
        audience=list(reading.audience),
        landing_page="",
        look="none",
        posts=[],
        emails=[],
        files=[],
    )
