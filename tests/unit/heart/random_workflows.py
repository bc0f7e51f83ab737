"""Decides what random workflows look like: all node kinds nested, conditions over a few small fields, small outputs."""

from __future__ import annotations

import random
from typing import Any

from tests.unit.heart.playing import Raw, with_namespaces
from zts_core.workflow.model import Workflow
from zts_core.workflow.plan import Plan, compile_plan

NAMESPACES = ("a", "b", "c", "d")
WORKFLOWS = ("main", "one", "two")
MERGES = (None, None, "first", "last", "union", "max")


class Maker:
    """Makes workflows out of one source of randomness; states are told apart by their numbers."""

    def __init__(self, rng: random.Random, *, approvals: bool = True, depth: int = 3) -> None:
        self.rng = rng
        self.approvals = approvals
        self.depth = depth
        self.states = 0

    def plan(self) -> Plan:
        """A workflow `main` that may call and escalate into two others; calls only go down."""
        library = {}
        for level, name in enumerate(WORKFLOWS):
            start = [self.step(), self.step()] if name == "main" else []
            nodes = start + self.nodes(self.depth, callable_=WORKFLOWS[level + 1 :], most=4)
            library[name] = Workflow.model_validate({"name": name, "sequence": nodes})
        return with_namespaces(compile_plan("main", library))

    def nodes(self, depth: int, *, callable_: tuple[str, ...], most: int) -> list[Raw]:
        return [self.node(depth, callable_) for _ in range(self.rng.randint(1, most))]

    def node(self, depth: int, callable_: tuple[str, ...]) -> Raw:
        kinds = (
            ["step"] * 5 + (["approval"] if self.approvals else []) + (["terminal"] if self.rng.random() < 0.4 else [])
        )
        if depth:
            kinds += ["parallel"] * 4 + ["loop"] * 3 + ["foreach"] * 3 + ["sequence"] + (["call"] if callable_ else [])
        kind = self.rng.choice(kinds)
        made: Raw = getattr(self, kind)(depth - 1, callable_)
        if kind == "terminal":
            # A terminal that always ends the run leaves nothing to look at behind it.
            return {**made, "conditions": [self.condition(on_fail="skip")]}
        return {**made, "conditions": self.gate()}

    def step(self, _depth: int = 0, _callable: tuple[str, ...] = ()) -> Raw:
        return {
            "state": self.name("S"),
            "crew": self.rng.choice(NAMESPACES),
            "on_error": "continue" if self.rng.random() < 0.9 else "fail",
            "retry_attempts": self.rng.choice([0, 1, 3]),
        }

    def terminal(self, _depth: int, _callable: tuple[str, ...]) -> Raw:
        return {"state": self.rng.choice(["COMPLETED", "COMPLETED", "REJECTED", "FAILED"])}

    def approval(self, _depth: int, _callable: tuple[str, ...]) -> Raw:
        body: Raw = {"state": self.name("Q"), "prompt": "?"}
        if self.rng.random() < 0.3:
            body |= {"timeout": 5, "on_timeout": self.rng.choice(["approve", "approve", "reject"])}
        return {"approval": body}

    def parallel(self, depth: int, callable_: tuple[str, ...]) -> Raw:
        raw: Raw = {"parallel": self.nodes(depth, callable_=callable_, most=3)}
        merge = self.rng.choice(MERGES)
        return {**raw, "merge": merge} if merge else raw

    def sequence(self, depth: int, callable_: tuple[str, ...]) -> Raw:
        return {"sequence": self.nodes(depth, callable_=callable_, most=3)}

    def loop(self, depth: int, callable_: tuple[str, ...]) -> Raw:
        breaks = [{**self.condition(), "then": self.rng.choice([*["continue"] * 8, "reject", "fail"])}]
        body: Raw = {
            "state_prefix": self.name("L"),
            "max_iterations": self.rng.randint(1, 5),
            "sequence": self.nodes(depth, callable_=callable_, most=2),
            "on_exhausted": self.rng.choice([*["continue"] * 8, "stop", {"escalate_to": self.target()}]),
            "break_conditions": breaks[: self.rng.randint(0, 1)],
        }
        return {"loop": body}

    def foreach(self, _depth: int, _callable: tuple[str, ...]) -> Raw:
        before = self.step()
        inner = {**self.step(), "conditions": self.gate()}
        body: Raw = {"over": f"{before['crew']}.items", "as": "item", "step": inner}
        merge, width = self.rng.choice(MERGES), self.rng.choice([None, 1, 2])
        body |= {"merge": merge} if merge else {}
        body |= {"max_parallel": width} if width else {}
        # Mostly there is a list to go over; sometimes an older one, or none.
        return {"sequence": [before, {"foreach": body}]} if self.rng.random() < 0.8 else {"foreach": body}

    def call(self, _depth: int, callable_: tuple[str, ...]) -> Raw:
        return {"call": {"workflow": self.rng.choice(callable_)}}

    def gate(self) -> list[Raw]:
        if self.rng.random() < 0.7:
            return []
        on_fail = self.rng.choice([None, *["skip"] * 6, "stop", {"escalate_to": self.target()}])
        return [self.condition(on_fail=on_fail)]

    def condition(self, on_fail: Any = None, depth: int = 2) -> Raw:
        kind = self.rng.choice(["leaf", "leaf", "leaf", "all", "any", "not"]) if depth else "leaf"
        if kind == "leaf":
            raw = self.leaf()
        elif kind == "not":
            raw = {"not": self.condition(depth=depth - 1)}
        else:
            raw = {kind: [self.condition(depth=depth - 1) for _ in range(self.rng.randint(1, 2))]}
        return {**raw, "on_fail": on_fail} if on_fail else raw

    def leaf(self) -> Raw:
        name, operator, value = self.rng.choice(
            [
                ("ok", "==", True),
                ("ok", "!=", True),
                ("n", ">", 0),
                ("n", "<=", 1),
                ("n", "in", [0, 2]),
                ("n", "exists", True),
                ("ok", "exists", False),
                ("count", ">", 1),
                ("failed", "==", 0),
            ]
        )
        return {"field": f"{self.rng.choice(NAMESPACES)}.{name}", "operator": operator, "value": value}

    def target(self) -> str:
        return self.rng.choice(WORKFLOWS)

    def name(self, prefix: str) -> str:
        self.states += 1
        return f"{prefix}{self.states}"


def fate(seed: int, state: str) -> tuple[str, Raw]:
    """What becomes of a step: the same for the same state, whoever asks and when."""
    rng = random.Random(f"{seed}:{state}")
    if rng.random() < 0.08:
        return "failed", {}
    output: Raw = {"ok": rng.random() < 0.6, "n": rng.randint(0, 2), "items": list(range(rng.choice([0, 1, 2, 2, 3])))}
    if rng.random() < 0.03:
        output.pop(rng.choice(sorted(output)))
    return "done", output


def answer(seed: int, state: str) -> str:
    """What a person says to a question."""
    return "rejected" if random.Random(f"{seed}:{state}").random() < 0.05 else "approved"
