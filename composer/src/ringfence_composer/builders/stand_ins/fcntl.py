"""Stands in for `fcntl`: locks and flags of files are the host's business."""

from ringfence_gap import functions

LOCK_SH, LOCK_EX, LOCK_NB, LOCK_UN = 1, 2, 4, 8
F_DUPFD, F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_GETLK, F_SETLK, F_SETLKW, F_DUPFD_CLOEXEC = 0, 1, 2, 3, 4, 5, 6, 7, 1030
F_RDLCK, F_WRLCK, F_UNLCK, FD_CLOEXEC = 0, 1, 2, 1
globals().update(functions("no fcntl", "fcntl", "ioctl", "flock", "lockf"))
