"""The tracer of the crash tests does what it says: see ``crash/tracer.c``."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from crash import tracing
from crash.tracing import START_MARKER, STOP_MARKER, Spoil, Trace

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="ptrace of Linux")


@pytest.fixture(scope="module", autouse=True)
def _traceable() -> None:
    reason = tracing.unavailable()
    if reason is not None:
        pytest.fail(reason)


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    directory = tmp_path / "d"
    directory.mkdir()
    return directory


def run(directory: Path, program: str, spoil: Spoil = tracing.RECORD, **options: bool | int) -> Trace:
    """Runs a Python program in which ``d`` is the directory."""
    start = f"import os, sys\nd = {str(directory)!r}\n"
    command = [sys.executable, "-I", "-S", "-c", start + textwrap.dedent(program)]
    return tracing.trace(command, directory, spoil, **options)  # type: ignore[arg-type]


def names(trace: Trace) -> list[str]:
    return [call.name for call in trace.counted_calls]


def relative(trace: Trace, directory: Path) -> list[tuple[str, str, str]]:
    def cut(path: str) -> str:
        return path.replace(f"{directory}/", "").replace(str(directory), ".")

    return [(call.name, cut(call.path), cut(call.path2)) for call in trace.counted_calls]


SAVE = """
    fd = os.open(d + "/.stage", os.O_WRONLY | os.O_CREAT | os.O_EXCL)
    os.write(fd, b"new")
    os.fsync(fd)
    os.close(fd)
    os.rename(d + "/.stage", d + "/file")
    fd = os.open(d, os.O_RDONLY)
    os.fsync(fd)
    print("saved")
