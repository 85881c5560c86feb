# SPDX-License-Identifier: GPL-2.0-or-later
"""The Debian package: where it is, the same under another version, and what it leaves behind."""

import os
import pathlib
import re
import shutil
import stat

from lab.netns import sh

TOP = pathlib.Path(__file__).resolve().parents[2]
# What the account tools and the package manager write for themselves.
NOT_OURS = re.compile(r"/(run|tmp|var/(cache|lib/dpkg|log|tmp))(/|$)|/etc/(passwd|group|shadow|gshadow)-$")


def built():
    """The package that CTMARK_DEB names, or one that is built now."""
    if "CTMARK_DEB" in os.environ:
        return pathlib.Path(os.environ["CTMARK_DEB"])
    os.environ["DEB_BUILD_OPTIONS"] = "nocheck"
    sh(str(TOP / "bootstrap"), "deb", timeout=900)
    return next((TOP / "build/deb").glob("ctmarkd_*.deb"))


def renumbered(deb, directory, version):
    """The same package under another version. Returns its path."""
    tree = pathlib.Path(directory, f"tree-{version}")
    sh("dpkg-deb", "--raw-extract", str(deb), str(tree))
    control = tree / "DEBIAN/control"
    control.write_text(re.sub(r"(?m)^Version: .*", f"Version: {version}", control.read_text()))
    file = pathlib.Path(directory, f"ctmarkd_{version}.deb")
    sh("dpkg-deb", "--root-owner-group", "-Znone", "--build", str(tree), str(file), timeout=60)
    shutil.rmtree(tree)
    return file


def _gone(state):
    """How an overlay notes that a file of the lower layer is no more."""
    return stat.S_ISCHR(state.st_mode) and state.st_rdev == 0


class Changes:
    """What has changed in the files of a machine since this was made."""

    def __init__(self, machine):
        self.machine = machine
        self.before = self._written()
        self.accounts = self._accounts()

    def _written(self):
        """Everything of the upper layer of the overlay: {path: how it is}"""
        upper = self.machine.base / "upper"
        found = {}
        for where, directories, files in os.walk(upper):
            for name in directories + files:
                file = pathlib.Path(where, name)
                path = f"/{file.relative_to(upper)}"
                if not NOT_OURS.match(path):
                    found[path] = file.lstat()
        return found

    def _accounts(self):
        return {name: (self.machine.root / "etc" / name).read_text()
                for name in ("passwd", "group", "shadow", "gshadow")}

    def left(self):
        """Paths that were not there, in the machine or in what lies under it."""
        return sorted(path for path, state in self._written().items()
                      if path not in self.before and not _gone(state) and not os.path.lexists(path))

    def gone(self):
        """Paths that were there."""
        now = self._written()
        had = {path for path, state in self.before.items() if not _gone(state)}
        return sorted({path for path in had if path not in now} |
                      {path for path, state in now.items() if _gone(state) and
                       (path in had or path not in self.before and os.path.lexists(path))})

    def owned_by(self, uid, gid):
        return sorted(p for p, state in self._written().items() if state.st_uid == uid or state.st_gid == gid)

    def accounts_changed(self):
        return {name: text for name, text in self._accounts().items() if text != self.accounts[name]}
