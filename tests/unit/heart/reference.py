"""Decides what a workflow does by walking it the naive way: a program of generators, written from the language alone.

It shares no idea of structure with the heart: every node is a generator that asks for a crew or for several programs
together, and a small scheduler resumes whatever is answered. What both agree on is the language's meaning.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from zts_core.workflow.model import (
    All,
    Any_,
    Approval,
    Call,
    Condition,
    EscalateTo,
    Foreach,
    ForeachBody,
    Leaf,
    Loop,
    Node,
    Not,
    Parallel,
    Step,
    Terminal,
    Workflow,
)
from zts_core.workflow.model import Sequence as SequenceNode

Data = dict[str, Any]
Told = tuple[str, str]
"""How a node was left (ok, failed, rejected, escalate, end), and the workflow or outcome it names."""

OK: Told = ("ok", "")
Program = Generator[Any, Any, Told]


@dataclass
class Value:
    """An output and what makes it the same as another to somebody who looks for progress."""

    data: Data
    identity: Any


@dataclass
class Scope:
    """Where a node writes; it sees what the scopes around it hold as well."""

    around: Scope | None = None
    own: dict[str, Value] = field(default_factory=dict)
    blocks: list[Block] = field(default_factory=list)
    skipped: bool = False

    def all(self) -> dict[str, Value]:
        return {**(self.around.all() if self.around else {}), **self.own}

    def data(self) -> Data:
        return {name: value.data for name, value in self.all().items()}

    def fold(self) -> None:
        for block in self.blocks:
            for scope in block.scopes:
                scope.fold()
            if any(scope.own for scope in block.scopes):  # what has just begun has nothing to leave yet
                block.join()
        self.blocks.clear()


@dataclass
class Block:
    """Scopes of a parallel or foreach, and what joins them into the scope around."""

    scopes: list[Scope]
    join: Callable[[], None]


@dataclass
class Request:
    """A crew (or a person) is asked. `place` is where, for those inside of loops."""

    state: str
    crew: str
    sees: Data
    keep: Callable[[Data], None]
    node: Step | Approval
    place: Any = None

    @property
    def is_step(self) -> bool:
        return isinstance(self.node, Step)


@dataclass
class Together:
    """Several programs at once, no more than `width` at a time; answered with what each told."""

    programs: Sequence[Program]
    width: int


@dataclass(frozen=True)
class Around:
    """Where a node stands: labels and static place so far, and what it is directly inside of."""

    labels: tuple[str, ...] = ()
    place: tuple[Any, ...] = ()
    looped: bool = False
    alone_in_loop: bool = False
    beside: bool = False

    def at(self, index: Any) -> Around:
        return Around(self.labels, (*self.place, index), self.looped)


class Reference:
    """A run of a workflow. `open` are the requests that wait for an answer, by ticket."""

    def __init__(self, root: str, workflows: Mapping[str, Workflow], *, max_steps: int) -> None:
        self.workflows = workflows
        self.max_steps = max_steps
        self.scope = Scope()
        self.started: list[Request] = []
        self.outcome = ""
        self.ended = ""
        self.open: dict[int, Request] = {}
        self._resume: dict[int, Callable[[Any], None]] = {}
        self._fresh: list[tuple[Request, Callable[[Any], None]]] = []
        self._seen: dict[Any, int] = {}
        self._tickets = 0
        self._start(self._whole(root), self._end)
        self._send_wave()

    def settle(self, answers: Mapping[int, tuple[str, Data]]) -> None:
        """Answer some requests at once: (done | failed | approved | rejected, output)."""
        for ticket, (status, output) in answers.items():
            request, resume = self.open.pop(ticket), self._resume.pop(ticket)
            if status == "done":
                request.keep(output)
            if not self.outcome:
                resume(status)
        self._send_wave()

    @property
    def data(self) -> Data:
        return self.scope.data()

    # scheduling

    def _start(self, program: Program, end: Callable[[Told], None]) -> None:
        self._step(program, end, None)

    def _step(self, program: Program, end: Callable[[Told], None], answer: Any) -> None:
        try:
            asked = program.send(answer)
        except StopIteration as stop:
            end(stop.value)
            return

        def resume(answer: Any) -> None:
            self._step(program, end, answer)

        if isinstance(asked, Request):
            self._fresh.append((asked, resume))
        else:
            self._run_together(asked, resume)

    def _run_together(self, asked: Together, resume: Callable[[Any], None]) -> None:
        told: dict[int, Told] = {}
        waiting = list(enumerate(asked.programs))

        def start_next() -> None:
            index, program = waiting.pop(0)

            def end(one: Told) -> None:
                told[index] = one
                if waiting:
                    start_next()
                elif len(told) == len(asked.programs):
                    resume([told[index] for index in sorted(told)])

            self._start(program, end)

        if not waiting:
            resume([])
        for _ in range(min(asked.width, len(waiting))):
            if waiting:
                start_next()

    def _send_wave(self) -> None:
        fresh, self._fresh = self._fresh, []
        steps = [request for request, _ in fresh if request.is_step]
        if not self.outcome and len(self.started) + len(steps) > self.max_steps:
            self.outcome = "halted_step_cap"
        elif not self.outcome and self._goes_round(steps):
            self.outcome = "halted_loop"
        if not self.outcome:
            self.started += steps
            for request, resume in fresh:
                self._tickets += 1
                self.open[self._tickets] = request
                self._resume[self._tickets] = resume
        if self.outcome:  # an ending run lets steps at work end, but waits for nobody's answer
            self.open = {ticket: asked for ticket, asked in self.open.items() if asked.is_step}
        if self.outcome and not self.open and not self.ended:
            self.scope.fold()
            self.ended = self.outcome

    def _goes_round(self, steps: list[Request]) -> bool:
        for request in steps:
            if request.place is not None:
                self._seen[request.place] = self._seen.get(request.place, 0) + 1
        return any(self._seen.get(request.place, 0) >= 3 for request in steps)

    def _end(self, told: Told) -> None:
        kind, what = told
        names = {"ok": "completed", "failed": "failed", "rejected": "rejected"}
        self.outcome = names.get(kind, what)

    # the language

    def _whole(self, root: str) -> Program:
        route, name = [root], root
        while True:
            kind, what = yield from self._in_order(self.workflows[name].sequence, self.scope, Around(place=(name,)))
            if kind != "escalate":
                return kind, what
            if what in route:
                return "end", "halted_loop"
            route.append(what)
            name = what

    def _in_order(self, nodes: Sequence[Node], scope: Scope, around: Around) -> Program:
        for index, node in enumerate(nodes):
            told = yield from self._node(node, scope, around.at(index))
            if told != OK:
                return told
        return OK

    def _node(self, node: Node, scope: Scope, around: Around) -> Program:
        for condition in node.conditions:
            if not is_true(condition, scope.data()):
                on_fail = condition.on_fail or ("skip" if around.beside else "stop")
                if isinstance(on_fail, EscalateTo):
                    return "escalate", on_fail.escalate_to
                scope.skipped = on_fail == "skip"
                return OK if on_fail == "skip" else ("rejected", "")
        told: Told = yield from _MEANING[type(node)](self, node, scope, around)
        return told

    def _step_node(self, node: Step, scope: Scope, around: Around) -> Program:
        def keep(output: Data) -> None:
            scope.own[node.crew] = Value(output, repr(output))

        labels = around.labels if around.alone_in_loop else (*around.labels, node.state)
        status = yield Request(".".join(labels), node.crew, scope.data(), keep, node, _place(scope, around))
        return OK if status == "done" or node.on_error == "continue" else ("failed", "")

    def _approval(self, node: Approval, scope: Scope, around: Around) -> Program:
        label = ".".join((*around.labels, node.approval.state))
        status = yield Request(label, "", {}, lambda _: None, node)
        return OK if status == "approved" else ("rejected", "")

    def _terminal(self, node: Terminal, scope: Scope, around: Around) -> Program:
        yield from ()
        return "end", node.state.lower()

    def _sequence(self, node: SequenceNode, scope: Scope, around: Around) -> Program:
        return (yield from self._in_order(node.sequence, scope, around))

    def _call(self, node: Call, scope: Scope, around: Around) -> Program:
        name = node.call.workflow
        inside = Around((*around.labels, name), (*around.place, name), around.looped)
        told = yield from self._in_order(self.workflows[name].sequence, scope, inside)
        return OK if told == ("end", "completed") else told

    def _parallel(self, node: Parallel, scope: Scope, around: Around) -> Program:
        scopes = [Scope(scope) for _ in node.parallel]
        block = Block(scopes, lambda: _merge_into(scope, scopes, node.merge or "last"))
        scope.blocks.append(block)
        places = [Around(around.labels, (*around.place, n), around.looped, beside=True) for n in range(len(scopes))]
        programs = [self._node(child, own, at) for child, own, at in zip(node.parallel, scopes, places, strict=True)]
        told = yield Together(programs, len(programs))
        scope.blocks.remove(block)
        block.join()
        return _worst(told)

    def _foreach(self, node: Foreach, scope: Scope, around: Around) -> Program:
        body = node.foreach
        namespace, _, path = body.over.partition(".")
        items = scope.data().get(namespace, {}).get(path)
        if not isinstance(items, list):
            return "failed", ""
        scopes = [Scope(scope) for _ in items]
        block = Block(scopes, lambda: _gather_into(scope, scopes, body))
        scope.blocks.append(block)
        programs = []
        for number, own in enumerate(scopes, 1):
            step = body.step.model_copy(update={"state": f"{body.step.state}[{number}]"})
            at = Around(around.labels, (*around.place, number), around.looped, beside=True)
            programs.append(self._node(step, own, at))
        told = yield Together(programs, body.max_parallel or len(programs))
        scope.blocks.remove(block)
        block.join()
        return _worst(told)

    def _loop(self, node: Loop, scope: Scope, around: Around) -> Program:
        body = node.loop
        nodes = body.sequence
        for number in range(1, body.max_iterations + 1):
            labels = (*around.labels, f"{body.state_prefix}_{number}")
            if len(nodes) == 1 and isinstance(nodes[0], Step):
                at = Around(labels, (*around.place, 0), looped=True, alone_in_loop=True)
                told = yield from self._node(nodes[0], scope, at)
            else:
                told = yield from self._in_order(nodes, scope, Around(labels, around.place, looped=True))
            if told != OK:
                return told
            for condition in body.break_conditions:
                if is_true(condition, scope.data()):
                    return {"continue": OK, "reject": ("rejected", ""), "fail": ("failed", "")}[condition.then]
        if isinstance(body.on_exhausted, EscalateTo):
            return "escalate", body.on_exhausted.escalate_to
        return OK if body.on_exhausted == "continue" else ("end", "exhausted")


_MEANING: dict[type, Any] = {
    Step: Reference._step_node,
    Approval: Reference._approval,
    Terminal: Reference._terminal,
    SequenceNode: Reference._sequence,
    Call: Reference._call,
    Parallel: Reference._parallel,
    Foreach: Reference._foreach,
    Loop: Reference._loop,
}


def _place(scope: Scope, around: Around) -> Any:
    if not around.looped:
        return None
    return around.place, repr(sorted((name, value.identity) for name, value in scope.all().items()))


def _worst(told: Sequence[Told]) -> Told:
    for kind in ("failed", "rejected", "escalate", "end"):
        for one in told:
            if one[0] == kind:
                return one
    return OK


def _merge_into(target: Scope, scopes: Sequence[Scope], policy: str) -> None:
    names = [name for scope in scopes for name in scope.own]
    for name in dict.fromkeys(names):
        versions = [scope.own[name] for scope in scopes if name in scope.own]
        target.own[name] = _merged(policy, versions)


def _merged(policy: str, versions: Sequence[Value]) -> Value:
    if len(versions) == 1 or policy == "first":
        return versions[0]
    if policy == "last":
        return versions[-1]
    data = versions[0].data
    for version in versions[1:]:
        data = _joined(policy, data, version.data)
    return Value(data, (policy, [version.identity for version in versions]))


def _joined(policy: str, old: Any, new: Any) -> Any:
    if isinstance(old, dict) and isinstance(new, dict):
        both = {name: _joined(policy, old[name], new[name]) for name in old if name in new}
        return {**old, **new, **both}
    if policy == "union" and isinstance(old, list) and isinstance(new, list):
        return old + new
    if policy == "max" and isinstance(old, (int, float)) and isinstance(new, (int, float)):
        return max(old, new)
    return new


def _gather_into(target: Scope, scopes: Sequence[Scope], body: ForeachBody) -> None:
    if body.merge:
        _merge_into(target, scopes, body.merge)
        return
    name = body.step.crew
    found = [(number, scope.own[name]) for number, scope in enumerate(scopes) if name in scope.own]
    skipped = sum(scope.skipped for scope in scopes)
    counts = {"count": len(found), "failed": len(scopes) - len(found) - skipped, "skipped": skipped}
    data = {"items": [each.data for _, each in found], **counts}
    target.own[name] = Value(data, [(number, each.identity) for number, each in found])


def is_true(condition: Condition, data: Data) -> bool:
    """Whether a condition holds, for the operators that random workflows use."""
    match condition:
        case All():
            return all(is_true(each, data) for each in condition.all)
        case Any_():
            return any(is_true(each, data) for each in condition.any)
        case Not():
            return not is_true(condition.not_, data)
        case Leaf():
            namespace, _, name = condition.field.partition(".")
            return _compares(condition.operator, data.get(namespace, {}).get(name), condition.value)


def _compares(operator: str, found: Any, value: Any) -> bool:
    if operator == "exists":
        return (found is not None) == (value is not False)
    if found is None:
        return False
    found_by: dict[str, bool] = {
        "==": found == value,
        "!=": found != value,
        "in": isinstance(value, list) and found in value,
    }
    return found_by[operator] if operator in found_by else bool(found > value if operator == ">" else found <= value)
