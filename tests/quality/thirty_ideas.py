"""Thirty ideas as people write them down, each with what a reader of it would expect of the crews."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Written:
    """An idea, and what a reader would find in it.

    `things` it is about (all of them found), what is `never` a thing of it, what it `does` (verbs), the `kinds` of
    product it may be taken for, and the `verdicts` that make sense.
    """

    name: str
    text: str
    kinds: tuple[str, ...] = ("web",)
    things: tuple[str, ...] = ()
    never: tuple[str, ...] = ()
    does: tuple[str, ...] = ()
    verdicts: tuple[str, ...] = ("go", "research")
    buildable: bool = True


def _idea(name: str, text: str, **known: Any) -> Written:
    return Written(name, text.strip() + "\n", **known)


IDEAS: tuple[Written, ...] = (
    _idea("piano_lessons", """
Piano lesson ledger

I teach piano to 34 pupils and every month I spend an evening working out who owes me what, because lessons get
moved and cancelled. Last month I forgot to charge two families.

I want a page where I enter each lesson with the pupil, the date, how long it took and whether it was cancelled
in time. At the end of the month it writes an invoice for each family. Parents can see the lessons of their
child.

Right now I use a paper diary and a calculator. I would pay 5 euros a month for this.
""", things=("lesson", "invoice"), never=("evening", "month", "calculator", "page")),
    _idea("wedding_rsvp", """
Our guests never answer the paper card. We want a wedding site where guests say whether they come, how many they
are, which menu they take and whether they need a room. The couple sees a list and can export it for the
caterer. Each guest has a name, an e-mail and a number of companions. Guests can also suggest songs. Every song
has a title and an artist.
""", things=("guest", "song"), never=("card", "site", "list")),
    _idea("lost_and_found", """
Lost & Found for trains: passengers report what they lost (description, colour, line, day), staff at the depot
register what was found with a photo, a shelf number and the date. The system proposes matches. When a passenger
recognises an item, they get a code to pick it up. Today this is done over the phone and takes eleven minutes
per call; we counted 640 calls in May.
""", kinds=("web", "internal_tool"), things=("match",), never=("phone", "call", "may", "system")),
    _idea("vet_app", """
A mobile app for people with old dogs. My dog Rufus takes four different pills, and twice we gave him the same
pill two times. The app shows on the phone which medicine is due now, and whoever gives it ticks it off, so the
rest of the family sees it. Each medicine has a name, a dose, times of the day and an end date. Each dose given
is recorded with the time and the person. Vets could print a plan. Free for one dog, 2 euros a month for more.
""", kinds=("mobile",), things=("medicine",), never=("rufus", "phone", "app", "rest")),
    _idea("commute_carpool", """
iPhone and Android app. Colleagues from the same company park want to share rides to work. A driver posts a ride
with a start, a departure time and free seats. A colleague requests a seat. The driver confirms. After the ride
both rate each other. Parking costs the firms 90 euros per space each month, they would fund it.
""", kinds=("mobile", "marketplace"), things=("ride",), does=("request",), never=("park", "iphone", "android", "firm")),
    _idea("habit_coach", """
Mobile app to stop doomscrolling. You choose apps, set a daily limit, and when you go over you must do ten
squats in front of the camera before the app opens again. Streaks, weekly report, share with a friend.
""", kinds=("mobile",), things=("limit",), never=("camera", "you", "share")),
    _idea("greenhouse", """
Greenhouse guard: an ESP32 box with a temperature and humidity sensor and a relay for the fan. It measures every
five minutes, switches the fan on above 30 degrees and sends an alarm by Wi-Fi when the temperature falls below
3 degrees. It has to run on a 12 V supply. A small screen shows the last reading. Parts should cost less than 40
euros.
""", kinds=("hardware",), things=("reading",), never=("degree", "supply", "euro")),
    _idea("bike_light", """
A bicycle light that brakes: a USB-rechargeable rear light with an accelerometer which gets brighter when the
rider slows down. Microcontroller, battery for 20 hours, waterproof. Two buttons. Every hard braking is logged
with time and force, so the rider can read out the log over Bluetooth.
""", kinds=("hardware",), never=("hour", "force", "rider")),
    _idea("air_classroom", """
