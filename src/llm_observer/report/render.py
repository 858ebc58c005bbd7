"""The report for people: the sum, then what loses money and how to mend it, then what is well."""

from collections.abc import Iterator, Mapping

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from llm_observer.report import words
from llm_observer.report.families import FEWEST_CALLS, Family, Finding, Report, Status, Totals

__all__ = ["WIDTH", "console", "render"]

WIDTH = 100
"""Columns, where the terminal does not have fewer."""

_MOST_SHOWN = 10
_MOST_ERRORS = 4
_BAR = 28

_LOSS, _GOOD, _MUTED, _STRONG = "bold red", "green", "dim", "bold"

_STATUS: dict[Status, tuple[str, str]] = {
    "losing": ("loses money", "red"),
    "suspect": ("loses reads, price unknown", "yellow"),
    "healthy": ("✓ healthy", _GOOD),
    "uncached": ("nothing to cache", _MUTED),
    "not_reported": ("cache use not reported", _MUTED),
    "few_calls": (f"fewer than {FEWEST_CALLS} calls", _MUTED),
    "failed": ("all calls failed", "yellow"),
}


def console(*, stderr: bool = False) -> Console:
    """Where to print: coloured on a terminal unless `NO_COLOR` is set, at most `WIDTH` columns wide."""
    made = Console(stderr=stderr, highlight=False, markup=False, emoji=False)
    made.width = min(made.width, WIDTH) if made.is_terminal else WIDTH
    return made


def render(report: Report, *, title: str) -> RenderableType:
    """The whole report; `title` names what it is about."""
    return Group(*_parts(report, title))


def _parts(report: Report, title: str) -> Iterator[RenderableType]:
    yield _head(report, title)
    yield Padding(_sum(report.totals, report.errors), (1, 0, 1, 2))
    troubled = [family for family in report.families if family.status in {"losing", "suspect"}]
    for number, family in enumerate(troubled[:_MOST_SHOWN], start=1):
        if number == 1:
            yield Rule(Text("Where money is lost", style=_LOSS), align="left", style="red")
        yield Padding(_troubled(number, family), (1, 0, 0, 1))
    if len(troubled) > _MOST_SHOWN:
        rest = troubled[_MOST_SHOWN:]
        lost = words.money(sum((family.totals.lost for family in rest), start=rest[0].totals.lost * 0))
        yield Padding(Text(f"{len(rest)} more lose {lost} in all: --json lists them", style=_MUTED), (1, 0, 0, 5))
    others = [family for family in report.families if family not in troubled]
    if others:
        if troubled:
            yield Text()
        yield Rule(Text("Everything else", style=f"bold {_GOOD}"), align="left", style=_GOOD)
        yield Padding(_others(others), (1, 0, 0, 2))
    lifetimes = [
        (family, said) for family in others if family.pays.lifetime and (said := words.keep(family.pays.lifetime))
    ]
    if lifetimes:
        yield Text()
        yield Rule(Text("How long to keep a prompt cached", style="bold cyan"), align="left", style="cyan")
        yield Padding(_lifetimes(lifetimes), (1, 0, 0, 2))
    if report.unpriced:
        yield Text()
        yield Rule(Text("Cost not known", style="bold yellow"), align="left", style="yellow")
        yield Padding(_unpriced(report), (1, 0, 0, 2))


def _head(report: Report, title: str) -> Text:
    when = words.period(report.first, report.last)
    return Text.assemble(("llm-observer", _STRONG), f"  {title}", (f"  ·  {when}" if when else "", _MUTED))


def _sum(totals: Totals, errors: Mapping[str, int]) -> Table:
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style=_MUTED, no_wrap=True)
    grid.add_column()
    calls = words.calls(totals.calls)
    used = f"{words.tokens(totals.input_tokens)} tokens in, {words.tokens(totals.output_tokens)} out"
    grid.add_row("Calls", Text.assemble((calls, ""), (f"   {used}", _MUTED)))
    if totals.failed:
        kinds = ", ".join(f"{count:,} {kind}" for kind, count in [*errors.items()][:_MOST_ERRORS])
        more = ", ..." if len(errors) > _MOST_ERRORS else ""
        grid.add_row("Failed", Text.assemble((words.calls(totals.failed), "yellow"), (f"   {kinds}{more}", _MUTED)))
    spent = Text(words.money(totals.cost), style=_STRONG)
    if totals.unpriced:
        spent.append(f"   without {words.calls(totals.unpriced)} whose cost is not known", style="not bold yellow")
    grid.add_row("Spent", spent)
    grid.add_row("Cache gave", _gave(totals))
    if totals.saved is not None:
        amount = (words.money(totals.saved), _GOOD if totals.saved > 0 else "")
        grid.add_row("Cache saved", Text.assemble(amount, ("   after the surcharge for writing to it", _MUTED)))
    grid.add_row("Lost", _lost(totals))
    return grid


def _gave(totals: Totals) -> Text:
    """What was read of what could have been read, with a bar."""
    if totals.read is None or totals.could_read is None:
        return Text("not reported by the provider", style=_MUTED)
    if not totals.could_read:
        return Text("nothing could be read from it", style=_MUTED)
    part = totals.read / totals.could_read
    filled = round(part * _BAR)
    return Text.assemble(
        (f"{words.percent(part):<6} ", _STRONG),
        ("█" * filled, _GOOD),
        ("░" * (_BAR - filled), "red"),
        (f"  {totals.read:,} of {totals.could_read:,} tokens it could have", _MUTED),
    )


