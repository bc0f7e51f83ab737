"""Ideas and readings that the tests of these crews build from."""

from __future__ import annotations

from zts_worker.crews.reading import Action, Attribute, Entity, IdeaReading

TENANTS = (
    "A platform where tenants report broken things. Each report has a photo link, a priority, a cost and a due date. "
    "A report belongs to a tenant. A landlord assigns a report to a craftsman. Tenants have a name, email and phone. "
)
GROOMERS = (
    "A booking platform for dog groomers.\n\nOwners book an appointment for a dog. Each appointment has a date, a "
    "price and notes. A dog belongs to an owner. Owners have a name, an email and a phone number."
)
GERMAN = (
    "Eine Plattform für Bibliotheken. Jede Bücherei verwaltet Bücher und Ausleihen. Ein Buch hat einen Titel, einen "
    "Autor und eine ISBN. Leser leihen Bücher aus. Übergrößen haben einen Preis."
)
AWKWARD_WORDS = (
    "A school tool. A class has a name, an import and a lambda. A user places an order; an order has a select date "
    "and a total amount. Each user has an email. A page has a count and an index."
)
NO_LANGUAGE = "Ϡϡ ⸮⸮ ☃☃☃"


def text(name: str, *, personal: bool = False) -> Attribute:
    return Attribute(name, "text", personal)


def reading(*entities: Entity, actions: tuple[Action, ...] = (), **values: str) -> IdeaReading:
    """A reading with these entities; `values` replace texts such as title, slug and summary."""
    texts = {"title": "An idea", "slug": "an-idea", "summary": "An idea.", "problem": "", "language": "en"} | values
    return IdeaReading(
        title=texts["title"],
        slug=texts["slug"],
        summary=texts["summary"],
        problem=texts["problem"],
        audience=(),
        entities=entities,
        actions=actions,
        kind="web",
        sentences=(texts["summary"],),
        language=texts["language"],
        monetisation=(),
        alternatives=(),
        numbers=(),
        unlawful=(),
        integrations=(),
        not_judged=(),
    )


def entity(name: str, *attributes: Attribute, plural: str = "", belongs_to: tuple[str, ...] = ()) -> Entity:
    return Entity(name, plural or f"{name}s", name.capitalize(), attributes, belongs_to, f"A {name}.")


HOSTILE = reading(
    entity("class", text("import"), text("class"), text("id"), text("created_at"), plural="class"),
    entity("select", text("from"), Attribute("order", "integer", False), plural="new"),
    entity("page", Attribute("total", "money", False), text("class_id"), belongs_to=("class", "page", "select")),
    entity("count", Attribute("done", "flag", False), plural="api"),
    entity("größe", text("straße"), text("straße"), plural="größen"),
    entity("grosse", Attribute("url", "url", True), Attribute("mail", "email", True), plural="groesse"),
    entity("数", Attribute("重さ", "number", False), plural="数々"),
    entity("none", plural="true", belongs_to=("missing", "count")),
    title='"""Quote\\n" {{ title }} {% raw %} <script>alert(1)</script> \u2028 |*_`',
    slug="email",
    summary="It's 100% \\N{BULLET} \"new\"; '''really''' {x!r} %s $HOME `id` é 漢字 " + "very long " * 60,
    actions=(Action("import", "class", "Import a class."), Action("ship & pay", "select", "…")),
)