"""


def test_records_calls_in_order_with_files_and_data(directory: Path) -> None:
    trace = run(directory, SAVE, with_data=True)
    assert trace.status == 0 and trace.reason == "exit" and trace.counted == 5
    assert trace.stdout == "saved\n"
    assert relative(trace, directory) == [
        ("openat", ".stage", ""),
        ("write", ".stage", ""),
        ("fsync", ".stage", ""),
        ("rename", ".stage", "file"),
        ("fsync", ".", ""),
    ]
    opened, write, *_ = trace.counted_calls
    inode = (directory / "file").stat().st_ino
    assert opened.fields["existed"] == 0
    assert opened.fields["ino"] == write.fields["ino"] == inode
    assert (write.fields["off"], write.result, write.fields["size"]) == (0, 3, 3)
    assert trace.data == b"new"
    assert [call.name for call in trace.calls if not call.number] == ["close"]


def test_other_directories_pass(directory: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "d2"  # begins like the directory
    elsewhere.mkdir()
    trace = run(directory, f"d = {str(elsewhere)!r}" + textwrap.dedent(SAVE))
    assert trace.counted == 0 and trace.calls == []
    assert (elsewhere / "file").read_bytes() == b"new"


def test_reading_is_not_counted_unless_asked_for(directory: Path) -> None:
    (directory / "file").write_bytes(b"x")
    program = """
        fd = os.open(d + "/file", os.O_RDWR)
        os.read(fd, 10)
        os.listdir(d)
        import fcntl
        fcntl.flock(fd, fcntl.LOCK_EX)
    """
    trace = run(directory, program)
    assert trace.counted == 0
    assert [call.name for call in trace.calls] == ["close", "flock"]  # the directory of listdir was closed
    trace = run(directory, program, Spoil(count="open,lock"))
    assert names(trace) == ["openat", "openat", "flock"]


def test_offsets_of_every_way_to_write(directory: Path) -> None:
    trace = run(
        directory,
        """
        fd = os.open(d + "/a", os.O_RDWR | os.O_CREAT)
        os.write(fd, b"0123456789")
        os.lseek(fd, 4, os.SEEK_SET)
        os.writev(fd, [b"ab", b"cd"])
        os.pwrite(fd, b"XY", 20)
        os.pwritev(fd, [b"Z"], 30)
        to = os.open(d + "/b", os.O_RDWR | os.O_CREAT)
        os.copy_file_range(fd, to, 4, 0, 100)
        os.sendfile(to, fd, 0, 3)
        os.sendfile(to, fd, 0, 3)
        at_end = os.open(d + "/b", os.O_WRONLY | os.O_APPEND)
        os.write(at_end, b"end")
        back, into = os.pipe()
        os.write(into, b"piped")
        os.splice(back, to, 5, offset_dst=50)
        """,
        with_data=True,
    )
    written = [
        (call.name, call.fields["off"], trace.data[call.fields["data"] : call.fields["data"] + call.result])
        for call in trace.counted_calls
        if call.name != "openat"
    ]
    assert written == [
        ("write", 0, b"0123456789"),
        ("writev", 4, b"abcd"),
        ("pwrite64", 20, b"XY"),
        ("pwritev2" if "pwritev2" in names(trace) else "pwritev", 30, b"Z"),
        ("copy_file_range", 100, b"0123"),
        ("sendfile", 0, b"012"),
        ("sendfile", 3, b"012"),
        ("write", 104, b"end"),
        ("splice", 50, b"piped"),
    ]


def test_names_relative_to_descriptors_links_and_the_working_directory(directory: Path, tmp_path: Path) -> None:
    (tmp_path / "via").symlink_to(directory)
    trace = run(
        directory,
        """
        fd = os.open(d, os.O_RDONLY)
        os.close(os.open("at", os.O_CREAT | os.O_WRONLY, dir_fd=fd))
        os.rename("at", "at2", src_dir_fd=fd, dst_dir_fd=fd)
        os.chdir(d)
        os.mkdir("sub/")
        os.chmod("./sub/../at2", 0o600)
        os.symlink("at2", "link")
        os.truncate("link", 7)
        os.unlink("../via/link")
        os.unlink(d + "//sub/..//at2")
        os.rmdir("sub")
        """,
    )
    assert relative(trace, directory) == [
        ("openat", "at", ""),
        ("renameat", "at", "at2"),
        ("mkdir", "sub", ""),
        ("chmod", "at2", ""),
        ("symlink", "link", ""),
        ("truncate", "at2", ""),
        ("unlink", "link", ""),
        ("unlink", "at2", ""),
        ("rmdir", "sub", ""),
    ]


def test_files_without_a_name(directory: Path) -> None:
    trace = run(
        directory,
        """
        fd = os.open(d, os.O_WRONLY | os.O_TMPFILE)
        os.write(fd, b"x")
        # A directory descriptor makes Python call linkat, which follows the link; link would not.
        os.link(f"/proc/self/fd/{fd}", d + "/named", src_dir_fd=0, follow_symlinks=True)
        os.fsync(fd)
        """,
    )
    opened, write, link, sync = trace.counted_calls
    inode = (directory / "named").stat().st_ino
    assert [call.fields["ino"] for call in (opened, write, link, sync)] == [inode] * 4
    assert opened.path.endswith("(deleted)") and opened.fields["existed"] == 0
    assert link.fields["ino_before"] == inode and link.path2 == f"{directory}/named"


def test_markers_bound_what_is_counted(directory: Path) -> None:
    trace = run(
        directory,
        f"""
        os.mkdir(d + "/before")
        os.access({START_MARKER!r}, 0)
        os.mkdir(d + "/between")
        os.access({STOP_MARKER!r}, 0)
        os.mkdir(d + "/after")
        """,
        markers=True,
    )
    assert relative(trace, directory) == [("mkdir", "between", "")]
    assert [event["event"] for event in trace.events] == ["start", "call", "stop", "end"]


def contents(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in directory.iterdir()}


def test_killed_before_each_call(directory: Path) -> None:
    """Each state is what the calls before made, so the killed call did not happen."""
    expected: list[dict[str, bytes]] = [{}, {".stage": b""}, {".stage": b"new"}, {".stage": b"new"}, {"file": b"new"}]
    for number, state in enumerate(expected, 1):
        for path in directory.iterdir():
            path.unlink()
        trace = run(directory, SAVE, Spoil(kill_at=number))
        assert trace.reason == "killed" and trace.status == tracing.KILLED_STATUS
        assert trace.stdout == ""
        assert trace.killed_call is not None and trace.killed_call.number == trace.counted == number
        assert contents(directory) == state
    trace = run(directory, SAVE, Spoil(kill_at=6))
    assert trace.reason == "exit" and trace.status == 0


def alive(pid: int) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"  # dead, and init has not yet come to it


def test_a_kill_ends_threads_and_children(directory: Path) -> None:
    program = """
        import threading, time
        def forever():
            while True:
                time.sleep(0.01)
        threading.Thread(target=forever).start()
        child = os.fork()
        if child == 0:
            os.setsid()
            forever()
        print(os.getpid(), child, flush=True)
        os.mkdir(d + "/never")
    """
    began = time.monotonic()
    trace = run(directory, program, Spoil(kill_at=1))
    assert trace.reason == "killed" and time.monotonic() - began < 10
    assert list(directory.iterdir()) == []
    for pid in trace.stdout.split():
        assert not alive(int(pid))


def test_children_and_programs_they_start_are_followed(directory: Path) -> None:
    trace = run(
        directory,
        """
        if os.fork() == 0:
            os.mkdir(d + "/by-child")
            os.execv("/bin/sh", ["sh", "-c", "mkdir " + d + "/by-program; echo x > " + d + "/by-shell"])
        os.wait()
        """,
    )
    assert relative(trace, directory) == [
        ("mkdir", "by-child", ""),
        ("mkdir", "by-program", ""),
        ("openat", "by-shell", ""),
        ("write", "by-shell", ""),
    ]


def test_threads_are_counted_together_and_nothing_happens_after_a_kill(directory: Path) -> None:
    program = """
        import threading
        def work(i):
            for j in range(50):
                os.mkdir(f"{d}/{i}-{j}")
        threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
        [t.start() for t in threads]
        [t.join() for t in threads]
    """
    trace = run(directory, program)
    assert trace.counted == 200 and len({call.fields["tid"] for call in trace.calls}) == 4
    assert [call.number for call in trace.calls] == list(range(1, 201))
    for path in directory.iterdir():
        path.rmdir()
    for number in (1, 2, 77, 150):
        before = len(list(directory.iterdir()))
        trace = run(directory, program.replace("{i}-{j}", f"{number}-{{i}}-{{j}}"), Spoil(kill_at=number))
        assert trace.reason == "killed"
        assert len(list(directory.iterdir())) - before == number - 1


C_PROGRAM = r"""
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