def _lost(totals: Totals) -> Text:
    if not totals.lost:
        return Text("nothing", style=_GOOD)
    line = Text()
    if totals.lost_avoidable:
        line.append(words.money(totals.lost_avoidable), style=_LOSS)
        line.append(" avoidable")
        if totals.cost:
            line.append(f", {words.percent(float(totals.lost_avoidable / totals.cost))} of what was spent")
        line.append("   ")
    if totals.lost_by_choice:
        line.append(f"{words.money(totals.lost_by_choice)} not avoidable", style=_MUTED)
    return line


def _troubled(number: int, family: Family) -> Table:
    finding = family.findings[0]
    block = Table.grid(padding=(0, 1), expand=True)
    block.add_column(width=3, justify="right", style=_MUTED)
    block.add_column(ratio=1)
    head = Table.grid(expand=True)
    head.add_column(ratio=1)
    head.add_column(justify="right", no_wrap=True)
    about = f"   {family.model or 'model not known'} · {words.calls(family.totals.calls)}"
    head.add_row(Text.assemble((family.name, _STRONG), (about, _MUTED)), _price_tag(family))
    block.add_row(str(number), head)
    block.add_row("", Text(words.what_happened(finding), style="yellow"))
    facts = Table.grid(padding=(0, 2))
    facts.add_column(style=_MUTED, no_wrap=True, width=6)
    facts.add_column(overflow="fold")
    for label, fact in _facts(family, finding):
        facts.add_row(label, fact)
    block.add_row("", facts)
    return block


def _price_tag(family: Family) -> Text:
    if family.totals.lost <= 0:
        return Text("price unknown", style="yellow")
    if family.totals.lost_by_choice > family.totals.lost_avoidable:
        return Text(f"{words.money(family.totals.lost)} lost, not avoidable", style="yellow")
    return Text.assemble((words.money(family.totals.lost), _LOSS), (" lost", "red"))


def _facts(family: Family, finding: Finding) -> Iterator[tuple[str, Text]]:
    where = words.place(finding)
    if where is not None:
        yield "where", Text(where)
    if finding.snippet is not None:
        yield "text", Text(finding.snippet)
    if finding.site is not None:
        called_so = finding.site.function == family.name
        within = "" if called_so else f"  in {finding.site.function}"
        yield "code", Text.assemble((words.source(finding.site), "cyan"), (within, _MUTED))
    if finding.hint is not None:
        yield "fix", Text(finding.hint)
    each = family.lost_per_1000
    if each is not None:
        about = f" in every 1,000 calls like these {family.totals.calls:,}"
        yield "saves", Text.assemble((f"about {words.money(each)}", _STRONG), about)
    cache = "; ".join(_cache(family))
    if cache:
        yield "cache", Text(cache, style=_MUTED)
    keep = words.keep(family.pays.lifetime) if family.pays.lifetime is not None else None
    if keep is not None:
        yield "keep", Text(keep)
    for other in family.findings[1:3]:
        at = words.place(other)
        said = words.what_happened(other)
        yield "also", Text(f"{said} ({at + ', ' if at else ''}{words.calls(other.calls)})", style=_MUTED)


def _cache(family: Family) -> Iterator[str]:
    """What the cache gave and could have given, and when it pays."""
    totals = family.totals
    if totals.share is not None and totals.possible_share is not None:
        gave, could = words.percent(totals.share), words.percent(totals.possible_share)
        yield f"gave {gave} of the input, could have given {could}"
    if family.pays.break_even is not None:
        yield str(family.pays.break_even)


def _others(families: list[Family]) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style=_MUTED)
    table.add_column("prompt", no_wrap=True)
    table.add_column("model", style=_MUTED, no_wrap=True)
    table.add_column("calls", justify="right")
    table.add_column("from cache", justify="right", no_wrap=True)
    table.add_column("cost", justify="right")
    table.add_column("saved", justify="right")
    table.add_column("")
    for family in families[: 2 * _MOST_SHOWN]:
        totals = family.totals
        said, style = _STATUS[family.status]
        if family.status == "failed" and len(family.errors) == 1:
            said = f"{said}: {next(iter(family.errors))}"
        table.add_row(
            family.name,
            family.model or words.UNKNOWN,
            f"{totals.calls:,}",
            words.percent(totals.share),
            words.money(totals.cost),
            words.money(totals.saved),
            Text(said, style=style),
        )
    if len(families) > 2 * _MOST_SHOWN:
        table.add_row(Text(f"and {len(families) - 2 * _MOST_SHOWN} more", style=_MUTED))
    return table


def _lifetimes(advised: list[tuple[Family, str]]) -> Table:
    grid = Table.grid(padding=(0, 2))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    for family, said in advised[:_MOST_SHOWN]:
        grid.add_row(family.name, Text(f"keep {said}"))
    return grid


def _unpriced(report: Report) -> Table:
    grid = Table.grid(padding=(0, 2))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    for model in report.unpriced[:_MOST_SHOWN]:
        add = words.what_to_add(model.reason)
        said = f"{words.calls(model.calls)}: {words.why_unpriced(model.reason)}" + (f"; {add}" if add else "")
        grid.add_row(f"{model.model or '?'} ({model.provider or '?'})", Text(said, style=_MUTED))
        if model.entry is not None:
            grid.add_row("", Padding(Text(model.entry.rstrip(), style="cyan"), (0, 0, 1, 2)))
    return grid
