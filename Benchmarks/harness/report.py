"""The result of a benchmark: rows of figures and checks of bounds, as a table and as a file that a program reads."""
import json, pathlib

FOLDER = pathlib.Path(__file__).resolve().parents[2] / ".heartguard/bench"


class Report:
    """Gathers figures and bounds, then prints them and writes .heartguard/bench/NAME.json. A bound that does not hold is
    a result, not a failure of the benchmark."""

    def __init__(self, name):
        self.name, self.rows, self.checks = name, [], []

    def row(self, what, who, unit, value):
        self.rows.append({"what": what, "who": who, "unit": unit, "value": value})

    def missing(self, who, why):
        self.row("missing", who, why, None)

    def at_most(self, name, bound, measured, unit=""):
        self._check(name, f"<= {bound:g}{unit}", measured, measured is not None and measured <= bound)

    def at_least(self, name, bound, measured, unit=""):
        self._check(name, f">= {bound:g}{unit}", measured, measured is not None and measured >= bound)

    def _check(self, name, wanted, measured, holds):
        self.checks.append({"name": name, "wanted": wanted, "measured": measured, "holds": holds})

    def show(self):
        self._table()
        if self.checks:
            print()
        width = max((len(check["name"]) for check in self.checks), default=0)
        for check in self.checks:
            measured = "not measured" if check["measured"] is None else f"measured {shown(check['measured'])}"
            verdict = "holds" if check["holds"] else "MISSED" if check["measured"] is not None else "OPEN"
            print(f"{check['name']:{width}}  wanted {check['wanted']}, {measured}: {verdict}")

    def _table(self):
        """One line for each figure and one column for each of those it was taken of."""
        figures = [row for row in self.rows if row["value"] is not None]
        names = list(dict.fromkeys(row["who"] for row in figures))
        lines = {}
        for row in figures:
            lines.setdefault((row["what"], row["unit"]), {})[row["who"]] = shown(row["value"])
        heads = [f"{what}, {unit}" for what, unit in lines]
        first = max((len(head) for head in heads), default=0)
        widths = {name: max(len(name), *(len(line.get(name, "")) for line in lines.values())) for name in names}
        print(" " * first + "".join(f"  {name:>{widths[name]}}" for name in names))
        for head, line in zip(heads, lines.values()):
            print(f"{head:{first}}" + "".join(f"  {line.get(name, ''):>{widths[name]}}" for name in names))
        for row in self.rows:
            if row["value"] is None:
                print(f"missing: {row['who']} ({row['unit']})")

    def write(self):
        FOLDER.mkdir(parents=True, exist_ok=True)
        text = json.dumps({"rows": self.rows, "checks": self.checks}, indent=2)
        (FOLDER / f"{self.name}.json").write_text(text + "\n")


def shown(value):
    """Three digits that mean something, and whole numbers from a thousand on."""
    if isinstance(value, int) or abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}" if abs(value) < 100 else f"{value:.0f}"
