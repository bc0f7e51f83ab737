"""LangGraph with checkpoints in SQLite: a library without workers, so many runs go through two processes of ours."""

import operator
import os
import subprocess
import sys
import uuid
from typing import Annotated, TypedDict

from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import END, START, StateGraph
from langgraph.types import Send
from serving import FOLDER, ME, RESULT, Bell, Peer, ring, serve


class State(TypedDict, total=False):
    number: int
    last: dict
    parts: Annotated[list, operator.add]


def step(state):
    return {"number": state.get("number", 0) + 1, "last": RESULT}


def sequence_of(steps):
    graph = StateGraph(State)
    for number in range(steps):
        graph.add_node(f"s{number}", step)
        graph.add_edge(f"s{number - 1}" if number else START, f"s{number}")
    graph.add_edge(f"s{steps - 1}", END)
    return graph


def fan_of(width):
    graph = StateGraph(State)
    graph.add_node("first", step)
    graph.add_node("part", lambda _state: {"parts": [RESULT]})
    graph.add_node("join", step)
    graph.add_edge(START, "first")
    graph.add_conditional_edges("first", lambda _state: [Send("part", {}) for _ in range(width)], ["part"])
    graph.add_edge("part", "join")
    graph.add_edge("join", END)
    return graph


def invoke(app) -> None:
    place = {"configurable": {"thread_id": uuid.uuid4().hex}, "recursion_limit": 1000}
    app.invoke({"number": 0}, place, durability="sync")


class LanggraphSqlite(Peer):
    packages = ("langgraph", "langgraph-checkpoint-sqlite")

    def __init__(self) -> None:
        super().__init__()
        self.bell = Bell()
        self.context = SqliteSaver.from_conn_string(str(FOLDER / "here.db"))
        self.saver = self.context.__enter__()
        self.pipes = [self.spawn_reader(name) for name in ("one", "two")]
        self.bell.wait(2)

    def spawn_reader(self, name: str):
        process = subprocess.Popen(
            [sys.executable, ME, "worker", name],
            env=dict(os.environ),
            stdin=subprocess.PIPE,
            stdout=sys.stderr,
            text=True,
            start_new_session=True,
        )
        self.processes.append(process)
        return process.stdin

    def sequence(self, steps: int) -> None:
        invoke(sequence_of(steps).compile(checkpointer=self.saver))

    def many(self, runs: int, steps: int) -> None:
        for pipe in self.pipes:
            print(runs // 2, steps, file=pipe, flush=True)
        self.bell.wait(2)

    def fan_out(self, width: int) -> None:
        invoke(fan_of(width).compile(checkpointer=self.saver))


def work(name: str) -> None:
    with SqliteSaver.from_conn_string(str(FOLDER / f"{name}.db")) as saver:
        ring()
        for line in sys.stdin:
            runs, steps = map(int, line.split())
            app = sequence_of(steps).compile(checkpointer=saver)
            for _ in range(runs):
                invoke(app)
            ring()


if __name__ == "__main__":
    if sys.argv[1:2] == ["worker"]:
        work(sys.argv[2])
    else:
        serve(LanggraphSqlite)
