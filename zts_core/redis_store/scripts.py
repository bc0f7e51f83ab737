"""Decides how the Lua scripts are called: one typed method per script, errors translated at this edge."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import redis
from redis.exceptions import AuthenticationError, RedisError, ResponseError

from zts_core.errors import ServiceUnavailable, SettingInvalid
from zts_core.redis_store.keys import script_keys
from zts_core.refusals import cure_of

_NAMES = (
    "create",
    "claim",
    "renew",
    "say",
    "settle",
    "back_off",
    "record",
    "answer",
    "withdraw",
    "pause",
    "requeue",
    "reopen",
    "wake",
    "delete",
)
_TAKING = ("claim", "settle")
"""Scripts that take a step for their caller."""


@dataclass(frozen=True, slots=True)
class ScriptCall:
    """What a script is called with: a run, the other ARGV, and KEYS after those that every script gets."""

    run_id: str
    args: tuple[object, ...]
    keys: Sequence[str] = ()

    def arguments(self) -> dict[str, Any]:
        # Models give half a character now and then: JSON can hold it, UTF-8 cannot.
        values = [str(arg).encode("utf-8", "replace") for arg in (self.run_id, *self.args)]
        return {"keys": [*script_keys(self.run_id), *self.keys], "args": values}


def text_of(name: str) -> str:
    """A script as it is written; some need no prelude and are registered as they are."""
    return (files(__package__) / "lua" / f"{name}.lua").read_text("utf-8")


class Scripts:
    """The scripts of this store, loaded once per connection pool and called by digest."""

    def __init__(self, client: redis.Redis, *, place: str, names: Sequence[str] = _NAMES) -> None:
        prelude = text_of("prelude")
        taking = prelude + text_of("take") if set(_TAKING) & set(names) else ""
        self._place = place
        self._client = client
        self._scripts = {
            name: client.register_script((taking if name in _TAKING else prelude) + text_of(name)) for name in names
        }

    def call(self, name: str, run_id: str, *args: object, keys: Sequence[str] = ()) -> Any:
        """Run one script for a run; ServiceUnavailable where Redis does not answer."""
        with translated(self._place):
            return self._scripts[name](**ScriptCall(run_id, args, keys).arguments())

    def call_many(self, name: str, calls: Sequence[ScriptCall]) -> list[Any]:
        """Run one script for several runs in one round trip; each is atomic, all of them together are not."""
        if len(calls) == 1:
            return [self.call(name, calls[0].run_id, *calls[0].args, keys=calls[0].keys)]
        with translated(self._place):
            pipe = self._client.pipeline(transaction=False)
            for call in calls:
                self._scripts[name](**call.arguments(), client=pipe)
            return pipe.execute()


_UNKNOWN_OPTION = re.compile(r"__init__\(\) got an unexpected keyword argument '(\w+)'")
"""How redis-py answers to `redis://host/0?option=...` at the first connection."""
_INNARDS = re.compile(r" : <|\.? script: ")


@contextmanager
def translated(place: str) -> Iterator[None]:
    """Say what is wrong with Redis in one line that names the place and the cure."""
    try:
        yield
    except AuthenticationError as error:
        raise ServiceUnavailable(f"Redis at {place} refuses the login: {_said(error)}; correct REDIS_URL") from error
    except ResponseError as error:
        cure = cure_of(error, otherwise="see the Redis log")
        raise ServiceUnavailable(f"Redis at {place} refuses: {_said(error)}; {cure}") from error
    except (RedisError, OSError) as error:
        raise ServiceUnavailable(
            f"Redis at {place} does not answer: {_said(error)}; start it, or correct REDIS_URL"
        ) from error
    except TypeError as error:
        unknown = _UNKNOWN_OPTION.search(str(error))
        if not unknown:
            raise
        raise SettingInvalid(f"REDIS_URL has an option {unknown[1]!r}, which there is not; correct REDIS_URL") from None


def _said(error: Exception) -> str:
    """One line, without the objects that redis-py shows in it and the script that Redis was in."""
    return " ".join(_INNARDS.split(str(error), maxsplit=1)[0].split()).rstrip(".")
