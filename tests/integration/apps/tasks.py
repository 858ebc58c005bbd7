"""A Celery application whose one task makes one call."""

import importlib
import os
from typing import Any

import openai

import llm_observer

llm_observer.patch()

FOLDER = os.environ["QUEUE_FOLDER"]
celery: Any = importlib.import_module("celery")  # untyped, and not installed with the other tests
app: Any = celery.Celery("tasks", broker="filesystem://")
app.conf.broker_transport_options = {"data_folder_in": FOLDER, "data_folder_out": FOLDER, "control_folder": FOLDER}


def ask() -> None:
    """Make the call."""
    with openai.OpenAI(max_retries=0) as client:
        client.chat.completions.create(model="gpt-4.1", messages=[{"role": "user", "content": "Where is my spade?"}])


app.task(name="ask")(ask)

if __name__ == "__main__":
    for _ in range(4):
        app.send_task("ask")
