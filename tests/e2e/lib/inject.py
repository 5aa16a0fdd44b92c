# SPDX-License-Identifier: Apache-2.0
"""System calls made by another process: what somebody could do who has taken it over."""

import contextlib
import ctypes
import os
import platform
import signal
import struct

ATTACH, DETACH, GETREGS, SETREGS, SINGLESTEP = 16, 17, 12, 13, 9
REGISTERS = ("r15 r14 r13 r12 rbp rbx r11 r10 r9 r8 rax rcx rdx rsi rdi orig_rax rip cs eflags rsp ss "
             "fs_base gs_base ds es fs gs").split()
ARGUMENTS = ("rdi", "rsi", "rdx", "r10", "r8", "r9")
CALLS = {
    "read": 0, "open": 2, "mmap": 9, "mprotect": 10, "socket": 41, "connect": 42, "listen": 50, "clone": 56, "fork": 57,
    "execve": 59, "kill": 62, "ptrace": 101, "openat": 257, "unshare": 272, "process_vm_readv": 310, "pidfd_open": 434,
}


def possible():
    return os.geteuid() == 0 and platform.machine() == "x86_64"


libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
libc.ptrace.restype = ctypes.c_long


def ptrace(what, pid, address=None, data=None):
    if libc.ptrace(what, pid, address, data) < 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))


class Victim:
    """A process that is stopped inside a system call, most likely a wait."""

    def __init__(self, pid):
        self.pid = pid

    def registers(self):
        values = (ctypes.c_ulonglong * len(REGISTERS))()
        ptrace(GETREGS, self.pid, None, ctypes.addressof(values))
        return values

    def write(self, address, data):
        with open(f"/proc/{self.pid}/mem", "r+b", buffering=0) as memory:
            memory.seek(address)
            memory.write(data)

    def call(self, name, *arguments):
        """Makes the call; bytes are put on its stack.  Its result, or a negative error number."""
        before = self.registers()
        at = dict(zip(REGISTERS, before))
        with open(f"/proc/{self.pid}/mem", "rb", buffering=0) as memory:
            memory.seek(at["rip"] - 2)
            assert memory.read(2) == b"\x0f\x05", "the process does not stand behind a system call"
        values = (ctypes.c_ulonglong * len(REGISTERS))(*before)
        room = at["rsp"] - 8192

        def put(register, value):
            values[REGISTERS.index(register)] = value & 0xFFFFFFFFFFFFFFFF

        for register, argument in zip(ARGUMENTS, arguments + (0,) * 6):
            if isinstance(argument, bytes):
                self.write(room, argument)
                put(register, room)
                room += (len(argument) + 15) // 16 * 16
            else:
                put(register, argument)
        put("rip", at["rip"] - 2)
        put("rax", CALLS[name])
        put("orig_rax", -1)
        ptrace(SETREGS, self.pid, None, ctypes.addressof(values))
        ptrace(SINGLESTEP, self.pid)
        _, status = os.waitpid(self.pid, 0x40000000)
        if not os.WIFSTOPPED(status):
            return None  # it was killed
        result = ctypes.c_longlong(self.registers()[REGISTERS.index("rax")]).value
        ptrace(SETREGS, self.pid, None, ctypes.addressof(before))
        return result

    def read_memory_of(self, pid, address):
        """process_vm_readv() of eight bytes."""
        own = self.registers()[REGISTERS.index("rsp")] - 16384
        return self.call("process_vm_readv", pid, struct.pack("QQ", own, 8), 1, struct.pack("QQ", address, 8), 1, 0)


@contextlib.contextmanager
def taken(pid):
    """Stops a process, hands out its controls, and lets it go on."""
    ptrace(ATTACH, pid)
    os.waitpid(pid, 0x40000000)
    try:
        yield Victim(pid)
    finally:
        with contextlib.suppress(OSError):
            ptrace(DETACH, pid, None, 0)
            os.kill(pid, signal.SIGCONT)
