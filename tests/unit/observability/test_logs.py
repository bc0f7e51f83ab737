"""Secrets and payloads are kept out of log lines, whatever library writes them."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest

from zts_worker.log_form import LONGEST_LINE, Discreet, Quick, Redactor, formatter, secrets_of
from zts_worker.logs import telling


def record(message: str, *args: object) -> logging.LogRecord:
    return logging.LogRecord("some.library", logging.INFO, __file__, 1, message, args, None)


def test_passwords_in_urls_are_hidden() -> None:
    redactor = Redactor(frozenset())
    assert redactor.clean("redis://:topsecret@host:6379/0 is away") == "redis://:***@host:6379/0 is away"
    assert redactor.clean("bolt+s://neo4j:pa55@host") == "bolt+s://neo4j:***@host"
    assert redactor.clean("see http://host:8000/path@x") == "see http://host:8000/path@x"


def test_values_of_variables_with_a_secret_name_are_hidden_and_others_stay() -> None:
    found = secrets_of({"OPENAI_API_KEY": "sk-1234567890", "NEO4J_PASSWORD": "longenough", "HOME": "/home/somebody"})
    assert found == {"sk-1234567890", "longenough"}
    assert Redactor(found).clean("sk-1234567890 from /home/somebody") == "*** from /home/somebody"


def test_each_of_several_keys_in_one_variable_is_hidden() -> None:
    found = secrets_of({"ZTS_ENCRYPTION_KEY": "first=====, second===="})
    assert Redactor(found).clean("first===== and second====") == "*** and ***"


def test_a_short_value_is_no_secret_that_could_be_hidden() -> None:
    assert secrets_of({"A_TOKEN": "yes"}) == frozenset()


def test_long_lines_are_cut_and_tracebacks_keep_their_lines() -> None:
    cleaned = Redactor(frozenset()).clean("first\n" + "x" * 2000 + "\nlast")
    assert [len(line) for line in cleaned.split("\n")] == [5, LONGEST_LINE + 1, 4]


def test_a_line_tells_what_its_thread_is_about_and_forgets_it_afterwards() -> None:
    shown = formatter("json")
    with telling(run="r1", step=3):
        inside = json.loads(shown.format(record("hello %s", "there")))
    outside = json.loads(shown.format(record("hello")))
    assert (inside["event"], inside["run"], inside["step"]) == ("hello there", "r1", 3)
    assert "run" not in outside


def test_celerys_shown_arguments_are_taken_apart() -> None:
    about = record("Task received")
    about.data = {"args": "(1rzv #4 BUILD mine:OwnCrew)"}
    line = json.loads(formatter("json").format(about))
    assert (line["run"], line["step"], line["state"], line["crew"]) == ("1rzv", 4, "BUILD", "mine:OwnCrew")
    about.data = {"args": "('anything', 'else')"}
    assert "run" not in json.loads(formatter("json").format(about))


def test_the_console_form_is_one_line_without_colours_unless_asked() -> None:
    assert formatter("console").format(record("hello")).count("\n") == 0
    assert "\x1b[" not in formatter("console").format(record("hello"))
    assert "\x1b[" in formatter("console", colors=True).format(record("hello"))


@pytest.mark.parametrize("form", ["json", "console"])
@pytest.mark.parametrize(
    ("message", "extra", "bound"),
    [
        ("by the context", {"run": "r1", "state": "A", "attempt": 2}, {}),
        ("%s at 100 %% redis://ada:secret99@host/0", {}, {"run": "r1", "step": 3, "crew": "my crew"}),
        ("Task received", {"data": {"args": "(r1 #2 BUILD attempt 2 BuilderCrew)"}}, {"state": "A=B"}),
        ("Task received", {"data": {"args": "(r1)"}}, {}),
        ("a long one: " + "x" * 900 + "\nüber zwei Zeilen", {}, {}),
    ],
)
def test_the_quick_way_writes_what_the_whole_way_writes(
    form: str, message: str, extra: dict[str, Any], bound: dict[str, Any]
) -> None:
    quick = formatter(form)
    assert isinstance(quick, Quick)
    arguments = ("it is",) if "%s" in message else ()
    record = logging.getLogger("some.library").makeRecord(
        "some.library", logging.WARNING, "file.py", 1, message, arguments, None, extra=extra
    )
    with telling(**bound):
        one, other = quick.format(record), quick._whole.format(record)
    assert told(one, form) == told(other, form)


def told(line: str, form: str) -> Any:
    """The line without its time; objects have no order."""
    if form == "json":
        return {name: value for name, value in json.loads(line).items() if name != "timestamp"}
    return line.partition(" ")[2]


@pytest.mark.parametrize("form", ["console", "json"])
def test_where_content_is_encrypted_a_workers_own_log_says_only_that_a_crew_said_something(form: str) -> None:
    discreet = Discreet(formatter(form))
    try:
        raise ValueError("marmalade")
    except ValueError as error:
        raised = (type(error), error, error.__traceback__)

    def told(name: str, *, error: Any = None) -> str:
        record = logging.LogRecord(name, logging.ERROR, __file__, 1, "about %s", ("marmalade",), error)
        return discreet.format(record)

    with telling(run="r1"):
        for name in ("zts.crew", "celery.redirected", "my_library"):
            assert "marmalade" not in told(name)
            assert "(kept with the run: zts logs r1)" in told(name)
        assert "about marmalade" in told("zts_worker.step_runner"), "the engine tells names and numbers"
        line = told("zts.crew", error=raised)
        assert ("ValueError" in line, "marmalade" in line, "Traceback" in line) == (True, False, False)
    assert "about marmalade" in told("zts.crew"), "outside of a run there is nothing to hide"
    assert "Traceback" not in told("celery.app.trace", error=raised)
