#!/usr/bin/env python3
"""The tables of Documentation/Comparison.md, from the results of `fid-compare` that are kept beside it.

    python Scripts/comparison-tables.py            writes them anew
    python Scripts/comparison-tables.py --check    changes nothing, and fails where one is not what the results say

A table stands between `<!-- table: KIND FILE -->` and `<!-- end of table -->`, FILE relative to the page. KIND is `orders` (every
order with its measures), `main` (the same with fewer of them), `correlations` (how measures go together over the orders), `steps`
(in how many steps optimal groups give what the paper's order gives), `models` (by how many errors two models differ) or `sets`,
with two files (whether two datasets rank the orders alike).
"""

import json
import math
import re
import sys
from pathlib import Path

PAGE = Path(__file__).resolve().parent.parent / "Documentation" / "Comparison.md"
TABLE = re.compile(r"(<!-- table: (\S+) ([^>]+?) -->\n).*?(<!-- end of table -->)", re.DOTALL)

MEASURES = {
    "total_increase": "increase",
    "information_lost": "lost by the model",
    "negative_log_likelihood": "loss",
    "fd_infinity_texture": "FD∞ texture",
    "excess_fd_infinity_texture": "excess of FD∞ texture",
    "forced_excess_texture": "teacher-forced texture",
    "fd_infinity_structure": "FD∞ structure",
    "excess_fd_infinity_structure": "excess of FD∞ structure",
    "forced_excess_structure": "teacher-forced structure",
    "dependency_maps": "dependency distance",
}
# In the table of orders an excess stands beside its distance.
SHORT = {
    "excess_fd_infinity_texture": "its excess",
    "excess_fd_infinity_structure": "its excess",
    "forced_excess_texture": "teacher-forced",
    "dependency_maps": "dependency",
}
ORDER_COLUMNS = [name for name in MEASURES if name != "forced_excess_structure"]
MAIN_COLUMNS = [
    "total_increase",
    "information_lost",
    "fd_infinity_texture",
    "excess_fd_infinity_texture",
    "forced_excess_texture",
    "excess_fd_infinity_structure",
]
# Pairs of the table of correlations, and whether orders below the noise are left out in a second row.
CORRELATIONS = [
    ("total_increase", "information_lost", False),
    ("total_increase", "excess_fd_infinity_texture", True),
    ("information_lost", "excess_fd_infinity_texture", True),
    ("total_increase", "forced_excess_texture", True),
    ("information_lost", "forced_excess_texture", True),
    ("total_increase", "excess_fd_infinity_structure", True),
    ("information_lost", "excess_fd_infinity_structure", True),
    ("total_increase", "fd_infinity_texture", False),
    ("total_increase", "fd_infinity_structure", False),
    ("total_increase", "dependency_maps", False),
]
# What two models say of the same orders.
REPEATS = ["information_lost", "excess_fd_infinity_texture", "forced_excess_texture", "excess_fd_infinity_structure"]
STEP_MEASURES = [
    "total_increase",
    "information_lost",
    "excess_fd_infinity_texture",
    "excess_fd_infinity_structure",
    "fd_infinity_texture",
    "fd_infinity_structure",
    "dependency_maps",
]
# What two datasets say of the same orders.
SET_MEASURES = [name for name in MEASURES if name != "negative_log_likelihood"]
# Measures with an error of samples.
MODEL_MEASURES = [
    "information_lost",
    "excess_fd_infinity_texture",
    "excess_fd_infinity_structure",
    "forced_excess_texture",
    "fd_infinity_texture",
    "fd_infinity_structure",
]


def number(value: float, digits: int) -> str:
    """A number with a minus sign that is one, and none before zero."""
    text = f"{value:.{digits}f}"
    return text.replace("-", "" if float(text) == 0 else "−")


def measure(value: float | None, error: float | None) -> str:
    """A value with its error, to two digits of the error and four decimals at most."""
    if value is None:
        return "–"
    if not error:
        return "0" if value == 0 else number(value, 3)
    digits = min(4, max(0, 1 - math.floor(math.log10(error) + 1e-9)))
    return f"{number(value, digits)} ± {error:.{digits}f}"


