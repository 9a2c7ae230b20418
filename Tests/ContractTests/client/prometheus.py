"""Prometheus' text format, version 0.0.4, read as strictly as Prometheus itself does, and its conventions of names."""

import math
import re
from dataclasses import dataclass, field

NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
SAMPLE = re.compile(r'([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)')
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(?:,|$)')
# What promtool's linter asks for: base units, and no type in a name.
UNITS = re.compile(r"_(ms|millis|milliseconds|microseconds|minutes|hours|kb|mb|kilobytes|megabytes|percent)(_|$)")


@dataclass
class Family:
    name: str
    help: str
    kind: str = ""
    samples: dict = field(default_factory=dict)


def parse(text: str) -> dict[str, Family]:
    """The families by name. Each has its HELP, its TYPE and then its samples, in one piece and each once."""
    assert text.endswith("\n"), "the last line ends too"
    families: dict[str, Family] = {}
    family = None
    for line in text.splitlines():
        if line.startswith("# HELP "):
            name, said = line[7:].split(" ", 1)
            assert name not in families, f"{name} is there twice"
            families[name] = family = Family(name, said)
        elif line.startswith("# TYPE "):
            name, kind = line[7:].split(" ")
            assert family and family.name == name and not family.kind and not family.samples, line
            family.kind = kind
        else:
            sample, labels, value = _sample(line)
            assert family and _belongs(sample, family), f"not where its family is: {line}"
            assert (sample, labels) not in family.samples, f"twice: {line}"
            family.samples[sample, labels] = value
    return families


def _sample(line: str):
    match = SAMPLE.fullmatch(line)
    assert match, f"no sample: {line}"
    name, inner, value = match.groups()
    labels, end = [], 0
    for label in LABEL.finditer(inner or ""):
        assert label.start() == end, f"labels that cannot be read: {line}"
        labels.append(label.groups())
        end = label.end()
    assert end == len(inner or ""), f"labels that cannot be read: {line}"
    assert len({key for key, _ in labels}) == len(labels), f"a label twice: {line}"
    return name, tuple(labels), float(value)


def _belongs(sample: str, family: Family) -> bool:
    if family.kind == "histogram":
        return sample in {f"{family.name}_{part}" for part in ("bucket", "sum", "count")}
    return sample == family.name


def complaints(family: Family) -> list[str]:
    """What of a family is not as the conventions have it."""
    found = []
    if not NAME.fullmatch(family.name) or not family.name.startswith("heartguard_"):
        found.append("its name is none of ours")
    if family.kind not in ("counter", "gauge", "histogram"):
        found.append(f"its type is {family.kind!r}")
    if not family.help.strip():
        found.append("it has no help")
    if (family.kind == "counter") != family.name.endswith("_total"):
        found.append("a counter ends in _total, and nothing else does")
    if UNITS.search(family.name):
        found.append("its unit is no base unit")
    if re.search(r"_(counter|gauge|histogram|summary)(_|$)", family.name):
        found.append("its type is in its name")
    if any(math.isnan(value) or (family.kind != "gauge" and value < 0) for value in family.samples.values()):
        found.append("a value cannot be")
    if family.kind == "histogram":
        found += _uneven(family)
    return [f"{family.name}: {complaint}" for complaint in found]


def _uneven(family: Family) -> list[str]:
    series: dict[tuple, list] = {}
    for (name, labels), value in family.samples.items():
        if name.endswith("_bucket"):
            bound = float(dict(labels)["le"])
            series.setdefault(tuple(label for label in labels if label[0] != "le"), []).append((bound, value))
    found = []
    for labels, buckets in series.items():
        if buckets != sorted(buckets) or [count for _, count in buckets] != sorted(count for _, count in buckets):
            found.append(f"the buckets of {labels} do not rise")
        if buckets[-1] != (math.inf, family.samples.get((f"{family.name}_count", labels))):
            found.append(f"the last bucket of {labels} has not all")
        if (f"{family.name}_sum", labels) not in family.samples:
            found.append(f"{labels} has no sum")
    return found
