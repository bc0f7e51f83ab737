"""What a crew's end amounts to, however odd its output or its error."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from pydantic import BaseModel

from zts_core.errors import PermanentError, TransientError
from zts_core.limits import SizeLimits
from zts_core.run import SettledAs
from zts_worker.effects import LONGEST_REASON, Effect, judged
from zts_worker.supervision import Ended, Watched


class Anything(BaseModel):
    """An output that checks nothing."""

    value: Any = None
    score: float = 0.0


class Speechless(Exception):
    """An error whose words are an error too."""

    def __str__(self) -> str:
        raise RuntimeError


def nested(levels: int) -> list[Any]:
    whole: list[Any] = []
    for _ in range(levels):
        whole = [whole]
    return whole


def in_itself() -> list[Any]:
    whole: list[Any] = []
    whole.append(whole)
    return whole


def judge(*, value: Any = None, error: BaseException | None = None) -> Effect | TransientError:
    files = SimpleNamespace(manifest={}, too_much=lambda _: "")
    context: Any = SimpleNamespace(state="STATE", artifacts=files, sizes=SizeLimits())
    return judged(Anything, "any", Watched(Ended.BY_ITSELF, value, error), context)


def failed(**given: Any) -> str:
    effect = judge(**given)
    assert isinstance(effect, Effect)
    assert effect.status is SettledAs.FAILED
    return effect.reason


@pytest.mark.parametrize(
    "value",
    [object(), b"\xff\xfe", 10**5000, in_itself(), nested(900), {1: object()}],
    ids=["object", "bytes", "long number", "in itself", "deep", "inside"],
)
def test_an_output_that_json_cannot_hold_fails_its_step_at_once(value: Any) -> None:
    assert "STATE gave no Anything that JSON can hold" in failed(value=Anything.model_construct(value=value))


@pytest.mark.parametrize("score", [float("nan"), float("inf")])
def test_a_number_that_json_has_no_word_for_is_refused_instead_of_changed(score: float) -> None:
    assert "JSON can hold" in failed(value={"score": score})


def test_an_error_that_cannot_speak_is_told_all_the_same() -> None:
    assert failed(error=Speechless()) == "STATE failed: Speechless: an error that cannot be put into words"


def test_an_error_of_megabytes_is_cut() -> None:
    told = failed(error=PermanentError("x" * 5_000_000))
    assert len(told) < LONGEST_REASON + 100
    assert told.endswith("... (cut, 5,000,000 characters)")


def test_an_ordinary_output_is_kept_as_it_is() -> None:
    effect = judge(value={"value": {"a": [1, "é", None]}})
    assert isinstance(effect, Effect)
    assert effect.status is SettledAs.DONE
    assert effect.result.output == {"value": {"a": [1, "é", None]}, "score": 0.0}
    assert effect.digest