We put CO2 sensors (SCD41, ESP32-C3, e-ink display) into 24 classrooms. Teachers see a green or red face. The
janitor gets a daily table per room. Each measurement has a room, a time, a CO2 value and a temperature.
Batteries must last a school year.
""", kinds=("hardware",), things=("measurement",), never=("year", "table", "battery")),
    _idea("river_levels", """
Open data of river levels

Anglers and canoeists look at six different government pages to see whether a stretch can be paddled. I want to
import the hourly gauge CSV files of the water authority, keep them, and show charts and trends per gauge, with
a forecast for tomorrow. Each gauge has a river, a name and a warning level. Each reading has a gauge, a time
and a level in cm.
""", kinds=("data",), things=("gauge", "reading"), never=("page", "tomorrow", "chart", "csv")),
    _idea("shop_analytics", """
Dashboard for three bakeries that shows which bread sells at what hour. The tills export sales as CSV every
night. Owners compare branches and weekdays and see what was thrown away. Each sale has a product, a branch, a
time, a quantity and a price. It works if waste falls by a fifth until summer.
""", kinds=("data",), things=("sale",), never=("hour", "weekday", "night", "fifth")),
    _idea("grandma_stories", """
Older people have stories nobody wrote down. Families send one question per week by text message, grandma
answers with a voice recording, it is transcribed and at the end of the year printed as a book. Each question
has a text and a date; each recording has a length and a transcript. Families invite relatives. 99 euros per
book.
""", things=("question", "recording"), never=("year", "week", "nobody")),
    _idea("tool_rental", """
Marketplace for idle construction machines. Small builders rent excavators for 300 euros a day from chains while
the neighbour's stands still. Owners list a machine with type, weight, location, day rate and photos. Builders
send a booking request for a period; the owner accepts or declines. We take 8 percent. Deposits and insurance
through a partner. I spoke with 14 builders in our county, 9 would list a machine.
""", kinds=("marketplace",), things=("machine",), never=("day", "euro", "county", "percent")),
    _idea("farm_boxes", """
A platform that connects farmers with restaurants. Farmers publish what they harvest this week: product,
quantity, price per kilo and pick-up time. Restaurants order before Wednesday noon. One driver collects
everything; each order gets a place on the tour. The platform takes a commission of 6 %. Start with one valley
and twelve farms; no payment in the first version.
""", kinds=("marketplace",), things=("order",), never=("week", "noon", "valley", "wednesday")),
    _idea("tutor_match", """
Students help pupils with homework. Marketplace for our town only: pupils post a subject, grade and budget,
students offer lessons with hourly rate. They chat, agree a date, and rate each other afterwards. Parents must
confirm the account of a pupil under 16.
""", kinds=("marketplace",), things=("lesson",), never=("town", "hour")),
    _idea("it_tickets", """
Internal tool for our 60 employees: people in the office ask IT for help in chat, and things get forgotten.
Employees open a ticket with a category, urgency and description, IT staff assign it, comment on it and close
it. Managers see how long tickets stay open. Each ticket has a number, a status and a due date. No external
users. It replaces a spreadsheet.
""", kinds=("internal_tool",), things=("ticket",), does=("open", "assign", "close"),
    never=("office", "chat", "spreadsheet")),
    _idea("vacation_planner", """
Who is away when? Our team of 12 keeps holidays in a shared calendar where nobody sees how many days are left.
Internal app where employees request leave (from, to, kind), the team lead approves or rejects it, and everyone
sees a year view. Each employee has a number of days per year. HR exports a list in December.
""", kinds=("internal_tool",), things=("leave",), does=("request",), never=("december", "calendar", "view")),
    _idea("lab_samples", """
Our lab staff write sample numbers on tape. Internal system: every sample has a barcode, an origin, a freezer
and a position; each freezer has a temperature and a room. Technicians move samples, check samples out and
discard them. Auditors need the history of each sample.
""", kinds=("internal_tool",), things=("sample", "freezer"), does=("move",), never=("tape", "history")),
    _idea("word_duel", """
A browser game in which two players race to build words from the same nine letters. Each round lasts 60 seconds.
Each match has two players, rounds and a score. Players challenge friends by link, climb a weekly ladder and win
badges. No ads. We earn from a yearly season pass.
""", kinds=("game",), things=("match", "round"), never=("second", "ad", "link")),
    _idea("escape_museum", """
