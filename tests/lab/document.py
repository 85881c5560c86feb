# SPDX-License-Identifier: GPL-2.0-or-later
"""
The examples of the documents, read from their Markdown; doc/README.md describes the notation.

    python3 -m lab.document check      every block that looks like a command says what becomes of it
    python3 -m lab.document links      every relative link and every anchor leads somewhere
    python3 -m lab.document build DIR  the examples that need no root, with the programs of a build
"""

import contextlib
import dataclasses
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

TOP = pathlib.Path(os.environ.get("top_srcdir") or pathlib.Path(__file__).resolve().parents[2])
PLACES = ("build", "router", "client", "server")
KEYWORDS = {"for", "if", "while", "cd", "echo", "printf", "test", "sudo", "ctmarkd", "ctmarkctl",
            "./bootstrap", "ctmark-replay", "build/ctmarkd", "build/tests/flows/flowrun"}
# Commands that only look, and may be asked again until what they show has come.
READERS = re.compile(r"(journalctl|ctmarkctl (?!delete|flush|reload|log-level)|systemctl show|cat|conntrack -L|"
                     r"ip6?tables .*-[nvx]*[LS]|nft list|grep)\b")
PATIENCE = 15  # seconds

# What is another one each time, on both sides of a comparison.
VARIES = (
    (r"\b[A-Z][a-z]{2} +\d+ \d\d:\d\d:\d\d\b", "TIME"),
    (r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d\S*", "TIME"),
    (r"\b\d\d:\d\d:\d\d(\.\d+)?\b", "TIME"),
    (r"\b[0-9a-f]{16}\b", "FLOW"),
    (r"\[\d+\]", "[PID]"),
    (r"\b(icmp_id=|id=|id )\d+\b", r"\1ID"),
    (r"(?<![\d.x])(3276[89]|327[7-9]\d|32[89]\d\d|3[3-9]\d{3}|[45]\d{4}|60[0-8]\d\d|609[0-8]\d|6099\d)(?![\d.])",
     "PORT"),
    (r"(?<![\d.x])\d{6,}(?!\d)", "NUMBER"),
)
# What a block may say besides about its output.
MORE = {"numbers": (r"(?<![\w.:/])\d[\d,.]*(?![\w:/])", "NUMBER"),
        "seconds": (r"\b((\d+[dhm])+(\d+s)?|\d[\d.]* ?(ms|s|seconds?))\b", "SPAN"),
        "pairs": (r"\b\d+/\d+\b", "PAIR"),
        "sizes": (r"\b\d[\d.]* ?([KMG]i?B|bytes)\b", "SIZE")}

FENCE = re.compile(r"^(\s*)(```+)(\w*)\s*$")
NOTE = re.compile(r"^ *<!-- (hidden run|run|output|file|quoted|not run)(?:: (.*?))?(?: -->|$)")


class Wrong(Exception):
    """A document says what is not so."""


@dataclasses.dataclass
class Block:
    """A fenced block, or a hidden one, with the note above it."""

    line: int
    kind: str = ""  # run, output, file, quoted, not run, or nothing
    place: str = ""
    words: list = dataclasses.field(default_factory=list)
    text: str = ""


def documents():
    """All Markdown files of the tree that are for readers, by their path in it."""
    found = [TOP / "README.md", *sorted((TOP / "doc").rglob("*.md"))]
    return [str(path.relative_to(TOP)) for path in found]


def note_of(line, number):
    """The block that a note above it begins, still without its text."""
    kind, rest = NOTE.match(line).groups()
    parts = [part.strip() for part in (rest or "").split(", ")]
    if kind in ("run", "hidden run", "file"):
        if parts[0] not in PLACES:
            raise Wrong(f"line {number}: no such place: {parts[0]}")
        return Block(number, "run" if kind != "file" else kind, parts[0], parts[1:])
    if kind == "not run" and not rest:
        raise Wrong(f"line {number}: not run, and no reason")
    return Block(number, kind, words=[part for part in parts if part])


def hidden(lines, number):
    """The text of a note that has its block inside, up to its end."""
    end = next(i for i in range(number, len(lines)) if lines[i].strip() == "-->")
    return "\n".join(lines[number:end]), end


def blocks(path):
    """The blocks of a document in their order."""
    lines = (TOP / path).read_text(encoding="utf-8").splitlines()
    found, note, number = [], None, 0
    while number < len(lines):
        line = lines[number]
        number += 1
        if NOTE.match(line):
            note = note_of(line, number)
            if line.lstrip().startswith("<!-- hidden"):
                note.text, number = hidden(lines, number)
                found.append(note)
                note = None
        elif fence := FENCE.match(line):
            end = next(i for i in range(number, len(lines)) if lines[i].strip() == fence[2])
            block = note or Block(number)
            block.text = "\n".join(text[len(fence[1]):] for text in lines[number:end])
            found.append(block)
            note, number = None, end + 1
        elif note:
            raise Wrong(f"{path}:{number}: no block below the note")
    return found


def is_command(text):
    """Whether a block begins with a shell command."""
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    words = re.sub(r"^\$ ", "", lines[0].strip()).split() if lines else [""]
    word = words[0]
    return word in KEYWORDS or word.startswith("tests/") or bool(
        re.fullmatch(r"[a-z0-9./_+-]+", word) and shutil.which(word))


def check(path):
    """What is wrong with the notes of a document."""
    last = None
    for block in blocks(path):
        if not block.kind and is_command(block.text):
            yield f"{path}:{block.line}: a command that neither runs nor says why"
        if block.kind == "output" and not (last and last.kind == "run"):
            yield f"{path}:{block.line}: the output of nothing"
        if block.kind == "quoted" and not is_quoted(block):
            yield f"{path}:{block.line}: not in {block.words[0]}"
        last = block


def is_quoted(block):
    """Whether each line is in the document that it is said to be from."""
    source = (TOP / block.words[0]).read_text(encoding="utf-8")
    lines = re.sub(r"\n +", " ", block.text).splitlines()
    return all(same(f"... {line} ...", source) for line in lines)


# --- comparing what is shown ------------------------------------------------------


def same(shown, got, words=()):
    """Whether output is what a document shows; a word "..." in there stands for any number of words."""
    def plain(text):
        for word in words:
            if word in MORE:
                text = re.sub(MORE[word][0], MORE[word][1], text)
        for pattern, name in VARIES:
            text = re.sub(pattern, name, text)
        return text.split()

    pattern = "".join(r"(?:\S+ )*?" if word == "..." else re.escape(word) + " " for word in plain(shown))
    return re.fullmatch(pattern, "".join(word + " " for word in plain(got))) is not None


def steps(text):
    """(command, shown output or None) of a block: a script as a whole, or lines with prompts."""
    if not text.startswith("$ "):
        return [(text, None)]
    found = []
    for line in text.splitlines():
        if line.startswith("$ "):
            found.append([line[2:], ""])
        elif found[-1][0].endswith("\\") or re.match(r"> ", line):
            found[-1][0] += "\n" + re.sub(r"^> ", "", line)
        else:
            found[-1][1] += line + "\n"
    return [tuple(step) for step in found]


# --- running ----------------------------------------------------------------------

ENVIRONMENT = ("LC_ALL=C.UTF-8", "TERM=dumb", "SYSTEMD_PAGER=", "SYSTEMD_COLORS=0", "COLUMNS=100", "TZ=UTC",
               "PAGER=cat", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")


class Runner:
    """Runs the blocks of one document at places; wrap(place) are the words that enter one."""

    def __init__(self, path, wrap, directory):
        self.path, self.wrap, self.directory = path, wrap, directory
        self.stays = []

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        for process in self.stays:
            process.kill()
            process.wait()

    def words(self, place, script):
        script = re.sub(r"\bsudo ", "", script)
        if "journalctl" in script and place == "router":
            script = "journalctl --sync\n" + script
        return [*self.wrap(place), "env", *ENVIRONMENT, "sh", "-ec", script]

    def run(self, block, script):
        done = subprocess.run(self.words(block.place, script), text=True, timeout=120, cwd=self.directory,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if (done.returncode == 0) == ("fails" in block.words):
            raise Wrong(f"{self.path}:{block.line}: exit {done.returncode}:\n{script}\n{done.stdout}")
        return done.stdout

    def stay(self, block):
        self.stays.append(subprocess.Popen(self.words(block.place, "exec " + block.text), cwd=self.directory,
                                           stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                           stderr=subprocess.DEVNULL))
        for word in block.words:
            if word.startswith("listens "):
                self.listens(block, word.split()[1])

    def listens(self, block, port):
        """Waits until somebody listens to a port there."""
        end = time.monotonic() + PATIENCE
        while not self.run(block, f"ss -Hltun sport = :{port}"):
            if time.monotonic() > end:
                raise Wrong(f"{self.path}:{block.line}: nobody listens to {port}")
            time.sleep(0.05)

    def step(self, block, script, shown, more=()):
        """One command; what only looks is asked again until it shows what the document does."""
        end = time.monotonic() + (PATIENCE if READERS.match(script.replace("sudo ", "")) else 0)
        while True:
            try:
                got = self.run(block, script)
                if shown is None or same(shown, got, [*block.words, *more]):
                    return
                raise Wrong(f"{self.path}:{block.line}: {script}\nshown:\n{shown}\ngot:\n{got}")
            except Wrong:
                if time.monotonic() > end:
                    raise
            time.sleep(0.1)

    def file(self, block):
        path = block.words[0]
        subprocess.run([*self.wrap(block.place), "sh", "-ec", f"mkdir -p $(dirname {path}); cat >{path}"],
                       input=block.text + "\n", text=True, check=True, timeout=30)

    def all(self, wanted):
        """Runs the blocks at wanted places; the block behind a script may be its output."""
        found = blocks(self.path)
        for block, after in zip(found, [*found[1:], Block(0)]):
            if block.place not in wanted:
                continue
            if block.kind == "file":
                self.file(block)
            elif "stays" in block.words:
                self.stay(block)
            else:
                for script, shown in steps(block.text):
                    if after.kind == "output":
                        shown, more = after.text, after.words
                    else:
                        more = ()
                    self.step(block, script, shown, more)


@contextlib.contextmanager
def tree(build):
    """A directory that looks like the source tree after ./bootstrap build, wherever that was made."""
    with tempfile.TemporaryDirectory(prefix="ctmarkd-lab-") as directory:
        for name in os.listdir(TOP):
            if name != "build":
                os.symlink(TOP / name, pathlib.Path(directory, name))
        os.symlink(os.path.realpath(build), pathlib.Path(directory, "build"))
        yield directory


def run_build(path, build):
    """The examples of a document that need nothing but a build."""
    with tree(build) as directory, Runner(path, lambda place: [], directory) as runner:
        runner.all({"build"})


def places(path):
    """Where the blocks of a document run."""
    return {block.place for block in blocks(path) if block.place}


# --- links ------------------------------------------------------------------------


def prose(path):
    """A document without its blocks and its code."""
    text = (TOP / path).read_text(encoding="utf-8")
    text = re.sub(r"^(```+).*?^\1$", "", text, flags=re.S | re.M)
    return re.sub(r"`[^`\n]*`", lambda m: m[0].replace("(", "").replace("[", ""), text)


def anchors(path):
    """The anchors that the headings of a document have."""
    found = set()
    for heading in re.findall(r"^#+ (.*)$", prose(path), re.M):
        heading = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading)
        anchor = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        number = next(i for i in range(100) if (f"{anchor}-{i}" if i else anchor) not in found)
        found.add(f"{anchor}-{number}" if number else anchor)
    return found


def all_markdown():
    skip = {"build", ".git", ".ci"}
    return sorted(str(p.relative_to(TOP)) for p in TOP.rglob("*.md")
                  if not skip & {part.partition("-")[0] for part in p.relative_to(TOP).parts})


def links(path):
    """The relative links of a document that lead nowhere."""
    found = re.findall(r"\]\(([^)\s]+)\)", prose(path)) + re.findall(r'(?:src|srcset|href)="([^"]+)"', prose(path))
    for link in found:
        if re.match(r"[a-z]+:", link):
            continue
        target, _, anchor = link.partition("#")
        file = (pathlib.Path(path).parent / target) if target else pathlib.Path(path)
        if not (TOP / file).exists():
            yield f"{path}: {link}: no such file"
        elif anchor and file.suffix == ".md" and anchor not in anchors(file):
            yield f"{path}: {link}: no such heading"


# --- as a test of make check --------------------------------------------------------


def main(verb, build=None):
    """Prints what is wrong, a line each. Returns an exit status."""
    wrong = []
    for path in all_markdown() if verb == "links" else documents():
        try:
            if verb == "build" and "build" in places(path):
                run_build(path, build)
            elif verb != "build":
                wrong += list({"check": check, "links": links}[verb](path))
        except (Wrong, StopIteration) as e:
            wrong.append(str(e) or f"{path}: a block without an end")
    print("\n".join(wrong), end="\n" if wrong else "")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
