"""Short ideas of every kind, each with the things that a person would name first."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

EXAMPLES = Path(__file__).parents[3] / "examples" / "ideas"


@dataclass(frozen=True, slots=True)
class Sample:
    """A text, the entities it must give (all of `things`), none of `never`, and the kind of product."""

    name: str
    text: str
    things: frozenset[str]
    kind: str
    never: frozenset[str] = frozenset(("app", "website", "user", "problem", "idea", "thing", "way", "time"))


def _sample(name: str, kind: str, things: str, text: str) -> Sample:
    return Sample(name, " ".join(text.split()), frozenset(things.split()), kind)


SAMPLES: tuple[Sample, ...] = (
    _sample("bees", "web", "hive inspection", """Beekeepers forget what they saw. A website where each hive has
        a location
        and a queen age, and beekeepers log inspections. Every inspection records a date and a mite count."""),
    _sample("dog walks", "mobile", "walk", "A mobile app for dog walkers to book walks with dog owners."),
    _sample("train delays", "api", "delay", """Build a REST API that returns train delays. Developers request delays by
        station. Each delay has a train number, a minute count and a reason."""),
    _sample("surplus food", "web", "pickup meal", """Restaurants throw away food. Volunteers pick up leftover meals and
        deliver them to shelters. Each pickup has an address, a time window and a number of portions. It is a
        website."""),
    _sample("headaches", "web", "attack patient", """Patients keep a headache diary. Every attack has a start time, an
        intensity, triggers and medication taken. Doctors can view the diary of a patient in the browser."""),
    _sample("salon", "web", "appointment customer", """Customers book appointments online with a stylist in our hair
        salon. Staff see the appointments of the day on one page."""),
    _sample("crates", "game", "level crate", """A puzzle game where players move crates. Each level has a name, a
        difficulty and a best time. Players earn stars."""),
    _sample("translators", "web", "job invoice", """Freelance translators lose hours chasing agencies. I want a website
        where a translator logs each job. Each job has a client, a word count, a deadline and a rate. The translator
        sends an invoice for every job."""),
    _sample("allotments", "web", "plot harvest", """Allotment gardeners share plots. Each plot has a number, a size in
        square meters and a soil type. Gardeners record harvests per plot: every harvest has a crop and a weight."""),
    _sample("choir", "web", "rehearsal song", """Our choir loses track of who comes. Singers confirm rehearsals. Each
        rehearsal has a date, a place and a list of songs. Each song has a title, a composer and a key. It is a small
        site."""),
    _sample("bike repair", "marketplace", "repair bike", """A marketplace where cyclists find mechanics for repairs. A
        cyclist describes the bike and requests a repair. Each repair has a price, a date and a status. Each bike has
        a brand and a frame number."""),
    _sample("clothes swap", "marketplace", "garment swap", """A peer-to-peer platform to exchange clothes. Every garment
        has a size, a brand and a photo. Members propose a swap of two garments; each swap has a date and a meeting
        place. It is a marketplace without money."""),
    _sample("onboarding", "internal_tool", "task", """An internal tool for our own employees in human
        resources. Each new
        employee gets tasks; every task has a title, a due date and an owner. Managers approve tasks."""),
    _sample("warehouse", "internal_tool", "pallet shelf", """Our warehouse staff search pallets for hours. An internal
        tool where staff scan pallets. Each pallet has a barcode, a weight and an arrival date. Each shelf has a code
        and a capacity."""),
    _sample("school energy", "data", "reading", """A dashboard that forecasts the energy use of school buildings from
        meter readings. Facility managers upload meter readings as CSV. Each reading has a date and a value in kWh."""),
    _sample("bird counts", "data", "sighting species", """An open data set of bird counts. Birders report
        sightings. Each
        sighting has a date, a species and a count. Each species has a name and a status. Charts show trends."""),
    _sample("door sensor", "hardware", "event", """A battery-powered door sensor device with an ESP32 that beeps when
        the door opens. Each event has a time and a door."""),
    _sample("weather box", "hardware", "measurement", """A solar device with a microcontroller that measures
        humidity and
        air pressure. Each measurement has a time, a humidity and a pressure. It wakes every 10 minutes."""),
    _sample("language cards", "mobile", "card deck", """A mobile app for learners. Each deck has a title and a language.
        Each card has a front, a back and a due date. Learners review cards on the phone every day."""),
    _sample("runs", "mobile", "run shoe", """An iPhone app for runners who wear out shoes. A runner logs a run with a
        distance and a duration. Each shoe has a brand and a mileage. The app reminds the runner to replace shoes."""),
    _sample("quiz night", "game", "question round", """A multiplayer quiz game for pubs. Each round has a theme and a
        number of questions. Each question has a text, an answer and a difficulty. Players answer questions."""),
    _sample("geocoding", "api", "address", """A REST API for developers that validates addresses. Each address has a
        street, a postcode and a city. Developers send addresses as JSON and get a score. Each API key has a limit."""),
    _sample("recipes", "web", "recipe ingredient", """My grandmother's recipes are on scraps of paper. A website where
        families keep recipes. Each recipe has a title, a number of servings and instructions. Each ingredient has a
        name, a quantity and a unit."""),
    _sample("library", "web", "book loan", """Our village library uses a spreadsheet. Each book has a title, an
        author and
        a shelf. Each loan has a start date and a due date. Librarians lend books and reminders are sent by e-mail
        from the website."""),
    _sample("plants", "web", "plant", "Track my plants"),
    _sample("markup", "web", "cake", """<script>alert(1)</script> A website where bakers list cakes & "pies"
        <img src=x onerror=alert(1)>. Each cake has a price."""),
    _sample("tournament", "web", "match team", """Volleyball clubs plan tournaments by hand. Each team has a name and a
        captain. Each match has a court, a start time and a score. Every match belongs to a tournament. It is a web
        app."""),
    _sample("rooms", "internal_tool", "reservation room", """Our employees argue about meeting rooms. Each room has a
        name, a capacity and a floor. Employees reserve rooms; each reservation has a start, an end and a purpose. An
        internal app in our intranet."""),
    _sample("drones", "hardware", "flight drone", """A drone with a microcontroller, motors and a camera inspects roofs.
        Each drone has a serial number and a battery level. Each flight has a date and a duration."""),
    _sample("bands", "marketplace", "gig band", """A two-sided marketplace that connects venues with bands.
        Each band has
        a name and a genre. Each gig has a date, a fee and a venue. Venues book bands."""),
    _sample("pets", "mobile", "pet vaccination", """Pet owners forget vaccinations. A phone app: each pet has a name, a
        species and a birthday. Each vaccination has a date, a vaccine and a next due date."""),
    _sample("water", "mobile", "glass reminder challenge", """Build a mobile app that helps people track their
        water intake
        with reminders and social challenges. Users set a daily goal, log each glass, and compete with friends."""),
    _sample("designers", "marketplace", "project proposal", """A platform that connects freelance designers with small
        businesses. Businesses post projects with a budget and deadline, designers submit proposals, and the platform
        takes a 10% commission."""),
    _sample("meals", "web", "restriction meal_plan", """AI-powered meal planning SaaS for the browser. Users
        enter dietary
        restrictions and get weekly meal plans with shopping lists. Subscription at $9.99 per month."""),
    _sample("receipts", "mobile", "receipt", """I'm tired of losing receipts. I want an app where I can snap a photo of
        each receipt, and it stores the amount, the shop and the date."""),
    _sample("tasks", "web", "task board", """Task manager for remote teams with kanban boards, time tracking and Slack
        integration"""),
    _sample("todo", "mobile", "todo", "A todo app"),
)  # fmt: skip

MARKDOWN = """# Pet Sitter Finder