A museum quiz hunt on visitors' phones. Curators create trails; each trail has stations with a riddle, a hint
and a solution. Visitors scan the code at a station and answer the riddle to unlock the next. A scoreboard shows
the fastest group. Puzzle game for school classes.
""", kinds=("game", "mobile"), things=("trail", "station"), never=("code", "phone")),
    _idea("postcode_api", """
An HTTP API for delivery shops: send a postcode and a weight, get carriers, prices and delivery days as JSON.
Developers register, get an API key and a quota. Each carrier has a name, zones and a price table. 1,000
requests a month are free, then 0.002 euros each.
""", kinds=("api",), things=("carrier",), never=("day", "json", "euro")),
    _idea("webhook_relay", """
Developer API that receives webhooks, stores them and delivers them again until the customer's server answers
200. Each endpoint has a URL, a secret and a retry limit. Each delivery has an endpoint, a payload, a status and
a number of attempts. Developers replay deliveries and inspect them. Hookdeck does this but starts at 39 dollars
a month.
""", kinds=("api",), things=("endpoint", "delivery"), does=("replay",), never=("dollar", "month", "server")),
    _idea("vague", """
Something with AI that makes people happier and more productive.
""", kinds=("web",), verdicts=("no_go", "research"), never=("ai", "people", "something")),
    _idea("one_line", "Airbnb for parking spaces", kinds=("marketplace", "web"), verdicts=("no_go",),
    never=("airbnb",)),
    _idea("illegal", """
An app where people buy and sell prescription painkillers without a prescription. Sellers list pills with a
price per piece and buyers order anonymously; delivery by mail.
""", kinds=("mobile", "marketplace", "web"), verdicts=("no_go",), buildable=False),
    _idea("impossible", """
A wristband that reads the thoughts of employees and predicts with 100 percent certainty who will resign.
Managers see each employee's score.
""", kinds=("hardware", "web", "internal_tool"), verdicts=("no_go",)),
    _idea("huge", """
# City OS

## Problem
Cities run on 300 programs that do not talk to each other.

## Solution
One platform for permits, taxes, waste collection, schools, hospitals, transport, police, elections, water, electricity,
libraries and street lights. It replaces the operating system of the city. Citizens have one account. Offices see one
file per citizen.

## Features
- Permits: citizens apply for a permit, officials review and sign it. Each permit has a type, a fee and a status.
- Waste: each bin has a sensor and a level; drivers get a route.
- Schools: parents register children; each child has a school and a class.
- Transport: buses, delays, tickets.
- Elections: voters vote at home.
- Health: appointments, findings and prescriptions.

## Target users
All citizens of every city in Europe

## Business model
Cities pay one euro per citizen and month.
""", kinds=("web",), things=("permit", "child"), never=("europe", "euro", "city", "program"),
    verdicts=("pivot",)),
    _idea("german", """
Vereinsbus

Unser Sportverein hat zwei Busse, und jede Woche streiten sich die Trainer, wer fahren darf. Ich möchte eine
Webseite, auf der Trainer einen Bus für ein Spiel reservieren. Jede Reservierung hat einen Bus, ein Datum, einen
Fahrer und ein Ziel. Jeder Bus hat ein Kennzeichen und einen Tankstand. Nach der Fahrt tragen die Fahrer die
Kilometer ein. Heute benutzen wir eine WhatsApp-Gruppe.
""", kinds=("web",), verdicts=("research",), never=("whatsapp", "woche")),
    _idea("health_diary", """
Diary for people with Crohn's disease. My sister notes what she eats and how she feels on loose sheets, and her
doctor gets ten minutes to look at them. Patients log meals, symptoms and medication; each symptom has a
severity and a time, each meal has a time and ingredients. They share a summary with their doctor before an
appointment. Patients agree explicitly, can export and delete everything, data is encrypted. 41 of 60 members of
our patient group said that they would use it.
""", kinds=("web",), things=("meal", "symptom"), does=("log",), never=("sheet", "sister", "minute", "crohn")),
    _idea("rambling", """
ok so basically my flatmates and me always fight about cleaning, like who did the bathroom and who bought toilet
paper lol. there should be a thing where you put in chores (kitchen, bath, trash) and who did it and when and it
tells whose turn it is. also shared expenses maybe!! and if you skip you pay 2 bucks into the beer fund.
splitwise only does money so thats not it
""", things=("chore",), never=("lol", "thing", "bucks", "fund", "turn")),
)  # fmt: skip
