"""A flowchart draws whatever it is told without letting it act on Mermaid."""

from __future__ import annotations

from zts_core.graph.flowchart import Flowchart


def test_labels_cannot_break_out_of_their_boxes() -> None:
    chart = Flowchart()
    chart.box("a", 'x"] --> n9["<b>', "two\nlines")
    assert str(chart).splitlines()[1:] == ['  n1["x#34;#93; --#62; n9#91;#34;#60;b#62;<br/>two lines"]']


def test_an_arrow_is_drawn_once_and_only_between_boxes() -> None:
    chart = Flowchart()
    chart.box("a", "A")
    chart.box("b", "B")
    for target in ("b", "b", "unknown"):
        chart.arrow("a", target)
    assert str(chart).splitlines()[-1] == "  n1 --> n2"
    assert str(chart).count("-->") == 1


def test_boxes_look_as_what_became_of_them() -> None:
    chart = Flowchart()
    for number, status in enumerate(("done", "lost", "reused", "unheard of", "done")):
        chart.box(str(number), status, status=status)
    assert str(chart).splitlines()[-3:] == ["  class n1,n5 done", "  class n2 failed", "  class n3 reused"]