def row(cells: list[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def header(cells: list[str]) -> list[str]:
    return [row(cells), "|---" * len(cells) + "|"]


def ranks(values: list[float]) -> list[float]:
    """Ranks from 1, equal values with the mean of theirs."""
    places: dict[float, list[int]] = {}
    for place, value in enumerate(sorted(values), start=1):
        places.setdefault(value, []).append(place)
    return [sum(places[value]) / len(places[value]) for value in values]


def spearman(x: list[float], y: list[float]) -> float:
    a, b = ranks(x), ranks(y)
    mean = sum(a) / len(a)
    covariance = sum((p - mean) * (q - mean) for p, q in zip(a, b))
    return covariance / math.sqrt(sum((p - mean) ** 2 for p in a) * sum((q - mean) ** 2 for q in b))


def orders_table(results: dict, columns: list[str] = ORDER_COLUMNS) -> list[str]:
    """Every order, from the smallest increase to the largest."""
    titles = [MEASURES[name] if columns is MAIN_COLUMNS else SHORT.get(name, MEASURES[name]) for name in columns]
    lines = header(["order", "steps"] + titles)
    for order in sorted(results["orders"], key=lambda order: order["measures"]["total_increase"]["value"]):
        cells = [f"`{order['name']}`", str(order["steps"])]
        for name in columns:
            found = order["measures"].get(name, {"value": None, "standard_error": None})
            if name == "negative_log_likelihood":
                cells.append(number(found["value"], 3))
            else:
                cells.append(measure(found["value"], found["standard_error"]))
        lines.append(row(cells))
    floor = results["noise_floor"]
    cells = ["*real against real*", ""]
    for name in columns:
        cells.append(measure(floor[name]["value"], floor[name]["standard_error"]) if name in floor else "")
    return lines + [row(cells)]


def of_model(order: dict, model: int, name: str) -> float | None:
    """What one model says; the increase is of real images, and no model's."""
    if name == "total_increase":
        return order["measures"][name]["value"]
    return order["seeds"][model]["values"].get(name)


def at_least(results: dict, of: str, least: float | None) -> list[dict]:
    """The orders that lose at least so much; all for None."""
    return [order for order in results["orders"] if least is None or order["measures"][of]["value"] >= least]


def alone(orders: list[dict], model: int, of: str, other: int, what: str) -> str:
    """Spearman's correlation of what one model says with what the same, or another, says."""
    pairs = [(of_model(order, model, of), of_model(order, other, what)) for order in orders]
    known = [(a, b) for a, b in pairs if a is not None and b is not None]
    return number(spearman([a for a, _ in known], [b for _, b in known]), 2)


def correlations_table(results: dict) -> list[str]:
    """Correlations over the orders with their intervals, and those of each model alone."""

    def interval(found: dict) -> str:
        if found["value"] is None:
            return "–"
        bounds = f" ({number(found['lower'], 2)} to {number(found['upper'], 2)})" if found["lower"] is not None else ""
        return number(found["value"], 3) + bounds

    models = range(len(results["models"]))
    lines = header(["", "orders", "Spearman", "each model alone", "given the steps", "Pearson"])
    for of, what, has_threshold in CORRELATIONS:
        found = [entry for entry in results["correlations"] if (entry["of"], entry["with"]) == (of, what)]
        for entry in found if has_threshold else found[:1]:
            least = entry["least"]
            orders = at_least(results, of, least)
            title = f"{MEASURES[of]}, {MEASURES[what]}" if least is None else f"the same, from {least:.1f} nats"
            each = ", ".join(alone(orders, model, of, model, what) for model in models)
            lines.append(
                row(
                    [title, str(entry["cases"]), interval(entry["spearman"]), each]
                    + [interval(entry["partial_spearman"]), interval(entry["pearson"])]
                )
            )
    if len(models) == 2:
        for name in REPEATS:
            found = [e for e in results["correlations"] if (e["of"], e["with"]) == ("total_increase", name)]
            for least in [entry["least"] for entry in found]:
                orders = at_least(results, "total_increase", least)
                title = f"{MEASURES[name]}, one model and the other"
                if least is not None:
                    title = f"the same, from an increase of {least:.1f} nats"
                lines.append(row([title, str(len(orders)), alone(orders, 0, name, 1, name), "", "", ""]))
    return lines


def steps_table(results: dict) -> list[str]:
    """For each measure what the paper's order has, and the fewest steps in which optimal groups have it."""
    targets: dict[str, int] = {}
    for entry in results["equal_quality"]:
        targets[entry["order"]] = entry["order_steps"]
    cells = [""]
    for order, steps in targets.items():
        cells += [f"`{order}`, {steps} steps", "as good in", "the paper's order in as many"]
    lines = header(cells)
    for name in STEP_MEASURES:
        cells = [MEASURES[name]]
        for order in targets:
            found = [entry for entry in results["equal_quality"] if (entry["measure"], entry["order"]) == (name, order)]
            if not found:
                cells += ["–", "–", "–"]
                continue
            entry = found[0]
            steps, same = entry.get("steps"), entry["same_steps"]
            cells.append(measure(entry["target"], entry["target_standard_error"]))
            cells.append(f"**{steps}**: {measure(entry['value'], entry['standard_error'])}" if steps else "none")
            cells.append(", ".join(measure(other["value"], other["standard_error"]) for other in same) or "–")
        lines.append(row(cells))
    return lines


def models_table(results: dict) -> list[str]:
    """By how many errors of samples two models differ in the same orders."""
    lines = header(["", "orders", "root mean square", "beyond two errors", "beyond three"])
    for name in MODEL_MEASURES:
        found = []
        for order in results["orders"]:
            first, second = order["seeds"]
            errors = [model["standard_errors"].get(name) or 0 for model in (first, second)]
            if any(errors):
                found.append(abs(second["values"][name] - first["values"][name]) / math.hypot(*errors))
        mean = math.sqrt(sum(value * value for value in found) / len(found))
        beyond = [str(sum(value > limit for value in found)) for limit in (2, 3)]
        lines.append(row([MEASURES[name], str(len(found)), number(mean, 2)] + beyond))
    return lines


def main_table(results: dict) -> list[str]:
    return orders_table(results, MAIN_COLUMNS)


def sets_table(first: dict, second: dict) -> list[str]:
    """Rank correlations between what two datasets say of the same orders."""
    lines = header(["", "orders", "Spearman"])
    others = {order["name"]: order["measures"] for order in second["orders"]}
    for name in SET_MEASURES:
        pairs = []
        for order in first["orders"]:
            measures = [order["measures"], others.get(order["name"], {})]
            values = [found[name]["value"] for found in measures if name in found]
            if len(values) == 2 and None not in values:
                pairs.append(values)
        lines.append(
            row([MEASURES[name], str(len(pairs)), number(spearman([a for a, _ in pairs], [b for _, b in pairs]), 3)])
        )
    return lines


KINDS = {
    "orders": orders_table,
    "main": main_table,
    "correlations": correlations_table,
    "steps": steps_table,
    "models": models_table,
    "sets": sets_table,
}


def main() -> int:
    if sys.argv[1:] not in ([], ["--check"]):
        sys.exit("usage: comparison-tables.py [--check]")
    text = PAGE.read_text(encoding="utf-8")

    def table(match: re.Match) -> str:
        kind, paths = match[2], [PAGE.parent / name for name in match[3].split()]
        if kind not in KINDS:
            sys.exit(f"{PAGE.name}: there is no table “{kind}”; there are {', '.join(KINDS)}")
        lines = KINDS[kind](*(json.loads(path.read_text(encoding="utf-8")) for path in paths))
        return match[1] + "\n" + "\n".join(lines) + "\n\n" + match[4]

    written = TABLE.sub(table, text)
    if written == text:
        return 0
    if sys.argv[1:]:
        print(f"{PAGE.name}: its tables are not those of its results; Scripts/comparison-tables.py writes them", file=sys.stderr)
        return 1
    PAGE.write_text(written, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
