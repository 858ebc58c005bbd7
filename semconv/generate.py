"""Writes from the registry the names that the code uses, and the page that documents them.

With `--check` it writes nothing, and exits with 1 and a line for each file that is not current.
"""

import argparse
import sys
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from model import OWN, Attribute, Metric, Registry, RegistryError, Use, constant_name

SOURCE = Path(__file__).resolve().parent
ROOT = SOURCE.parent
MODULE = Path("src/llm_observer/telemetry/attributes.py")
PAGE = Path("docs/attributes.md")

EMBEDDINGS = "gen_ai.embeddings.client"
SPAN = "llm_observer.gen_ai.client.inference"
WIDTH = 120


# The module.


def module(registry: Registry) -> str:
    """The text of `attributes.py`."""
    parts = [MODULE_HEAD, f'SCHEMA_URL: Final = "{registry.schema_url}"\n', SCHEMA_URL_DOC]
    parts += [_section("Ours, on the span of a call.", registry.ours())]
    parts += [_section("OpenTelemetry's own.", registry.borrowed())]
    parts += ["# Metrics.\n\n", METRIC_CLASS]
    parts += [_metric(metric) for metric in sorted(registry.metrics.values(), key=lambda metric: metric.name)]
    return "".join(parts).rstrip("\n") + "\n"


MODULE_HEAD = '''\
"""Names of attributes and metrics: the only place where they are spelled.

Generated from semconv/ by `make generate`. Do not edit.
"""
# ruff: noqa: S105  a type of token is no password

from typing import Final, Literal, NamedTuple

'''

SCHEMA_URL_DOC = '"""The release of the conventions that these names belong to, or come closest to."""\n\n'

METRIC_CLASS = '''\

class Metric(NamedTuple):
    """What an instrument is made from.

    Attributes:
        name: The metric's name.
        unit: Its unit.
        description: One sentence.
        boundaries: Bucket boundaries to advise for a histogram, in the unit; empty for the SDK's own.
    """

    name: str
    unit: str
    description: str
    boundaries: tuple[float, ...] = ()


'''


def _section(title: str, attributes: Sequence[Attribute]) -> str:
    return f"# {title}\n\n" + "".join(_declaration(attribute) for attribute in attributes) + "\n"


def _declaration(attribute: Attribute) -> str:
    text = f'{attribute.constant}: Final = "{attribute.key}"\n{_docstring(attribute.brief)}\n'
    if attribute.members:
        alias = "".join(word.capitalize() for word in attribute.constant.split("_"))
        values = "".join(f'    "{member.value}",\n' for member in attribute.members)
        text += f"{alias} = Literal[\n{values}]\n" + _docstring(f"The values of `{attribute.key}`.") + "\n"
    return text


def _metric(metric: Metric) -> str:
    arguments = [f'name="{metric.name}"', f'unit="{metric.unit}"', f'description="{metric.brief}"']
    if metric.boundaries:
        arguments.append(f"boundaries=({', '.join(map(_number, metric.boundaries))})")
    lines = "".join(f"    {argument},\n" for argument in arguments)
    return f"METRIC_{constant_name(metric.name)}: Final = Metric(\n{lines})\n"


def _number(value: float) -> str:
    """As `ruff format` leaves it."""
    return f"{value:.5f}".rstrip("0") if isinstance(value, float) else str(value)


def _docstring(text: str) -> str:
    quoted = f'"""{text}"""'
    if len(quoted) <= WIDTH:
        return quoted + "\n"
    return "\n".join(textwrap.wrap(f'"""{text}', WIDTH, break_on_hyphens=False)) + '\n"""\n'


# The page.


def page(registry: Registry) -> str:
    """The text of `docs/attributes.md`."""
    return "\n".join([*_page(registry)]) + "\n"


PAGE_HEAD = """\
# Attributes and metrics

<!-- Generated from semconv/ by `make generate`. Do not edit. -->

What stands on the span of each call. Nothing here holds content: no prompt, completion, tool text, key, user id or
exception message. What is not known is absent, never zero. All of ours are in development: names stay, meanings may be
refined, and the changelog says when they are.
"""

METRICS_HEAD = """\
Recorded for every call, sampled or not. Those named `gen_ai.client.inference` are the conventions' newer names. They
are recorded for inference instead of the others with `OTEL_SEMCONV_STABILITY_OPT_IN=gen_ai_latest_experimental`.
"""

