"""Ideas that reach one gate or another of the shipped workflows with the crews' offline judgement."""

from __future__ import annotations

from pathlib import Path

EXAMPLES = Path(__file__).parents[3] / "examples" / "ideas"
HIVES = (EXAMPLES / "bee_hive_log.txt").read_text(encoding="utf-8")
INVOICES = (EXAMPLES / "invoice_reminder.txt").read_text(encoding="utf-8")
PLANTS = (EXAMPLES / "plant_moisture_sensor.txt").read_text(encoding="utf-8")

HOLLOW = "asdf asdf"
ILLEGAL = "We sell stolen credit cards to buyers on the darknet. Each card has a number and a price."
VAGUE_DEVICE = "A battery-powered device that beeps when the door opens. Each event has a time and a door."
DOUBTFUL = """My grandmother's recipes are on scraps of paper. A website where families keep recipes. Each recipe has a
title, a number of servings and instructions. Each ingredient has a name, a quantity and a unit."""
MIDDLING = """Translators lose track of what they are owed. A website where freelance translators keep jobs and
invoices. Each job has a client, a number of words and a due date. Each invoice has an amount and a date. Today they
use a spreadsheet. It costs 5 euros a month."""

MIGRAINE = """Migraine diary

Patients with migraine forget what set an attack off. I have migraine myself, and in March I lost nine days before I
found out that it was red wine. I asked 30 patients in our self-help group: 24 write on paper, and four use a
spreadsheet.

I want a small website. Each patient has a name, an email and a date of birth. Each attack has a patient, a date, a
severity and a medication. Patients log an attack in a minute, add medications and compare weeks.

The first version does only this. No doctors, no shop. It costs 3 euros a month. It works if twenty patients still
write after eight weeks. I will show it to our self-help group and post it in two forums."""
LAWFUL_MIGRAINE = f"""{MIGRAINE}

Everybody consents, may export and delete their data at any time, and all data is encrypted."""
