"""Decides what a person can do about a refusal of Redis, by the word it begins with."""

from __future__ import annotations

# Without the first word too: redis-py takes it off where it has a class for it.
_CURES = (
    ("OOM", "its memory is full: free memory or raise maxmemory"),
    ("maxmemory", "its memory is full: free memory or raise maxmemory"),
    ("MISCONF", "it cannot write to its disk: make room there, or see its log"),
    ("READONLY", "it is a replica: name the primary, or its Sentinels with sentinel://"),
    ("read only replica", "it is a replica: name the primary, or its Sentinels with sentinel://"),
    ("NOREPLICAS", "too few replicas follow it (min-replicas-to-write): bring them back"),
    ("MASTERDOWN", "it is a replica without a primary: bring the primary back"),
    ("NOPERM", "its user may not do that: deploy/redis/users.acl shows what each needs"),
    ("no permissions", "its user may not do that: deploy/redis/users.acl shows what each needs"),
    ("NOAUTH", "it wants a login: put user and password into the URL"),
    ("WRONGPASS", "the login is wrong: correct the URL"),
    ("CROSSSLOT", "it is a Redis Cluster, which is not supported: use one primary"),
    ("MOVED", "it is a Redis Cluster, which is not supported: use one primary"),
    ("unknown command", "it is too old: use Redis 6.2 or newer"),
)


def cure_of(refusal: object, *, otherwise: str) -> str:
    """What can be done about what Redis said, or `otherwise` where that says nothing we know."""
    said = str(refusal)
    return next((cure for word, cure in _CURES if word in said), otherwise)
