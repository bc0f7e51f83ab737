"""Decides how a process is configured: the only reader of the environment.

Environment variables `ZTS_*` and a `.env` file in the current folder are read once, at the start of a process.
`REDIS_URL`, `NEO4J_URI`, `NEO4J_USER`, `NEO4J_PASSWORD` and `PROMETHEUS_PORT` are honoured without the prefix too.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from platformdirs import user_data_path
from pydantic import BeforeValidator, Field, SecretStr, ValidationError

from zts_core import limits
from zts_core.environment import FromEnvironment, read_file, variables
from zts_core.errors import SettingInvalid
from zts_core.redis_url import one_redis

LOCAL_REDIS = "redis://127.0.0.1:6379/0"
"""Where a Redis on this host is looked for when none is configured."""
EMBEDDED = "embedded"
"""As REDIS_URL: the embedded stack, whatever runs on this host."""


def _read_by(read: Callable[[str], object]) -> BeforeValidator:
    """Text of the environment in this project's own spelling; what a program hands over is taken as it is."""
    return BeforeValidator(lambda value: read(value) if isinstance(value, str) else value)


PerProvider = Annotated[dict[str, int], _read_by(limits.per_provider)]
CrewBudgets = Annotated[dict[str, limits.Budget], _read_by(lambda text: limits.crew_budgets(limits.words(text)))]


CrewLimits = Annotated[dict[str, int], _read_by(limits.crew_limits)]


class Settings(FromEnvironment):
    """Everything that can be configured; times in seconds, sizes in bytes."""

    prefix: ClassVar[str] = "ZTS_"

    redis_url: Annotated[SecretStr | None, variables("ZTS_REDIS_URL", "REDIS_URL")] = None
    broker_url: SecretStr | None = None
    data_folder: Path = Field(default_factory=lambda: user_data_path("zerotoship"))
    artifacts: str | None = None
    encryption_key: SecretStr | None = None
    workflows: Path | None = None
    watchdog: Literal["inline", "chord"] = "inline"
    max_steps: Annotated[int, Field(ge=1, le=100_000)] = 10_000
    default_max_steps: Annotated[int, Field(ge=1, le=100_000)] = 50
    run_deadline: Annotated[float, Field(gt=0, le=30 * 24 * 3600)] = 24 * 3600.0
    retention: Annotated[float, Field(gt=0, le=100 * 365 * 24 * 3600)] = 30 * 24 * 3600.0
    lease: Annotated[float, Field(ge=1, le=3600)] = 10.0
    stay: Annotated[float, Field(ge=0, le=60)] = 0.02
    shutdown: Annotated[float, Field(ge=0, le=24 * 3600)] = 10.0
    takeovers: Annotated[int, Field(ge=0, le=100)] = 3
    tick: Annotated[float, Field(ge=0.1, le=60)] = 1.0
    resend_after: Annotated[float, Field(ge=1, le=3600)] = 10.0
    output_inline_bytes: Annotated[int, Field(ge=1024)] = 64 * 1024
    output_bytes: Annotated[int, Field(ge=1024)] = limits.SizeLimits.output
    file_bytes: Annotated[int, Field(ge=1024)] = limits.SizeLimits.file
    run_bytes: Annotated[int, Field(ge=1024)] = limits.SizeLimits.run
    crew_limits: CrewLimits = Field(default_factory=dict)
    fan_out_window: Annotated[int, Field(ge=1, le=10_000)] = 20
    backoff: Annotated[float, Field(ge=0, le=3600)] = 1.0
    backoff_max: Annotated[float, Field(ge=0, le=24 * 3600)] = 300.0
    redis_timeout: Annotated[float, Field(ge=0.1, le=300)] = 5.0
    neo4j_uri: Annotated[SecretStr | None, variables("ZTS_NEO4J_URI", "NEO4J_URI")] = None
    neo4j_user: Annotated[str, variables("ZTS_NEO4J_USER", "NEO4J_USER")] = "neo4j"
    neo4j_password: Annotated[SecretStr | None, variables("ZTS_NEO4J_PASSWORD", "NEO4J_PASSWORD")] = None
    neo4j_database: Annotated[str | None, variables("ZTS_NEO4J_DATABASE", "NEO4J_DATABASE")] = None
    graph_url: str | None = None
    graph_content: bool | None = None
    graph_timeout: Annotated[float, Field(ge=1, le=600)] = 30.0
    submit_deadline: Annotated[float, Field(ge=0.5, le=300)] = 15.0
    idea_bytes: Annotated[int, Field(ge=1)] = 256 * 1024
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    log_format: Literal["console", "json"] = "console"
    run_log: bool = True
    prometheus_port: Annotated[int, Field(ge=0, le=65535), variables("ZTS_PROMETHEUS_PORT", "PROMETHEUS_PORT")] = 8000
    prometheus_host: str = "127.0.0.1"
    metrics_runs: Annotated[int, Field(ge=0, le=1000)] = 20
    otel_traces_exporter: Annotated[str, variables("OTEL_TRACES_EXPORTER")] = ""
    otel_endpoint: Annotated[str, variables("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")] = ""
    otel_protocol: Annotated[str, variables("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")] = (
        "http/protobuf"
    )
    otel_schedule_delay: Annotated[int, Field(ge=1, le=3_600_000), variables("OTEL_BSP_SCHEDULE_DELAY")] = 500
    traceparent: Annotated[str, variables("TRACEPARENT")] = ""
    otel_sdk_disabled: Annotated[bool, variables("OTEL_SDK_DISABLED")] = False
    model: str | None = None
    crew_models: dict[str, str] = Field(default_factory=lambda: _crew_models())
    model_base_url: str | None = None
    model_api_key: SecretStr | None = None
    openai_api_key: Annotated[SecretStr | None, variables("OPENAI_API_KEY")] = None
    anthropic_api_key: Annotated[SecretStr | None, variables("ANTHROPIC_API_KEY")] = None
    google_api_key: Annotated[SecretStr | None, variables("GOOGLE_API_KEY", "GEMINI_API_KEY")] = None
    model_output: Literal["auto", "native", "tool", "prompted"] = "auto"
    model_timeout: Annotated[float, Field(gt=0, le=3600)] = 120.0
    model_repairs: Annotated[int, Field(ge=0, le=10)] = 2
    model_max_tokens: Annotated[int, Field(ge=64, le=1_000_000)] = 4096
    model_answer_bytes: Annotated[int, Field(ge=1024, le=100_000_000)] = 2_000_000
    model_requests_per_minute: PerProvider = Field(default_factory=dict)
    model_tokens_per_minute: PerProvider = Field(default_factory=dict)
    model_record_bytes: Annotated[int, Field(ge=0, le=1_000_000)] = 4000
    prompts: Path | None = None
    prices: Path | None = None
    budget_usd: Annotated[float | None, Field(ge=0, le=1_000_000)] = None
    budget_tokens: Annotated[int, Field(ge=0, le=1_000_000_000)] = 1_000_000
    crew_budgets: CrewBudgets = Field(default_factory=dict)

    @property
    def artifact_place(self) -> str:
        """Where crews' files are kept: `ZTS_ARTIFACTS` (a folder, an fsspec URL), or a folder below the data folder."""
        if self.artifacts and "://" in self.artifacts:
            return self.artifacts
        return str(Path(self.artifacts or self.data_folder / "artifacts").expanduser().absolute())

    @property
    def encryption_keys(self) -> str:
        """The keys that all content of runs is encrypted with; empty where it is not."""
        return self.encryption_key.get_secret_value() if self.encryption_key else ""

    @property
    def content_in_graph(self) -> bool:
        """Whether the graph holds what runs are about; where it is not said, it does unless that is encrypted."""
        return not self.encryption_keys if self.graph_content is None else self.graph_content

    @property
    def sizes(self) -> limits.SizeLimits:
        """How much outputs and files may take."""
        return limits.SizeLimits(self.output_bytes, self.file_bytes, self.run_bytes)

    @property
    def traced(self) -> bool:
        """Whether spans are written: one of OpenTelemetry's own variables says where to."""
        asked = bool(self.otel_traces_exporter or self.otel_endpoint)
        return asked and self.otel_traces_exporter != "none" and not self.otel_sdk_disabled

    @property
    def store_url(self) -> str:
        """Address of the Redis that holds the runs, as `redis_url` spells it."""
        return self.redis_url.get_secret_value() if self.redis_url else LOCAL_REDIS

    @property
    def queue_url(self) -> str:
        """Address of the broker: the store's Redis unless `ZTS_BROKER_URL` names another."""
        return self.broker_url.get_secret_value() if self.broker_url else self.store_url

    @property
    def broker_is_store(self) -> bool:
        """Whether the broker is the database of the run store."""
        return one_redis(self.store_url, self.queue_url)


