"""Patterns of the data sources that a key opens, matched in linear time (keys contract, section 2)."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DataSourcePattern:
    """A pattern: its texts between the `*`, in lower case."""

    first: str
    rest: tuple[str, ...]

    def matches(self, name: str) -> bool:
        """Whether a whole name in lower case matches.

        Each text is taken where it stands first. A later place never helps, so there is nothing to try again.
        """
        if not self.rest:
            return name == self.first
        if not name.startswith(self.first):
            return False
        *middle, last = self.rest
        at = len(self.first)
        for text in middle:
            found = name.find(text, at)
            if found < 0:
                return False
            at = found + len(text)
        return len(name) - at >= len(last) and name.endswith(last)


def compile_pattern(text: str) -> DataSourcePattern:
    """Compiles a pattern: `*` stands for any text, and letter case does not matter."""
    first, *rest = text.lower().split("*")
    return DataSourcePattern(first, tuple(rest))
