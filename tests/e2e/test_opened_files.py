#!/usr/bin/python3
"""Whatever is written in a recording: of a capture nothing but the file itself is read, and nothing is written; of a spool
only the modules that it names are read, where they are regular files, and only its own capture is written."""
# TIMEOUT 120
import os
import re
import shutil
import struct

from common import MPROF, PROGRAMS, check, copy_sparse, execute, mprof, preloaded, run_case, skip

CALL = re.compile(r'^(?:\d+ +)?(\w+)\((.*)\) += (-?\d+|\?)')
SYSTEM = re.compile(r"^(/etc/|/usr/(lib|share|bin|local)|/lib|/bin|/proc/self/|/proc/sys/kernel/|/proc/\d+/stat$|/proc/filesystems|/sys/|/dev/null|/dev/tty|"
                    r"/var/cache/fontconfig|/home-of-the-test)")
CHANGES = re.compile(r"O_WRONLY|O_RDWR|O_CREAT|O_TRUNC|O_APPEND")
ALTERS = ("unlink unlinkat rename renameat renameat2 mkdir mkdirat rmdir link linkat symlink symlinkat chmod fchmodat "
          "chown fchownat lchown truncate mknod mknodat utimensat setxattr").split()


def traced(command, **options):
    """(status, [(path, is it written)]) of every file that was opened or altered, the system's left out."""
    env = {**os.environ, "HOME": os.path.abspath("home"), "XDG_CACHE_HOME": os.path.abspath("home"),
           "ASAN_OPTIONS": "detect_leaks=0"}  # a sanitized mprof-c would trace itself for that
    status, _, err = execute(["strace", "-f", "-qq", "-s", "4096", "-o", "trace", "-e", "trace=%file,open,openat,creat",
                              *command], env=env, timeout=60, **options)
    files = []
    with open("trace", encoding="utf-8", errors="surrogateescape") as f:
        for line in f:
            call = CALL.match(line)
            if not call or call[3].startswith("-") or call[1] not in ("open", "openat", "creat", "execve", *ALTERS):
                continue
            name, arguments = call[1], call[2]
            for path in re.findall(r'"((?:[^"\\]|\\.)*)"', arguments)[:2 if name in ALTERS else 1]:
                path = os.path.abspath(path)
                if path.startswith(os.path.abspath("home")) or path == MPROF:
                    continue
                written = name in ALTERS or name == "creat" or bool(CHANGES.search(arguments))
                if written and path not in ("/dev/null", "/dev/tty") or not SYSTEM.match(path):
                    files.append((os.path.relpath(path), written))
    return status, files, err


def check_capture():
    """The program, its sources and the spool's folder are there, and none is looked into."""
    for command in (["report"], ["report", "--json"], ["leaks"], ["leaks", "--json"], ["peak"], ["peak", "--json"],
                    ["plot"], ["plot", "-w", "0,1"], ["plot", "-o", "picture.svg"], ["plot", "-o", "picture.png"]):
        status, files, err = traced([MPROF, *command, "rec/a.mprof"])
        check(status == 0, f"{command}: {err}")
        allowed = {("rec/a.mprof", False)} | ({(command[2], True)} if "-o" in command else set())
        check(set(files) <= allowed | {("rec", False), (".", False)}, f"{command} opened {sorted(set(files) - allowed)}")
        check(("rec/a.mprof", False) in files, f"{command}: the trace shows nothing: {files}")


def patched(name, module_path=None, folder=None):
    """A copy of the spool that says something else of its modules and its folder."""
    copy_sparse("whole.spool", name + ".spool")
    with open(name + ".spool", "r+b") as f:
        header = f.read(4096)
        (info,), (modules, size, capacity) = struct.unpack_from("<Q", header, 128), struct.unpack_from("<QII", header, 192)
        if folder:
            offset, room = struct.unpack_from("<II", header, 160)
            check(len(folder) <= room, "the folder's name is too long")
            f.seek(info + offset)
            f.write(folder.encode().ljust(room, b"\0"))
        patched_modules = 0
        for serial in range(1, min(capacity, 64) if module_path else 0):
            f.seek(modules + serial * size)
            entry = f.read(size)
            if struct.unpack_from("<I", entry)[0] != 1:
                continue
            f.seek(modules + serial * size + 32)
            f.write(struct.pack("<I", 0))  # no build id, so that it is not refused for that
            f.seek(modules + serial * size + 68)
            f.write(struct.pack("<I", len(module_path)))
            f.seek(modules + serial * size + 80)
            f.write(module_path.encode() + b"\0")
            patched_modules += 1
        check(patched_modules or not module_path, "the spool has no module")


def check_spool(what, expected=(), **facts):
    """It is collected: only the spool and its capture are touched, and the modules that may be read."""
    patched("rec/b.mprof", **facts)
    status, files, err = traced([MPROF, "report", "rec/b.mprof"])
    check(status == 0, f"{what}: {err}")
    allowed = {("rec/b.mprof", False), ("rec/b.mprof.spool", False), ("rec/b.mprof.part", True), ("rec/b.mprof.spool", True),
               ("rec/b.mprof", True), ("rec/b.mprof.part", False), ("rec", False), (".", False), *expected}
    check(set(files) <= allowed, f"{what}: opened {sorted(set(files) - allowed)}")
    check(set(expected) <= set(files), f"{what}: did not open {sorted(set(expected) - set(files))}")
    check(os.path.exists("rec/b.mprof") and not os.path.exists("rec/b.mprof.spool"), f"{what}: it was not collected")
    check(mprof("report", "--json", "rec/b.mprof").count('"allocations": 18') >= 1, f"{what}: its events are not there")
    os.unlink("rec/b.mprof")


def check_spools():
    here = os.getcwd()
    os.mkfifo("fifo")
    with open("text", "w", encoding="ascii") as f:
        f.write("no ELF file\n" * 100000)
    os.symlink("text", "link")
    check_spool("as it is", {(os.path.relpath("program"), False)})
    check_spool("a FIFO", module_path=here + "/fifo")
    check_spool("a folder", module_path=here)
    check_spool("a terminal", module_path="/dev/ptmx")
    check_spool("a device", module_path="/dev/zero")
    check_spool("made up by the kernel", module_path="/proc/version", expected={(os.path.relpath("/proc/version"), False)})
    check_spool("a text", {("text", False)}, module_path=here + "/text")
    check_spool("a link to a text", {("link", False)}, module_path=here + "/link")
    check_spool("a path from the working folder", module_path="program")
    check_spool("its own spool", {("rec/b.mprof.spool", False)}, module_path=here + "/rec/b.mprof.spool")
    os.mkdir("other")
    check_spool("another folder", {("program", False)}, folder="/other")
    check(os.listdir("other") == [], "something was written to the folder that the spool names")


def main():
    if execute(["strace", "-o", "/dev/null", "true"])[0]:
        skip("this machine lets nobody trace")
    os.mkdir("home")
    os.mkdir("rec")  # what lies beside a recording may be its child's, and is looked at
    shutil.copy(os.path.join(PROGRAMS, "single"), "program")
    check(execute(["./program"], env=preloaded("rec/a.mprof"))[0] == 0, "the program fails")
    shutil.move("rec/a.mprof.spool", "whole.spool")
    copy_sparse("whole.spool", "rec/a.mprof.spool")
    mprof("report", "rec/a.mprof")
    check_capture()
    os.unlink("rec/a.mprof")
    check_spools()


run_case(main)
