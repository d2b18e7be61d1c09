"""This process starts no other: a filter in the kernel (seccomp) that no code can take off again.

A limit on the number of processes would not do: it does not bind root.
"""

import ctypes
import errno
import platform
import struct
import sys

PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 38, 22, 2  # linux/prctl.h, linux/seccomp.h
LOAD, JUMP_EQUAL, JUMP_SET, RETURN = 0x20, 0x15, 0x45, 0x06  # linux/bpf_common.h, classic BPF
ALLOW, REFUSE = 0x7FFF0000, 0x00050000  # SECCOMP_RET_ALLOW, SECCOMP_RET_ERRNO
NUMBER, ARCHITECTURE, FIRST_ARGUMENT = 0, 4, 16  # where struct seccomp_data has them
CLONE_THREAD = 0x00010000  # linux/sched.h

#: By machine: its name in the kernel's audit, clone, and all other calls that make or become a process. clone3 has
#: one number everywhere.
CALLS = {
    "x86_64": (0xC000003E, 56, (57, 58, 59, 322)),  # fork, vfork, execve, execveat
    "aarch64": (0xC00000B7, 220, (221, 281)),  # execve, execveat
}
CLONE3 = 435


def alone() -> bool:
    """Refuse this process every other one from now on; threads stay possible. Say whether that could be done."""
    known = CALLS.get(platform.machine()) if sys.platform == "linux" else None
    if known is None:
        return False
    code = b"".join(struct.pack("HBBI", *instruction) for instruction in program(*known))
    text = ctypes.create_string_buffer(code)
    filter = ctypes.create_string_buffer(struct.pack("@HP", len(code) // 8, ctypes.addressof(text)))
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    prctl.argtypes = [ctypes.c_int] + [ctypes.c_ulong] * 4
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)  # without it only root may set a filter
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.addressof(filter), 0, 0) == 0


def program(architecture: int, clone: int, others: tuple[int, ...]) -> list[tuple[int, int, int, int]]:
    """The filter: instructions (code, jump if true, jump if false, value), for the kernel's BPF machine."""
    refused = REFUSE | errno.EPERM
    checks = [
        (LOAD, 0, 0, ARCHITECTURE),
        (JUMP_EQUAL, 1, 0, architecture),
        (RETURN, 0, 0, refused),  # a 32-bit call, whose numbers mean other things
        (LOAD, 0, 0, NUMBER),
        (JUMP_SET, 0, 1, 0x40000000),
        (RETURN, 0, 0, refused),  # x32, another set of numbers
        # glibc starts threads with clone3, whose flags a filter cannot see, and with clone where there is none.
        (JUMP_EQUAL, 0, 1, CLONE3),
        (RETURN, 0, 0, REFUSE | errno.ENOSYS),
    ]
    for number in others:
        checks += [(JUMP_EQUAL, 0, 1, number), (RETURN, 0, 0, refused)]
    return checks + [
        (JUMP_EQUAL, 1, 0, clone),
        (RETURN, 0, 0, ALLOW),
        (LOAD, 0, 0, FIRST_ARGUMENT),
        (JUMP_SET, 0, 1, CLONE_THREAD),
        (RETURN, 0, 0, ALLOW),
        (RETURN, 0, 0, refused),
    ]
