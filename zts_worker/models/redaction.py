"""Decides what of prompts and answers may be written down: no secrets, no addresses of people, no more than asked."""

from __future__ import annotations

import re
from collections.abc import Iterable

HIDDEN = "[hidden]"

_PATTERNS = (
    re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.S),
    re.compile(r"\b(?:sk|pk|rk)[-_][A-Za-z0-9_-]{16,}"),
    re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"),
    re.compile(r"\bAIza[A-Za-z0-9_-]{30,}"),
    re.compile(r"\b(?:ghp|gho|ghs|github_pat|glpat|xox[abp])[-_][A-Za-z0-9_-]{16,}"),
    re.compile(r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*"),
    re.compile(r"(?i)\bbearer\s+[A-Za-z0-9._~+/-]{12,}=*"),
    re.compile(r"(?<=://)[^/\s:@]{1,100}:[^/\s@]{1,200}(?=@)"),
    re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,4}"),
)
_NAMED = re.compile(r"(?i)\b(password|passwd|secret|api[_-]?key|token)(\"?\s*[:=]\s*\"?)([^\s\"',;]{4,})")


class Redaction:
    """Hides secrets: those of this process by value, others by their look. `most_bytes` of a text are kept."""

    def __init__(self, secrets: Iterable[str], *, most_bytes: int) -> None:
        self._secrets = sorted({secret for secret in secrets if len(secret) >= 4}, key=len, reverse=True)
        self._most_bytes = most_bytes

    def hide(self, text: str) -> str:
        """`text` without secrets and addresses."""
        for secret in self._secrets:
            text = text.replace(secret, HIDDEN)
        for pattern in _PATTERNS:
            text = pattern.sub(HIDDEN, text)
        return _NAMED.sub(rf"\1\2{HIDDEN}", text)

    def excerpt(self, text: str) -> str:
        """The beginning of `text` without secrets; empty where nothing is to be written down."""
        hidden = self.hide(text).encode("utf-8", "replace")
        if len(hidden) <= self._most_bytes:
            return hidden.decode()
        return hidden[: self._most_bytes].decode("utf-8", "ignore") + ("…" if self._most_bytes else "")
