"""For authors of crews: run a crew without Redis, check its contract, say what its agents answer.

output = run_crew(PricingCrew, idea="A log for bee hives ...", earlier={"validation": {"passed": True}})
assert_contract(PricingCrew)
run_crew(SloganCrew, models=ScriptedModels({"slogan/writer": {"text": "Hives in hand", "tone": "plain"}}))
"""

from zts_worker.testing.context import IDEAS, TestArtifacts, TestContext, TestEarlierArtifacts
from zts_worker.testing.models import ScriptedModels
from zts_worker.testing.running import assert_contract, run_crew

__all__ = [
    "IDEAS",
    "ScriptedModels",
    "TestArtifacts",
    "TestContext",
    "TestEarlierArtifacts",
    "assert_contract",
    "run_crew",
]
