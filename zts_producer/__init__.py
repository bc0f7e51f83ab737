"""Decides what users of the producer side import: `Client`, `ZeroToShipOrchestrator` and what they return.

The names are loaded when they are first used, so that `import zts_producer` costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from zts_producer.client import Client
    from zts_producer.health import Health
    from zts_producer.orchestrator import Project, ZeroToShipOrchestrator
    from zts_producer.view import RunView

__all__ = ["Client", "Health", "Project", "RunView", "ZeroToShipOrchestrator"]

_HOMES = {
    "Client": "zts_producer.client",
    "Health": "zts_producer.health",
    "Project": "zts_producer.orchestrator",
    "RunView": "zts_producer.view",
    "ZeroToShipOrchestrator": "zts_producer.orchestrator",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
