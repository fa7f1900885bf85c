"""A clean environment for a proof: a new virtual environment that knows our wheels and no checkout.

Made offline and in seconds. Ours come from wheels, installed by pip. Pip itself, and what ours and
the tools of an author need, is copied from the environment that runs the test, file by file as
their records list them; pip then has to find every requirement fulfilled. So what is proven is that
the wheels say all that they need and hold all that they use, and not that an index still has what
third parties bring. Interpreter and machine are the same ones. The checkout is kept away by being
on no path: :meth:`CleanEnvironment.origin` says from where a module is imported.
"""

from __future__ import annotations

import shutil
import subprocess
import venv
from collections.abc import Iterator, Sequence
from importlib.metadata import Distribution, distribution
from pathlib import Path

from attrs import frozen
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

__all__ = ["CleanEnvironment", "Done"]

OURS = "hkex-ops"
TIMEOUT_S = 120
COLUMNS = 100

_SCRIPT = """\
#!{python}
import sys
from {module} import {name}
sys.exit({call}())
"""


@frozen
class Done:
    """A command that has ended, both streams together as a terminal shows them."""

    code: int
    said: str

    @property
    def words(self) -> str:
        """What was said, however its lines were broken."""
        return " ".join(self.said.split())


class CleanEnvironment:
    """A virtual environment below ``folder``; ``home`` is the only folder its commands know."""

    def __init__(self, folder: Path, wheels: Path) -> None:
        self.home = folder / "home"
        self.home.mkdir(parents=True)
        self._wheels = wheels
        self._prefix = folder / "environment"
        venv.create(self._prefix, with_pip=False, symlinks=True)
        self._scripts = self._prefix / "bin"
        self._python = self._scripts / "python"
        self._site = Path(
            self.run(
                "python -c \"import sysconfig; print(sysconfig.get_path('purelib'))\""
            ).said.strip()
        )

    def bring(self, *requirements: str) -> None:
        """Copy what third parties have to bring for ``requirements``, and what that needs."""
        for one in _closure([Requirement(text) for text in requirements]):
            self._copy(one)

    def _copy(self, brought: Distribution) -> None:
        for file in brought.files or ():
            source = Path(str(brought.locate_file(file)))
            if ".." not in file.parts and source.is_file():
                target = self._site / file
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(source, target)
        for script in brought.entry_points.select(group="console_scripts"):
            text = _SCRIPT.format(
                python=self._python,
                module=script.module,
                name=script.attr.partition(".")[0],
                call=script.attr,
            )
            path = self._scripts / script.name
            path.write_text(text, encoding="utf-8")
            path.chmod(0o755)

    def run(self, command: str, folder: Path | None = None) -> Done:
        """Run a line as a shell does for somebody who has activated the environment."""
        done = subprocess.run(
            ["/bin/sh", "-c", command],
            cwd=folder or self.home,
            env={
                "PATH": f"{self._scripts}:/usr/bin:/bin",
                "HOME": str(self.home),
                "LANG": "C.UTF-8",
                "COLUMNS": str(COLUMNS),
                "NO_COLOR": "1",
                "TERM": "dumb",
                "PIP_NO_INDEX": "1",
                "PIP_FIND_LINKS": str(self._wheels),
                # Its own spelling of --no-build-isolation: hatchling is here already.
                "PIP_NO_BUILD_ISOLATION": "0",
                "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=TIMEOUT_S,
        )
        return Done(done.returncode, done.stdout)

    def origin(self, module: str) -> Path:
        """The file from which ``module`` is imported."""
        done = self.run(f'python -c "import {module}; print({module}.__file__)"')
        assert 0 == done.code, done.said
        return Path(done.said.strip())

    @property
    def path(self) -> Sequence[Path]:
        """Where its interpreter looks for modules."""
        done = self.run("python -c \"import sys; print(*filter(None, sys.path), sep='\\n')\"")
        return [Path(line) for line in done.said.splitlines()]


def _closure(wanted: list[Requirement]) -> Iterator[Distribution]:
    """Each distribution once that fulfils ``wanted``, with what it needs; none of ours."""
    seen: dict[str, set[str]] = {}
    waiting = list(wanted)
    while waiting:
        one = waiting.pop()
        name = canonicalize_name(one.name)
        extras = {"", *one.extras}
        new = extras - seen.get(name, set())
        if not new:
            continue
        found = distribution(one.name)
        if name not in seen and not name.startswith(OURS):
            yield found
        seen.setdefault(name, set()).update(new)
        for text in found.requires or ():
            needed = Requirement(text)
            if any(
                needed.marker is None or needed.marker.evaluate({"extra": extra}) for extra in new
            ):
                waiting.append(needed)
