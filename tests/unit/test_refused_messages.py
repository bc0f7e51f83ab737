"""Nothing but JSON is taken from the queue."""

from __future__ import annotations

import pickle

import pytest
from kombu.exceptions import ContentDisallowed
from kombu.serialization import loads

from zts_core.celery_queue import make_app


def test_a_pickled_message_is_refused_before_it_is_opened() -> None:
    app = make_app("memory://", "cache+memory://", timeout_s=1)
    opened: list[str] = []

    class Trap:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return opened.append, ("opened",)

    with pytest.raises(ContentDisallowed):
        loads(pickle.dumps(Trap()), "application/x-python-serialize", "binary", accept=app.conf.accept_content)
    assert opened == []
    assert list(app.conf.accept_content) == ["json"]
