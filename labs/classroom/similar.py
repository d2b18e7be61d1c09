"""Which submissions are alike, as a hint: what two learners wrote in the same words, whatever they called things.

Code is compared as sequences of tokens, without names, comments and layout. What the lab hands out is taken out; so
is what the published solution has, to which each is compared by itself, and what more than half of a class wrote,
since a task can force that.
"""

import hashlib
import keyword
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass

LENGTH = 12  # tokens that must be the same in a row
SHARE = 0.6  # of the shorter one's own sequences, from which two are shown
ENOUGH = 40  # sequences of one's own: in a few lines, everybody writes the same
COMMON = 0.5  # of the class
LONGEST = 100_000  # characters of a submission that are compared
#: Python's tokens, roughly. Its own tokenizer needs hours for some texts; here a text of one line is sought in 200
#: characters only, so that whoever opens many ends none.
TOKEN = re.compile(
    r"""(?P<dropped>\#[^\n]*|(?P<quotes>\"{3}|'{3})[\s\S]*?(?P=quotes))"""
    r"""|(?P<text>"(?:\\.|[^"\\\n]){0,200}"|'(?:\\.|[^'\\\n]){0,200}')"""
    r"""|(?P<name>[^\W\d]\w*)|(?P<other>\d[\w.]*|[^\w\s])"""
)


@dataclass(frozen=True)
class Pair:
    """Two learners, how much of the shorter one's code stands in the other's (0 to 1), and the lines that do."""

    first: str
    second: str
    share: float
    lines: tuple[frozenset[int], frozenset[int]]


@dataclass(frozen=True)
class Alike:
    """What was found: groups whose code is the same, pairs that are close, and who is close to the published code."""

    same: list[tuple[list[str], Pair]]
    pairs: list[Pair]
    published: list[tuple[str, float]]


def sequences(source: str) -> dict[int, tuple[int, int]]:
    """The sequences of tokens in a source, each as a number, and the lines (from 1) where it first stands."""
    words = [*_words(source[:LONGEST])]
    found: dict[int, tuple[int, int]] = {}
    for start in range(len(words) - LENGTH + 1):
        window = words[start : start + LENGTH]
        text = "\n".join(word for word, _ in window).encode("utf-8", "replace")
        digest = int.from_bytes(hashlib.blake2b(text, digest_size=8).digest())
        found.setdefault(digest, (window[0][1], window[-1][1]))
    return found


def _words(source: str) -> Iterator[tuple[str, int]]:
    """The tokens that count, and their lines. Any text has some, and none takes longer than its length."""
    line, position = 1, 0
    for match in TOKEN.finditer(source):
        line += source.count("\n", position, match.start())
        position = match.start()
        if match.lastgroup != "dropped":
            word = match[0]
            yield ("x" if match.lastgroup == "name" and not keyword.iskeyword(word) else word), line


def alike(sources: Mapping[str, str], release: str, published: str = "", most: int = 20) -> Alike:
    """Compare what learners wrote. `release` is what they were handed, `published` a solution that they can find.

    Gives at most `most` groups, the largest first, and as many pairs, the closest first.
    """
    handed, solution = sequences(release).keys(), sequences(published).keys()
    whole = {learner: _without(sequences(source), handed) for learner, source in sources.items()}
    near = [(learner, _share(each.keys(), solution)) for learner, each in whole.items() if len(each) >= ENOUGH]
    own = {learner: _without(each, solution) for learner, each in whole.items()}
    own = {learner: each for learner, each in own.items() if len(each) >= ENOUGH}
    groups = defaultdict(list)
    for learner, each in own.items():
        groups[frozenset(each)].append(learner)
    return Alike(
        same=_same(groups.values(), own)[:most],
        pairs=_pairs({group[0]: own[group[0]] for group in groups.values()})[:most],
        published=sorted((one for one in near if one[1] >= SHARE), key=lambda one: (-one[1], one[0])),
    )


def _same(groups: Iterable[list[str]], own: dict) -> list[tuple[list[str], Pair]]:
    alike = sorted((sorted(group) for group in groups if len(group) > 1), key=lambda group: (-len(group), group))
    return [(group, _pair(*group[:2], 1.0, own)) for group in alike]


def _share(these: Set[int], those: Set[int]) -> float:
    return len(these & those) / len(these)


def _without(found: dict, handed: Iterable[int]) -> dict:
    return {digest: lines for digest, lines in found.items() if digest not in handed}


def _pairs(ours: dict[str, dict[int, tuple[int, int]]]) -> list[Pair]:
    """The pairs that share enough of what few wrote, the closest first."""
    import numpy as np

    seen = Counter(digest for own in ours.values() for digest in own)
    limit = max(2, COMMON * len(ours))
    rare = {learner: {d: at for d, at in own.items() if seen[d] <= limit} for learner, own in ours.items()}
    names = [learner for learner, own in rare.items() if len(own) >= ENOUGH]
    who = defaultdict(list)
    for number, learner in enumerate(names):
        for digest in rare[learner]:
            who[digest].append(number)
    shared = np.zeros((len(names), len(names)), dtype=np.int32)
    for numbers in who.values():
        if len(numbers) > 1:
            shared[np.ix_(numbers, numbers)] += 1
    sizes = np.array([len(rare[learner]) for learner in names], dtype=np.int32)
    share = shared / np.minimum.outer(sizes, sizes) if names else shared
    found = [(share[i, j], names[i], names[j]) for i, j in np.argwhere(np.triu(share >= SHARE, 1))]
    found.sort(key=lambda one: (-one[0], one[1], one[2]))
    return [_pair(first, second, float(share), rare) for share, first, second in found]


def _pair(first: str, second: str, share: float, rare: dict) -> Pair:
    both = rare[first].keys() & rare[second].keys()
    lines = (_lines(rare[learner][digest] for digest in both) for learner in (first, second))
    return Pair(first, second, share, tuple(lines))


def _lines(spans: Iterable[tuple[int, int]]) -> frozenset[int]:
    return frozenset(line for first, last in spans for line in range(first, last + 1))