## Problem
Pet owners struggle to find trusted sitters when they travel.

## Solution
A marketplace where owners post stays and sitters apply.

## Features
- Sitter profiles with reviews and hourly rate
- Secure payments via Stripe

## Target users
Dog owners and retirees

## Competition
Rover and Pawshake

## Business model
15% commission on each booking.
"""
LABELLED = """Name: Crumb
Problem: Bakers guess how much dough they need.
Solution: An online planner. Each batch has a weight and a flour.
Target users: home bakers
Business model: 3 euros a month
"""

UNREADABLE = ("", "   \n\t ", "asdf asdf", "🎉🎉🎉", "qwrtz 12345", "???", "\x00\x01\x02", "Beekeeping")
ILLEGAL = (
    "We sell stolen credit cards to buyers on the darknet. Each card has a number and a price.",
    "A shop for counterfeit passports. Customers order passports.",
    "An app that secretly tracks your partner without their knowledge. Each partner has a location.",
    "Ransomware as a service. Members deploy ransomware to hospitals and share the profit.",
)
AGAINST_CRIME = (
    "A tool that detects phishing e-mails for small companies.",
    "An app where cyclists report stolen bikes so that shops recognise them. Each bike has a frame number.",
    "Software that helps banks prevent money laundering. Analysts review alerts.",
)
FOREIGN = {
    "de": """Ich möchte eine App für Imker bauen. Jeder Bienenstock hat einen Standort. Imker tragen ihre Inspektionen
        ein, und die Bienenstöcke werden angezeigt.""",
    "es": """Quiero una aplicación para que los vecinos compartan herramientas. Cada herramienta tiene un nombre y una
        foto. Los vecinos piden una herramienta.""",
    "fr": """Nous voulons une application pour les apiculteurs. Chaque ruche a un emplacement. Les apiculteurs notent
        les inspections de la ruche et les récoltes.""",
    "ru": "Приложение для пчеловодов. Каждый улей имеет место. Пчеловоды записывают осмотры.",
    "ja": "養蜂家のためのアプリ。それぞれの巣箱には場所があります。",
}


def example_texts() -> dict[str, str]:
    """The example ideas by file name."""
    return {path.stem: path.read_text(encoding="utf-8") for path in sorted(EXAMPLES.glob("*.txt"))}
