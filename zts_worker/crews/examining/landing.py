"""Decides whether pages and plans are fit to be shown where no code was built: markup, access for all, substance."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

from zts_worker.crews.examining.findings import Finding
from zts_worker.crews.reading import IdeaReading

_VOID = frozenset(
    ["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"]
)
_OPTIONAL_END = frozenset(["p", "li", "dt", "dd", "option", "tr", "td", "th", "tbody", "thead", "html", "body", "head"])
_EMPTY: tuple[object, ...] = (None, "", [], {}, ())


@dataclass
class _Page(HTMLParser):
    """What a page's markup holds."""

    open_tags: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    tags: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    words: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag."""
        self.tags.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in _VOID:
            self.open_tags.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag that closes itself."""
        self.tags.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        """Match an end with its start."""
        while self.open_tags and self.open_tags[-1] != tag and self.open_tags[-1] in _OPTIONAL_END:
            self.open_tags.pop()
        if self.open_tags and self.open_tags[-1] == tag:
            self.open_tags.pop()
        elif tag not in _VOID:
            self.wrong.append(f"</{tag}> closes nothing that is open")

    def handle_data(self, data: str) -> None:
        """Keep the text."""
        self.words.append(data)


def page_findings(path: str, markup: str, reading: IdeaReading) -> Iterator[Finding]:
    """What is wrong with a landing page, each by the rule it breaks (HTML Living Standard, WCAG 2.2 level A)."""
    page = _Page()
    page.feed(markup)
    page.close()
    left_open = [tag for tag in page.open_tags if tag not in _OPTIONAL_END]
    troubles = [*page.wrong, *(f"<{tag}> is never closed" for tag in left_open), *_access(page)]
    if not _about(reading, " ".join(page.words).lower()):
        troubles.append("it names neither the idea nor any thing it is about")
    for told in troubles:
        yield Finding("landing_page", path, told, key=told)


def _access(page: _Page) -> Iterator[str]:
    names = [tag for tag, _ in page.tags]
    first = dict(reversed(page.tags))
    if not first.get("html", {}).get("lang"):
        yield "<html> has no lang"
    if "title" not in names:
        yield "there is no <title>"
    if names.count("h1") != 1:
        yield f"there are {names.count('h1')} <h1> headings instead of one"
    if not any(tag == "meta" and attributes.get("name") == "viewport" for tag, attributes in page.tags):
        yield "there is no viewport for small screens"
    if any(tag == "img" and "alt" not in attributes for tag, attributes in page.tags):
        yield "an <img> has no alt"
    if "main" not in names:
        yield "there is no <main>"
    yield from _unlabelled(page)
    targets = {attributes["id"] for _, attributes in page.tags if "id" in attributes}
    for tag, attributes in page.tags:
        link = attributes.get("href", "")
        if tag == "a" and link.startswith("#") and len(link) > 1 and link[1:] not in targets:
            yield f"the link {link} leads nowhere"


def _unlabelled(page: _Page) -> Iterator[str]:
    labelled = {attributes.get("for", "") for tag, attributes in page.tags if tag == "label"}
    for tag, attributes in page.tags:
        typed = tag in ("select", "textarea") or (
            tag == "input" and attributes.get("type") not in ("hidden", "submit", "button")
        )
        named = attributes.get("id", "") in labelled - {""} or "aria-label" in attributes
        if typed and not named and "aria-labelledby" not in attributes:
            yield f"a <{tag}> has no label"


def _about(reading: IdeaReading, words: str) -> bool:
    titles = [reading.title, *(entity.title for entity in reading.entities)]
    names = [entity.plural.replace("_", " ") for entity in reading.entities]
    return any(name.lower() in words for name in [*titles, *names] if name) or not reading.entities


def plan_findings(namespace: str, output: Mapping[str, Any], needed: Sequence[str]) -> Iterator[Finding]:
    """Parts of a plan that are there but empty, and a plan that says itself that it is not ready."""
    if output.get("ready") is False:
        yield Finding("missing_plan", namespace, f"{namespace} says that it is not ready", key="ready")
    for name in needed:
        if name in output and output[name] in _EMPTY:
            yield Finding("missing_plan", namespace, f"{namespace}.{name} is empty", key=name)
