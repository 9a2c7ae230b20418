"""What the rounds of a benchmark gather: for each figure, and each of those it is taken of, a value a round."""
import statistics


class Figures:
    """What a session measures, by (what, who), in the order of the rounds."""

    def __init__(self):
        self.figures = {}

    def record(self, what, who, value):
        self.figures.setdefault((what, who), []).append(value)

    def median(self, what, who):
        values = self.figures.get((what, who))
        return statistics.median(values) if values else None

    def ratio(self, what, one, other, *, of=None):
        """The median of the ratios within each round; `of` is what the other's figure is called, if otherwise."""
        pairs = list(zip(self.figures.get((what, one), []), self.figures.get((of or what, other), [])))
        return statistics.median(left / right for left, right in pairs) if pairs else None
