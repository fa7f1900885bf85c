"""A header made ready for a parser of C: comments out, conditions judged, sizes replaced.

It does what a header of messages needs and no more; what it cannot judge it says, with the line,
and names the way out: a compiler's own preprocessor. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from attrs import frozen

from hkex_ops.errors import ConfigError, Fault

__all__ = ["Comment", "Prepared", "prepare"]

NESTING_MOST = 100
"""How deep conditions may stand within one another."""

_TOKENS = re.compile(r"/\*.*?\*/|//[^\n]*|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'", re.DOTALL)
_DIRECTIVE = re.compile(r"\s*#\s*(\w*)(.*)", re.DOTALL)
_DEFINE = re.compile(r"\s+([A-Za-z_]\w*)(\(?)(.*)", re.DOTALL)
_WORD = re.compile(r"[A-Za-z_]\w*")
_PREPROCESS = "take it through your compiler first: cc -E -C HEADER > NEW"

_IGNORED = ("include", "error", "warning", "line", "ident", "undef")


@frozen
class Comment:
    """A comment of the header: its text and the lines on which it begins and ends."""

    text: str
    first_line: int
    last_line: int


@frozen
class Prepared:
    """What a parser can read, line by line as it stood, and what was taken out."""

    text: str
    comments: tuple[Comment, ...]
    is_packed: bool


def prepare(text: str, *, document: str) -> Prepared:
    """``text`` without what no parser of C reads. `ConfigError` lists what cannot be judged."""
    comments: list[Comment] = []

    def out(found: re.Match[str]) -> str:
        token = found.group()
        if not token.startswith("/"):
            return token
        first = text.count("\n", 0, found.start()) + 1
        lines = token.count("\n")
        comments.append(Comment(_words(token), first, first + lines))
        return " " + "\n" * lines

    bare = _TOKENS.sub(out, text)
    if "/*" in bare:
        line = bare.count("\n", 0, bare.index("/*")) + 1
        raise ConfigError(Fault(f"line {line}", "a comment has no end"), document=document)
    lines = _Lines(document)
    for number, joined in enumerate(_joined(bare), start=1):
        lines.take(number, joined)
    return Prepared(lines.end(), tuple(comments), lines.is_packed)


def _words(comment: str) -> str:
    """A comment's words, without what frames them."""
    inner = comment[2:-2] if comment.startswith("/*") else comment[2:]
    return " ".join(line.strip(" *\t-=") for line in inner.splitlines()).strip()


def _joined(text: str) -> list[str]:
    """Lines, one that goes on by a backslash as one, with blank ones in place of the others."""
    lines: list[str] = []
    pending, blank = "", 0
    for line in text.split("\n"):
        if line.rstrip().endswith("\\"):
            pending += line.rstrip()[:-1] + " "
            blank += 1
            continue
        lines.append(pending + line)
        lines += [""] * blank
        pending, blank = "", 0
    return [*lines, pending] if pending else lines


class _Lines:
    """The lines that stay. Holds the conditions that are open and the names that are defined."""

    def __init__(self, document: str) -> None:
        self._document = document
        self._kept: list[str] = []
        self._defined: dict[str, str] = {}
        self._open: list[tuple[int, bool, bool]] = []  # line, taken now, taken already
        self._faults: list[Fault] = []
        self.is_packed: bool = False

    def take(self, number: int, line: str) -> None:
        """The next line."""
        found = _DIRECTIVE.fullmatch(line)
        if found is None:
            self._kept.append(self._replaced(line) if self._is_taken else "")
            return
        self._kept.append("")
        self._direct(number, found[1], found[2])

    def end(self) -> str:
        """All that stays. `ConfigError` for conditions without an end, and all before."""
        self._faults += [Fault(f"line {line}", "#if has no #endif") for line, _, _ in self._open]
        if self._faults:
            raise ConfigError(self._faults, document=self._document)
        return "\n".join(self._kept)

    @property
    def _is_taken(self) -> bool:
        return all(taken for _, taken, _ in self._open)

    def _direct(self, number: int, word: str, rest: str) -> None:
        match word:
            case "ifdef" | "ifndef":
                is_defined = rest.split()[:1] != [] and rest.split()[0] in self._defined
                self._enter(number, is_defined is (word == "ifdef"))
            case "if":
                self._enter(number, self._judge(number, rest) if self._is_taken else False)
            case "elif" | "else" | "endif":
                self._turn(number, word, rest)
            case "define" if self._is_taken:
                named = _DEFINE.fullmatch(rest)
                if named is not None and not named[2]:
                    self._defined[named[1]] = named[3].strip()
            case "pragma":
                if self._is_taken and re.search(r"\bpack\s*\((?:\s*push\s*,)?\s*1\s*\)", rest):
                    self.is_packed = True
            case "define" | "":
                pass
            case _ if word in _IGNORED or word.isdigit() or not self._is_taken:
                pass
            case _:
                self._fault(number, f"#{word} is not known here: {_PREPROCESS}")

    def _enter(self, number: int, taken: bool) -> None:
        if len(self._open) >= NESTING_MOST:
            raise ConfigError(
                Fault(f"line {number}", f"more than {NESTING_MOST} conditions within one another"),
                document=self._document,
            )
        self._open.append((number, taken, taken))

    def _turn(self, number: int, word: str, rest: str) -> None:
        if not self._open:
            self._fault(number, f"#{word} without an #if")
            return
        line, _, already = self._open.pop()
        if word == "endif":
            return
        taken = False
        if not already and self._is_taken:
            taken = word == "else" or self._judge(number, rest)
        self._open.append((line, taken, already or taken))

    def _judge(self, number: int, condition: str) -> bool:
        """Whether a condition holds, of those that headers of messages have."""
        told = re.sub(
            r"defined\s*(?:\(\s*(\w+)\s*\)|(\w+))",
            lambda found: "1" if (found[1] or found[2]) in self._defined else "0",
            condition,
        )
        told = self._replaced(told)
        parts = [
            [one.strip() for one in either.split("&&")]
            for either in told.strip("() \t").split("||")
        ]
        values = {"1": True, "0": False, "!0": True, "!1": False, "! 0": True, "! 1": False}
        if any(one not in values for either in parts for one in either):
            self._fault(number, f"#if{condition.rstrip()} cannot be judged here: {_PREPROCESS}")
            return False
        return any(all(values[one] for one in either) for either in parts)

    def _replaced(self, line: str) -> str:
        """The line with the names of plain numbers and of types replaced, a few times over."""
        for _ in range(3):
            line = _WORD.sub(lambda found: self._value(self._defined, found.group()), line)
        return line

    @staticmethod
    def _value(defined: Mapping[str, str], word: str) -> str:
        value = defined.get(word)
        return word if value is None else value

    def _fault(self, number: int, message: str) -> None:
        self._faults.append(Fault(f"line {number}", message))
