"""The shared idea reader: what every offline crew knows about an idea, from one deterministic reading of it."""

from zts_worker.crews.reading.model import Action, Attribute, Entity, FieldKind, IdeaKind, IdeaReading
from zts_worker.crews.reading.reader import read_idea

__all__ = ["Action", "Attribute", "Entity", "FieldKind", "IdeaKind", "IdeaReading", "read_idea"]