def _crew_models() -> dict[str, str]:
    """Models of single crews: `ZTS_MODEL_VALIDATOR=...` gives `{"validator": "..."}`."""
    known = {**read_file(".env"), **os.environ}
    lower = {name.lower().removeprefix("zts_"): value for name, value in known.items() if name[:4].upper() == "ZTS_"}
    named = {name: value for name, value in lower.items() if name.startswith("model_") and value}
    return {name.removeprefix("model_"): value for name, value in named.items() if name not in Settings.model_fields}


def misspelled_settings() -> list[str]:
    """A line for each variable that is nearly a setting's name and none: it would be passed over in silence."""
    known = {name for field in Settings.model_fields for name in Settings.variables_of(field)}
    given = sorted({name.upper() for name in (*os.environ, *read_file(".env")) if name[:4].upper() == "ZTS_"} - known)
    named = [name for name in given if not name.startswith("ZTS_MODEL_")]
    meant = [(name, nearest(name, known)) for name in named]
    return [f"{name} is no setting; did you mean {other}?" for name, other in meant if other]


def nearest(name: str, known: set[str]) -> str:
    """The known name that it is a slip away from; empty where there is none: others may use our prefix."""
    from difflib import get_close_matches

    return next(iter(get_close_matches(name, sorted(known), n=1, cutoff=0.85)), "")


def adopt_telemetry() -> None:
    """Let OpenTelemetry, which reads the environment by itself, see what `.env` says about it."""
    for name, value in read_file(".env").items():
        if name.startswith("OTEL_"):
            os.environ.setdefault(name, value)


def read_settings() -> Settings:
    """The settings of this process; SettingInvalid names every value that does not fit, with its cure."""
    try:
        return Settings()
    except ValidationError as error:
        lines = [_complaint(_culprit(str(problem["loc"][0])), problem) for problem in error.errors()]
        raise SettingInvalid("; ".join(lines)) from None
    except (OSError, UnicodeDecodeError) as error:
        raise SettingInvalid(f".env in the current folder cannot be read ({error}); correct or remove it") from None


def _culprit(field: str) -> str:
    """The variable that gave a field its value."""
    names = Settings.variables_of(field)
    known = {**read_file(".env"), **os.environ}
    return next((name for name in names if known.get(name)), names[0])


def _complaint(variable: str, problem: object) -> str:
    details = problem if isinstance(problem, dict) else {}
    secret = any(word in variable.lower() for word in ("url", "key", "password"))
    shown = "(hidden)" if secret else repr(details.get("input"))
    return f"{variable}={shown} does not fit: {str(details.get('msg', '')).lower()}; correct or unset {variable}"