ITSELF_HEAD = """\
What [`stats()`](transport.md#what-is-counted) says, through the meter provider that calls are recorded with. Each is
there once there is something to tell.
"""

PAGE_SECTIONS = {
    "Prompt": {"prompt"},
    "Cost": {"cost"},
    "Cache": {"cache"},
    "Breakers": {"breaker"},
    "Call and usage": {"call", "content", "usage"},
}


def _page(registry: Registry) -> Iterator[str]:
    attributes = registry.attributes
    yield PAGE_HEAD
    uses = {use.key: use for use in registry.spans[SPAN]}
    for title, spaces in PAGE_SECTIONS.items():
        yield f"## {title}\n"
        chosen = [attribute for attribute in registry.ours() if attribute.key.split(".")[1] in spaces]
        yield from _table(chosen, uses)
        for attribute in chosen:
            yield from _values(attribute)
    yield "## OpenTelemetry's own\n"
    yield (
        "Set as [OpenTelemetry's conventions](https://github.com/open-telemetry/semantic-conventions-genai) say, on\n"
        "spans that this package makes, and filled in where it joins a span of another's.\n"
    )
    base = {use.key: use for span in (EMBEDDINGS, registry.bases[SPAN]) for use in registry.spans[span]} | uses
    yield from _table([attributes[key] for key in sorted(base) if not key.startswith(OWN)], base)
    metrics = sorted(registry.metrics.values(), key=lambda metric: (not metric.name.startswith(OWN), metric.name))
    itself = [metric for metric in metrics if any(use.key.startswith("otel.component.") for use in metric.uses)]
    yield "## Metrics\n"
    yield METRICS_HEAD
    yield from _metrics([metric for metric in metrics if metric not in itself])
    yield "\n## Metrics of the package itself\n"
    yield ITSELF_HEAD
    yield from _metrics(itself)


def _metrics(metrics: Sequence[Metric]) -> Iterator[str]:
    yield "| metric | instrument | unit | what |"
    yield "| --- | --- | --- | --- |"
    for metric in metrics:
        what = f"{metric.brief} {metric.note}".strip()
        yield f"| `{metric.name}` | {metric.instrument} | `{metric.unit}` | {what} |"
    for metric in metrics:
        yield f"\n`{metric.name}` has these attributes:\n"
        yield "| attribute | present |"
        yield "| --- | --- |"
        for use in metric.uses:
            yield f"| `{use.key}` | {use.present} |"


def _table(attributes: Sequence[Attribute], uses: Mapping[str, Use]) -> Iterator[str]:
    yield "| attribute | type | what | examples | present |"
    yield "| --- | --- | --- | --- | --- |"
    for attribute in attributes:
        use = uses[attribute.key]
        what = f"{use.brief or attribute.brief} {attribute.note}".strip()
        yield f"| `{attribute.key}` | {attribute.type} | {what} | {_examples(attribute)} | {use.present} |"
    yield ""


def _examples(attribute: Attribute) -> str:
    values = attribute.examples or tuple(member.value for member in attribute.members[:3])
    return ", ".join(f"`{_example(value)}`" for value in values)


def _example(value: object) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(_example, cast('list[Any]', value)))}]"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _values(attribute: Attribute) -> Iterator[str]:
    if not attribute.members:
        return
    yield f"Values of `{attribute.key}`:\n"
    yield "| value | means |"
    yield "| --- | --- |"
    for member in attribute.members:
        yield f"| `{member.value}` | {member.brief} |"
    yield ""


def main() -> int:
    """Write the files, or check them. The exit code."""
    parser = argparse.ArgumentParser(description="Write what is generated from the registry.")
    parser.add_argument("--check", action="store_true", help="write nothing; exit with 1 when a file is not current")
    check = parser.parse_args().check
    try:
        registry = Registry.load(SOURCE)
    except RegistryError as error:
        print(f"semconv: {error}", file=sys.stderr)
        return 2
    stale = False
    for path, text in ((MODULE, module(registry)), (PAGE, page(registry))):
        target = ROOT / path
        if target.exists() and target.read_text(encoding="utf-8") == text:
            continue
        if check:
            print(f"{path} is not current: run `make generate`", file=sys.stderr)
            stale = True
        else:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8")
            print(f"wrote {path}")
    return int(stale)


if __name__ == "__main__":
    sys.exit(main())