static char dir[4096];
static void on_alarm(int s) { (void)s; }

static void *work(void *arg)
{
	char name[5000];
	snprintf(name, sizeof name, "%s/t%d", dir, *(int *)arg);
	int fd = open(name, O_CREAT | O_WRONLY, 0600);
	for (int i = 0; i < 100; i++)
		if (write(fd, "x", 1) != 1)
			return "write";
	return fsync(fd) == 0 && close(fd) == 0 ? NULL : "fsync";
}

int main(int argc, char **argv)
{
	pthread_t threads[4];
	int ids[4];
	if (argc != 2)
		return 2;
	strcpy(dir, argv[1]);
	/* Signals all the time, as the Go runtime sends them. */
	struct sigaction action = {.sa_handler = on_alarm, .sa_flags = SA_RESTART};
	sigaction(SIGALRM, &action, NULL);
	struct itimerval often = {{0, 500}, {0, 500}};
	setitimer(ITIMER_REAL, &often, NULL);
	for (int i = 0; i < 4; i++) {
		ids[i] = i;
		pthread_create(&threads[i], NULL, work, &ids[i]);
	}
	for (int i = 0; i < 4; i++) {
		void *failed;
		pthread_join(threads[i], &failed);
		if (failed)
			return 1;
	}
	return 0;
}
"""


def test_a_c_program_with_threads_and_signals(directory: Path, tmp_path: Path) -> None:
    source, program = tmp_path / "p.c", tmp_path / "p"
    source.write_text(C_PROGRAM)
    subprocess.run(["gcc", "-pthread", "-o", program, source], check=True)
    for _ in range(5):
        trace = tracing.trace([program, directory], directory, with_data=True)
        assert trace.status == 0 and trace.counted == 4 * 102
        for name in "t0", "t1", "t2", "t3":
            offsets = [call.fields["off"] for call in trace.calls if call.name == "write" and call.path.endswith(name)]
            assert offsets == list(range(100))
        for path in directory.iterdir():
            path.unlink()


@pytest.mark.parametrize("error", [errno.EIO, errno.ENOSPC, errno.EDQUOT, errno.EMFILE, errno.EACCES])
def test_each_call_fails(directory: Path, error: int) -> None:
    (directory / "file").write_bytes(b"old")
    program = "try:\n" + textwrap.indent(textwrap.dedent(SAVE), "    ")
    program += "\nexcept OSError as e:\n    print(e.errno)"
    for number in range(1, 6):
        trace = run(directory, program, Spoil(fail_at=number, error=error))
        assert trace.reason == "exit" and trace.status == 0
        assert trace.stdout == f"{error}\n"
        failed = trace.counted_calls[number - 1]
        assert failed.injected and failed.error == error
        assert contents(directory)["file"] == (b"old" if number < 5 else b"new")
        (directory / ".stage").unlink(missing_ok=True)


def test_several_calls_fail(directory: Path) -> None:
    program = """
        for i in range(6):
            try:
                os.mkdir(f"{d}/{i}")
            except OSError:
                pass
    """
    run(directory, program, Spoil(fail_at=2, fail_count=2, error=errno.EIO))
    assert sorted(path.name for path in directory.iterdir()) == ["0", "3", "4", "5"]
    for path in directory.iterdir():
        path.rmdir()
    run(directory, program, Spoil(fail_at=2, fail_count=0, error=errno.EIO))
    assert sorted(path.name for path in directory.iterdir()) == ["0"]


def test_what_a_file_system_refuses(directory: Path) -> None:
    program = """
        def attempt(call, *args, **kwargs):
            try:
                return call(*args, **kwargs)
            except OSError as e:
                print(e.errno)
        attempt(os.open, d, os.O_TMPFILE | os.O_WRONLY)
        fd = os.open(d + "/a", os.O_CREAT | os.O_WRONLY)
        attempt(os.link, d + "/a", d + "/b")
        os.mkdir(d + "/c")
    """
    trace = run(directory, program, Spoil(refuse_nameless=errno.EOPNOTSUPP))
    assert trace.stdout == f"{errno.EOPNOTSUPP}\n" and names(trace) == ["openat", "link", "mkdir"]
    (directory / "b").unlink()
    (directory / "c").rmdir()
    trace = run(directory, program, Spoil(refuse_links=errno.EPERM, fail_at=3, error=errno.EIO))
    assert trace.stdout == f"{errno.EPERM}\n" and names(trace) == ["openat", "openat", "mkdir"]
    assert sorted(path.name for path in directory.iterdir()) == ["a"]


def test_a_program_that_hangs_is_ended(directory: Path) -> None:
    began = time.monotonic()
    trace = run(directory, "import time; time.sleep(100)", timeout=1)
    assert trace.reason == "timeout" and trace.status == tracing.KILLED_STATUS
    assert time.monotonic() - began < 10


def test_a_lock_that_waits_for_another_process_does_not_block_the_tracer(directory: Path) -> None:
    program = """
        import fcntl, time
        fd = os.open(d, os.O_RDONLY)
        fcntl.flock(fd, fcntl.LOCK_EX)
        if os.fork() == 0:
            other = os.open(d, os.O_RDONLY)
            fcntl.flock(other, fcntl.LOCK_EX)
            os.mkdir(d + "/second")
            os._exit(0)
        time.sleep(0.2)
        os.mkdir(d + "/first")
        fcntl.flock(fd, fcntl.LOCK_UN)
        os.wait()
    """
    trace = run(directory, program, timeout=20)
    assert relative(trace, directory) == [("mkdir", "first", ""), ("mkdir", "second", "")]


def test_shared_mappings_are_seen_and_io_uring_is_not_there(directory: Path) -> None:
    trace = run(
        directory,
        """
        import ctypes, mmap
        fd = os.open(d + "/a", os.O_RDWR | os.O_CREAT)
        os.ftruncate(fd, 4096)
        with mmap.mmap(fd, 4096) as m:
            m[:1] = b"x"
            m.flush()
        mmap.mmap(-1, 4096).close()
        libc = ctypes.CDLL(None, use_errno=True)
        print(libc.syscall(425, 1, None), ctypes.get_errno())
        """,
    )
    assert names(trace) == ["openat", "ftruncate", "mmap", "msync"]
    assert trace.stdout == f"-1 {errno.ENOSYS}\n"


def test_strange_file_names_survive_the_log(directory: Path) -> None:
    name = b'a"b\\c\n\xff\xc3\xa9'
    trace = run(directory, f"os.mkdir(os.fsencode(d) + b'/' + {name!r})")
    assert os.fsencode(trace.calls[0].path) == os.fsencode(directory) + b"/" + name


def test_failures_of_the_tracer_are_told(directory: Path) -> None:
    with pytest.raises(tracing.TracerError, match="no class nonsense"):
        run(directory, "", Spoil(count="nonsense"))
    assert tracing.trace(["/nonexistent"], directory).status == 125
