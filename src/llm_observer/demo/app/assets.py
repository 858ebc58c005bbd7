"""The application's texts: the handbook and guides that its prompts are made of, its tools, and today's inbox."""

import json
from pathlib import Path
from typing import Any

_data = Path(__file__).parent / "data"

HANDBOOK = (_data / "handbook.md").read_text("utf-8")
TRIAGE_GUIDE = (_data / "triage.md").read_text("utf-8")
FEEDBACK_GUIDE = (_data / "feedback.md").read_text("utf-8")
TOOLS: list[dict[str, Any]] = json.loads((_data / "tools.json").read_text("utf-8"))
INBOX: dict[str, list[Any]] = json.loads((_data / "inbox.json").read_text("utf-8"))
