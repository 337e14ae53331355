"""Stands in for `resource`: a guest's limits are its host's business."""

from ringfence_gap import functions

RLIMIT_CPU, RLIMIT_FSIZE, RLIMIT_DATA, RLIMIT_STACK, RLIMIT_CORE, RLIMIT_RSS, RLIMIT_NPROC, RLIMIT_NOFILE, RLIMIT_MEMLOCK, RLIMIT_AS = (
    range(10)
)
RLIM_INFINITY, RUSAGE_SELF, RUSAGE_CHILDREN = -1, 0, -1
error = OSError
globals().update(functions("no way to see or set limits", "getrlimit", "setrlimit", "prlimit", "getrusage", "getpagesize"))
