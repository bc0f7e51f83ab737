from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zts_worker.crews.marketing import LANDING_PAGE, POSTS, MarketingCrew
from zts_worker.crews.marketing_copy import POST_LIMIT
from zts_worker.crews.marketing_palette import (
    LEAST_ACCENT_CONTRAST,
    LEAST_TEXT_CONTRAST,
    MOTIFS,
    contrast,
    look_of,
)

from .context import FakeContext
from .ideas import SAMPLES, example_texts

VOID = {"meta", "link", "br", "hr", "img", "input"}
INJECTION = """# <script>alert("title")</script> Cake & "Pie"

Bakers lose orders. A website where bakers list cakes <img src=x onerror=alert(2)> "><svg onload=alert(3)>. Each cake
has a price, a name and 1 < 2 && 3 > 2 layers. {{ 7 * 7 }} {% raw %} javascript:alert(4) </style></title>
It costs 5 < 6 euros a month. Spreadsheets & "paper" are what bakers use today, but 2 > 1.
"""


class Page(HTMLParser):
    """Collects what an accessibility check asks for, and fails on tags that do not close."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, dict[str, str | None]]] = []
        self.headings: list[int] = []
        self.texts: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes.append((tag, dict(attrs)))
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def _present(text: str, folder: Path, **values: str) -> tuple[MarketingCrew.Output, FakeContext]:
    context = FakeContext(text, folder, values=values)
    return MarketingCrew().run(context), context


def _page(text: str, folder: Path, **values: str) -> tuple[str, Page]:
    _, context = _present(text, folder, **values)
    source = context.artifacts.text(LANDING_PAGE)
    return source, Page(source)


@pytest.mark.parametrize("text", [*example_texts().values(), *(s.text for s in SAMPLES), INJECTION])
def test_the_landing_page_is_well_formed_accessible_and_alone(text: str, tmp_path: Path) -> None:
    source, page = _page(text, tmp_path)
    attributes = [pair for _, pairs in page.attributes for pair in pairs.items()]
    assert source.startswith("<!doctype html>")
    assert next(pairs for tag, pairs in page.attributes if tag == "html")["lang"]
    assert page.tags.count("h1") == 1
    assert page.headings[0] == 1
    assert all(after - before <= 1 for before, after in zip(page.headings, page.headings[1:], strict=False))
    assert any(pairs.get("name") == "description" and pairs.get("content") for _, pairs in page.attributes)
    assert any(pairs.get("name") == "viewport" for _, pairs in page.attributes)
    assert "prefers-color-scheme: dark" in source
    assert not {"script", "iframe", "object", "link", "form", "base"} & set(page.tags)
    assert not [name for name, _ in attributes if name.startswith("on")]
    assert all(value.startswith(("#", "mailto:")) for name, value in attributes if name == "href" and value)
    assert not [name for name, _ in attributes if name in ("src", "srcset", "xlink:href", "action")]
    assert "url(" not in source
    assert "@import" not in source


def test_every_picture_has_words_and_every_anchor_a_target(tmp_path: Path) -> None:
    for text in example_texts().values():
        _, page = _page(text, tmp_path)
        ids = [pairs["id"] for _, pairs in page.attributes if "id" in pairs]
        assert len(ids) == len(set(ids))
        for tag, pairs in page.attributes:
            if tag == "svg":
                assert pairs["role"] == "img"
            href = pairs.get("href") or ""
            assert not href.startswith("#") or href[1:] in ids
            labelled = pairs.get("aria-labelledby")
            assert labelled is None or labelled in ids


def test_nothing_of_the_idea_becomes_markup_or_template(tmp_path: Path) -> None:
    source, page = _page(INJECTION, tmp_path)
    assert "alert(" not in "".join(value or "" for _, pairs in page.attributes for value in pairs.values())
    assert "<script" not in source
    assert "<img" not in source
    assert "49" not in "".join(page.texts)
    assert "1 < 2" not in source
    assert page.tags.count("svg") == 1


@given(st.text(alphabet="<>&\"'{}%ab /=!-", max_size=60))
@settings(deadline=None, max_examples=40)
def test_a_title_of_any_characters_leaves_the_page_whole(title: str) -> None:
    text = f"# {title}\n\nBakers lose orders. Each cake has a price. Bakers list cakes for {title} on a website."
    _, page = _page(text, Path())
    assert page.tags.count("title") == 2, "the page's and the drawing's"


def test_the_page_speaks_of_the_idea(tmp_path: Path) -> None:
    _, page = _page(example_texts()["bee_hive_log"], tmp_path)
    said = " ".join(page.texts)
    for word in ("Bee hive log", "beekeepers", "inspections", "harvest", "scraps of paper", "20 euros a year"):
        assert word in said


def test_a_contact_address_becomes_a_link_and_nonsense_does_not(tmp_path: Path) -> None:
    text = example_texts()["bee_hive_log"]
    assert "mailto:bees@example.org?subject=" in _page(text, tmp_path, contact="bees@example.org")[0]
    assert "mailto:" not in _page(text, tmp_path, contact='x"><script>@example.org')[0]


@given(st.text(max_size=40))
@settings(deadline=None)
def test_every_look_can_be_read_in_light_and_dark(name: str) -> None:
    look = look_of(name)
    for colours in (look.light, look.dark):
        for ground in (colours.ground, colours.tint):
            assert contrast(colours.text, ground) >= LEAST_TEXT_CONTRAST
            assert contrast(colours.muted, ground) >= LEAST_TEXT_CONTRAST
            assert contrast(colours.accent, ground) >= LEAST_ACCENT_CONTRAST
        assert contrast(colours.on_accent, colours.accent) >= LEAST_ACCENT_CONTRAST


def test_contrast_is_that_of_the_guidelines() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21.0)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


def test_different_ideas_look_different_and_all_motifs_occur() -> None:
    looks = [look_of(f"idea {at}") for at in range(60)]
    assert len({look.light.accent for look in looks}) > 40
    assert {look.motif for look in looks} == set(MOTIFS)


def test_posts_and_mails_are_written_and_short_enough(tmp_path: Path) -> None:
    for text in example_texts().values():
        output, context = _present(text, tmp_path)
        assert len(next(post.text for post in output.posts if post.channel == "Short post")) <= POST_LIMIT
        assert [mail.day for mail in output.emails] == sorted(mail.day for mail in output.emails)
        assert context.artifacts.text(POSTS).startswith("# Launch posts for ")


def test_markup_in_an_idea_stays_text_in_the_posts(tmp_path: Path) -> None:
    _, context = _present(INJECTION, tmp_path)
    posts = context.artifacts.text(POSTS)
    assert "<" not in posts
    assert "](" not in posts


def test_nothing_is_presented_where_there_is_nothing(tmp_path: Path) -> None:
    output, context = _present("asdf asdf", tmp_path)
    assert not output.ready
    assert output.reason
    assert context.artifacts.files == {}
