"""An application whose calls are made by child processes of one kind or another."""

import multiprocessing
import os
import signal
import sys
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import openai

import llm_observer

llm_observer.patch()


def call(n: int = 0) -> None:
    with openai.OpenAI(max_retries=0) as client:
        client.chat.completions.create(model="gpt-4.1", messages=[{"role": "user", "content": f"Question {n}"}])


def processes(kind: str) -> None:
    """Two processes of `multiprocessing`."""
    context: Any = multiprocessing.get_context(kind)
    children = [context.Process(target=call) for _ in range(2)]
    for child in children:
        child.start()
    for child in children:
        child.join()


def executor() -> None:
    """A pool that lives as long as its work."""
    with ProcessPoolExecutor(2, multiprocessing.get_context("fork")) as pool:
        list(pool.map(call, range(3)))


def recycled() -> None:
    """A pool whose workers end after each task, as Celery's do with `--max-tasks-per-child`."""
    pool = multiprocessing.get_context("fork").Pool(1, maxtasksperchild=1)
    pool.map(call, range(2), chunksize=1)
    pool.close()
    pool.join()


def fork() -> None:
    """A child that ends as programs do, and one that ends at once, having flushed."""
    for at_once in (False, True):
        pid = os.fork()
        if not pid:
            call()
            if at_once:
                llm_observer.flush()
                os._exit(0)
            sys.exit()
        os.waitpid(pid, 0)


def terminated() -> None:
    """SIGTERM with a handler, as servers have one."""
    signal.signal(signal.SIGTERM, lambda _signal, _frame: sys.exit())
    call()
    os.kill(os.getpid(), signal.SIGTERM)


KINDS = {
    "fork": lambda: (processes("fork"), executor(), recycled(), fork()),
    "spawn": lambda: (processes("spawn"), processes("forkserver")),
    "terminated": terminated,
}
if __name__ == "__main__":
    call()
    KINDS[sys.argv[1]]()
