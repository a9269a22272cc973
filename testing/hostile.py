"""Events as whoever signs up may write them: names and user agents of every kind."""

from __future__ import annotations

TEXTS = {
    "nul": r"a\u0000b",
    "lone surrogate": r"a\ud800b\udc00",
    "bidirectional": r"\u202egpj.exe\u2066",
    "control": r"\u0001\u0007\u001b[31m\u007f\u0085",
    "line ends": r"a\nb\r\nc\u2028d",
    "quotes": r"'; DROP TABLE audit_logs; --\"\\",
    "formula": "=HYPERLINK()",
    "format": "%s {0} ${HOME} {{ jinja }}",
    "emoji": "👩‍💻 e\u0301 ﷽",
    "long": "x" * 1_000_000,
    "empty": "",
}
KEYS = (
    "__proto__",
    "constructor",
    'quo\\"te',
    "k" * 300,
    "a.b",
    "a b",
    "$",
    "",
    r"\u0000",
)


def event(text: str, number: int, inner: str, at: int) -> str:
    # DuckDB reads lines of 2 MB at the most, which one long text does not fill.
    name = text if len(text) < 1_000 else '"Ada"'
    return (
        f'{{"id": "audit_log-hostile-{number:03}", "type": "login.failed",'
        f' "effective_at": {at}, "project": {{"id": "proj_x", "name": {name}}},'
        f' "actor": {{"type": "session", "session": {{"user_agent": {text},'
        f' "user": {{"id": "user-x", "email": {name}}}}}}},'
        f' "login.failed": {{"error_message": {name}, "inner": {inner}}},'
        f' "added tomorrow": {inner}}}'
    )


def hostile_events(at: float) -> list[str]:
    """Events of a time, Unix seconds."""
    texts = [f'"{text}"' for text in TEXTS.values()]
    objects = ", ".join(f'"{key}": [{{"{key}": 1}}]' for key in KEYS)
    inner = [
        *(text if len(text) < 1_000 else "null" for text in texts),
        f"{{{objects}}}",
        "[" * 500 + "]" * 500,
        '{"a":' * 3_000 + "null" + "}" * 3_000,
        "[9007199254740993, 1e-7, -0.0, 123456789012345678901234567890]",
    ]
    return [
        event(texts[number % len(texts)], number, value, int(at))
        for number, value in enumerate(inner)
    ]
