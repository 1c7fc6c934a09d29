"""sources.py - fetches the sources of Debian packages.

apt-get gets lists of its own below our folder, so the machine's sources stay as they are.
"""
import glob
import os
import re
import shutil
import subprocess

DEBIAN_SOURCES = """Types: deb-src
URIs: http://deb.debian.org/debian
Suites: {release}
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
"""


def call(*command, cwd=None, env=None):
    """Runs a command and returns what it prints; ends the program with that where it fails."""
    done = subprocess.run(command, cwd=cwd, env=dict(os.environ, **(env or {})), capture_output=True, text=True,
                          errors="replace", check=False)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(command)}: status {done.returncode}\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return done.stdout


def release():
    with open("/etc/os-release", encoding="utf-8") as f:
        text = f.read()
    found = re.search(r"^VERSION_CODENAME=(\w+)", text, re.M)
    if not found or not re.search(r"^ID=debian$", text, re.M):
        raise SystemExit("the sources of the hosts are Debian's, and this machine's release is none of Debian's")
    return found.group(1)


def apt_options(folder):
    """What makes apt-get use lists in our folder, fetched at the first call."""
    parts, lists = os.path.join(folder, "apt", "sources"), os.path.join(folder, "apt", "lists")
    options = ["-o", "Dir::Etc::sourcelist=/dev/null", "-o", f"Dir::Etc::sourceparts={parts}", "-o",
               f"Dir::State::lists={lists}", "-o", "APT::Sandbox::User=root"]
    if not os.path.isdir(lists):
        os.makedirs(parts, exist_ok=True)
        with open(os.path.join(parts, "debian.sources"), "w", encoding="utf-8") as f:
            f.write(DEBIAN_SOURCES.format(release=release()))
        os.makedirs(lists + "/partial", exist_ok=True)
        call("apt-get", *options, "update")
    return options


def source(folder, package):
    """The folder with the unpacked source of a package."""
    place = os.path.join(folder, package)
    if not os.path.isdir(place):
        fetched = os.path.join(folder, "fetched", package)
        os.makedirs(fetched, exist_ok=True)
        call("apt-get", *apt_options(folder), "source", "--download-only", package, cwd=fetched)
        shutil.rmtree(place + ".new", ignore_errors=True)
        call("dpkg-source", "--no-check", "-x", *glob.glob(os.path.join(fetched, "*.dsc")), place + ".new", cwd=fetched)
        os.rename(place + ".new", place)
    return place


def once(place, name, make):
    """Calls make unless an earlier call has come to its end; what takes long is done once."""
    mark = os.path.join(place, f".{name}-made")
    if not os.path.exists(mark):
        make()
        with open(mark, "w", encoding="utf-8"):
            pass
