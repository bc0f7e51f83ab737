"""Decides in which order what is kept comes under the first key: Redis, then the files."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from zts_core.artifacts import key_of, sealed_anew
from zts_core.errors import KeyMissing, SettingInvalid
from zts_core.sealing import SETTING

if TYPE_CHECKING:
    from zts_core.redis_store.rotated import Rotated
    from zts_producer.client import Client

Tell = Callable[[str], None]


def rotate(client: Client, *, tell: Tell) -> Rotated:
    """Bring everything under the first key, telling how far it is; SettingInvalid without one. Safe to repeat."""
    from zts_core.redis_store.rotated import Rotated
    from zts_core.redis_store.rotating import RedisRotation

    services = client.services
    if not services.sealer.on:
        raise SettingInvalid(f"no key is set to encrypt with; `zts key new` makes one for {SETTING}")
    done = Rotated()
    rotation = RedisRotation(
        services.choice.redis_url,
        retention_s=client.settings.retention,
        timeout_s=client.settings.redis_timeout,
        sealer=services.sealer,
    )
    services.at_end(rotation.close)
    for number, total in rotation.rotate(done):
        tell(f"{number} of {total} runs")
    _files(client, done, tell)
    return done


def _files(client: Client, done: Rotated, tell: Tell) -> None:
    files, sealer = client.services.artifacts, client.services.sealer
    # Written down first: what is put meanwhile is under the first key.
    for number, (run_id, place) in enumerate(list(files.kept()), start=1):
        try:
            done.files += sealed_anew(files, sealer, run_id, place)
        except KeyMissing:
            done.lacking[key_of(place)] = done.lacking.get(key_of(place), 0) + 1
        except KeyError:
            done.unreadable += 1
        tell(f"{number} files")
