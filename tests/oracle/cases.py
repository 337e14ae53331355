"""What is asked of the served WASI and of the engine's own: steps as the surveyor takes them, by the names of the specification.

Every case begins with the folder of `tree`, granted as `/data` with all access (or, in READ_ONLY, to be read), and known as `root`.
"""

from __future__ import annotations

from typing import Any, TypeAlias

Step: TypeAlias = tuple[Any, ...]

FOLLOW, HERE = ["symlink-follow"], []
"""Path flags: a link at the end of a path is followed, or is what is meant."""
R, W, RW = ["read"], ["write"], ["read", "write"]
NEW, ONLY_NEW, EMPTIED, FOLDER = ["create"], ["create", "exclusive"], ["truncate"], ["directory"]

_OPENED = {"a": "a file", "dir": "a folder", "to-a": "a link to a file", "to-dir": "a link to a folder", "to-to-a": "a link to a link"}
_PLACES = [
    *("a", "a/", "a/.", "a/..", "a/x", "dir", "dir/", "dir//", "dir/.", "dir/..", "./dir", ".//dir/./deep", "dir/../a", "dir/deep/../../a"),
    *(".", "./", "", "/", "/a", "/data/a", "..", "../", "../outside.txt", "dir/../..", "dir/../../data/a", "dir/back", "dir/back/"),
    *(
        "to-a",
        "to-a/",
        "to-a/x",
        "to-to-a",
        "to-dir",
        "to-dir/",
        "to-dir/b",
        "to-dir/../a",
        "to-dir/back",
        "slashed",
        "slashed/",
        "slashed/b",
    ),
    *("dangling", "dangling/", "dangling/x", "loop", "loop/", "loop/x", "ping", "out", "out/", "far-out", "absolute", "absolute/", "magic"),
    *(
        "magic/etc",
        "nothing",
        "nothing/",
        "nothing/x",
        "void",
        "void/x",
        "pipe",
        "pipe/",
        "pipe/x",
        "ä ö",
        "no-\ufffd-text",
        "a\0b",
        "a\\b",
    ),
    *("A", "dir/B", "a ", "x" * 255, "x" * 256, "dir/" + "x" * 300 + "/y", "dir/" * 1000 + "b", "twin"),
]

_PIPES = ("pipe", "pipe/", "pipe/x")
"""Where the engine's own WASI waits for ever, for somebody at the other end, if it is to open them."""


def _looked_at() -> dict[str, list[Step]]:
    """Every place that there is, and none, looked at in every way."""
    return {
        f"stat {place[:40]!r}": [
            ("root", "stat-at", FOLLOW, place),
            ("root", "stat-at", HERE, place),
            ("root", "metadata-hash-at", FOLLOW, place),
            ("root", "readlink-at", place),
        ]
        for place in _PLACES
    }


def _opened() -> dict[str, list[Step]]:
    return {
        f"open {place[:40]!r}": [
            ("f=root", "open-at", FOLLOW, place, [], R),
            ("f=root", "open-at", HERE, place, [], R),
            ("f=root", "open-at", FOLLOW, place, FOLDER, R),
            ("f=root", "open-at", FOLLOW, place, [], W),
            ("f=root", "open-at", FOLLOW, place, [], []),
            ("f=root", "open-at", FOLLOW, place, ONLY_NEW, RW),
            ("f=root", "open-at", FOLLOW, place, NEW, RW),
            ("f=root", "open-at", HERE, place, EMPTIED, RW),
        ]
        for place in _PLACES
        if place not in _PIPES
    }


def _made_and_removed() -> dict[str, list[Step]]:
    return {
        f"{function} {place[:40]!r}": [("root", function, place), ("root", function, place)]
        for function in ("create-directory-at", "remove-directory-at", "unlink-file-at")
        for place in _PLACES
    }


_FROM = [
    "a",
    "a/",
    "dir",
    "dir/",
    "dir/deep",
    "void",
    "to-a",
    "to-dir",
    "to-dir/",
    "dangling",
    "out",
    "absolute",
    "pipe",
    "nothing",
    ".",
    "..",
]
_TO = [
    "new",
    "new/",
    "twin",
    "a",
    "void",
    "void/",
    "dir",
    "dir/new",
    "dir/deep/new",
    "to-a",
    "dangling",
    "nothing/new",
    ".",
    "../new",
    "a/x",
]


def _moved() -> dict[str, list[Step]]:
    """From every kind of end to every other: in the root, and from one folder to another."""
    return {
        f"{function} {old!r} {new!r}": [("root", function, *flags, old, "root", new)]
        for function, flags in (("rename-at", []), ("link-at", [HERE]))
        for old in _FROM
        for new in _TO
    }


def _linked() -> dict[str, list[Step]]:
    targets = [
        "a",
        "dir",
        "dir/",
        "nothing",
        ".",
        "./a",
        "dir/../a",
        "..",
        "../a",
        "/a",
        "/etc/passwd",
        "",
        "to-a",
        "loop",
        "a\0b",
        "x" * 5000,
    ]
    places = ["new", "new/", "a", "dir/new", "dir", "to-dir/new", "dangling", "dangling/", "nothing/new", "/new", "../new", "", "."]
    pairs = [(target, "new") for target in targets] + [("a", place) for place in places]
    return {
        f"symlink {target[:20]!r} {place!r}": [
            ("root", "symlink-at", target, place),
            ("root", "readlink-at", place),
            ("root", "stat-at", FOLLOW, place),
        ]
        for target, place in pairs
    }


def _read_and_written() -> dict[str, list[Step]]:
    big = (1 << 63) - 1
    return {
        "read a file": [
            ("f=root", "open-at", HERE, "a", [], R),
            *(
                ("f", "read", length, offset)
                for length, offset in [(5, 0), (5, 6), (100, 0), (100, 6), (0, 0), (0, 11), (1, 11), (1, 12), (5, 1 << 40)]
            ),
            ("f", "read", 1, big),
            ("f", "read", 1, big + 1),
            ("f", "read", (1 << 64) - 1, 0),
        ],
        "write a file": [
            ("f=root", "open-at", HERE, "a", [], RW),
            ("f", "write", "HELLO", 0),
            ("f", "write", "", 3),
            ("f", "write", "end", 20),
            ("f", "read", 100, 0),
            ("f", "write", "x", big + 1),
            ("f", "stat"),
        ],
        "a write beyond the last offset": [("f=root", "open-at", HERE, "a", [], W), ("f", "write", "x", big)],
        "streams of a file": [
            ("f=root", "open-at", HERE, "a", [], RW),
            ("in=f", "read-via-stream", 6),
            ("in", "blocking-read", 3),
            ("in", "blocking-read", 100),
            ("in", "blocking-read", 1),
            ("in", "read", 1),
            ("in", "blocking-skip", 1),
            ("out=f", "write-via-stream", 2),
            ("out", "check-write"),
            ("out", "write", "XY"),
            ("out", "flush"),
            ("out", "blocking-flush"),
            ("f", "read", 100, 0),
            ("end=f", "append-via-stream"),
            ("end", "blocking-write-and-flush", "!"),
            ("end", "blocking-write-zeroes-and-flush", 2),
            ("f", "read", 100, 0),
            ("far=f", "read-via-stream", 100),
            ("far", "blocking-read", 1),
        ],
        "skips and splices": [
            ("f=root", "open-at", HERE, "a", [], RW),
            ("in=f", "read-via-stream", 0),
            ("in", "blocking-skip", 6),
            ("g=root", "open-at", HERE, "new", NEW, RW),
            ("out=g", "write-via-stream", 0),
            ("out", "blocking-splice", "in", 3),
            ("out", "blocking-splice", "in", 100),
            ("out", "blocking-splice", "in", 100),
            ("out", "blocking-flush"),
            ("g", "read", 100, 0),
        ],
        "pollables of streams": [
            ("f=root", "open-at", HERE, "a", [], RW),
            ("in=f", "read-via-stream", 0),
            ("p=in", "subscribe"),
            ("p", "block"),
            ("p", "ready"),
            ("out=f", "write-via-stream", 0),
            ("q=out", "subscribe"),
            ("poll", "poll", ["p", "q", "p"]),
        ],
        "a write that was not asked for": [
            ("f=root", "open-at", HERE, "a", [], W),
            ("out=f", "write-via-stream", 0),
            ("out", "write", "x"),
            ("out", "blocking-flush"),
        ],
        "a blocking write of too much": [
            ("f=root", "open-at", HERE, "a", [], W),
            ("out=f", "write-via-stream", 0),
            ("out", "blocking-write-and-flush", "x" * 4097),
        ],
        "a stream beyond the last offset": [
            ("f=root", "open-at", HERE, "a", [], RW),
            ("in=f", "read-via-stream", big + 1),
            ("in", "blocking-read", 1),
            ("out=f", "write-via-stream", big + 1),
            ("out", "blocking-write-and-flush", "x"),
        ],
        "what the flags of a file leave out": [
            ("r=root", "open-at", HERE, "a", [], R),
            ("w=root", "open-at", HERE, "a", [], W),
            *(
                ("r", *what)
                for what in [("write", "x", 0), ("write-via-stream", 0), ("append-via-stream",), ("set-size", 3), ("get-flags",)]
            ),
            *(("w", *what) for what in [("read", 1, 0), ("read-via-stream", 0), ("get-flags",)]),
            *((one, function) for one in ("r", "w") for function in ("sync", "sync-data", "get-type", "stat")),
        ],
        "what a folder is no file for": [
            *(("root", *what) for what in [("read", 1, 0), ("write", "x", 0), ("read-via-stream", 0), ("write-via-stream", 0)]),
            *(
                ("root", *what)
                for what in [("append-via-stream",), ("set-size", 1), ("advise", 0, 1, "normal"), ("get-type",), ("get-flags",)]
            ),
            *(("root", *what) for what in [("sync",), ("sync-data",), ("stat",), ("metadata-hash",)]),
        ],
        "what a file is no folder for": [
            ("f=root", "open-at", HERE, "a", [], RW),
            *(("f", *what) for what in [("read-directory",), ("stat-at", HERE, "x"), ("open-at", HERE, "x", [], R), ("readlink-at", "x")]),
            *(("f", *what) for what in [("create-directory-at", "x"), ("unlink-file-at", "x"), ("symlink-at", "a", "x")]),
            *(
                ("f", *what)
                for what in [("rename-at", "x", "root", "y"), ("link-at", HERE, "x", "root", "y"), ("remove-directory-at", "x")]
            ),
            ("root", "rename-at", "a", "f", "y"),
            ("root", "link-at", HERE, "a", "f", "y"),
        ],
        "sizes": [
            ("f=root", "open-at", HERE, "a", [], RW),
            *(step for size in (5, 0, 8) for step in [("f", "set-size", size), ("f", "read", 100, 0)]),
            ("f", "set-size", big + 1),
            ("f", "stat"),
        ],
        "advice": [
            ("f=root", "open-at", HERE, "a", [], R),
            *(("f", "advise", 0, 5, one) for one in ("normal", "sequential", "random", "will-need", "dont-need", "no-reuse")),
            ("f", "advise", big, 1, "normal"),
            ("f", "advise", big + 1, 1, "normal"),
            ("f", "advise", 0, (1 << 64) - 1, "normal"),
        ],
        "synchronized writes": [
            ("f=root", "open-at", HERE, "a", [], ["write", one])
            for one in ("file-integrity-sync", "data-integrity-sync", "requested-write-sync")
        ],
        "folders opened to be changed": [
            ("d=root", "open-at", HERE, "dir", FOLDER, ["read", "mutate-directory"]),
            ("d", "get-flags"),
            ("d=root", "open-at", HERE, "dir", FOLDER, []),
            ("d", "get-flags"),
            ("d", "create-directory-at", "new"),
            ("e=root", "open-at", HERE, "a", [], ["read", "mutate-directory"]),
        ],
        "flags of opening that contradict each other": [
            ("f=root", "open-at", HERE, "new", [*NEW, *FOLDER], RW),
            ("f=root", "open-at", HERE, "dir", [*ONLY_NEW, *FOLDER], R),
            ("f=root", "open-at", HERE, "dir", [*EMPTIED, *FOLDER], W),
            ("f=root", "open-at", HERE, "a", ["exclusive"], R),
            ("f=root", "open-at", HERE, "nothing", ["exclusive"], R),
            ("f=root", "open-at", HERE, "nothing", EMPTIED, W),
        ],
    }


def _times() -> dict[str, list[Step]]:
    given: list[Any] = ["no-change", "now", [5, 6], [0, 0], [5, 999_999_999], [5, 1_000_000_000], [1 << 40, 0], [(1 << 64) - 1, 0]]
    cases: dict[str, list[Step]] = {}
    for access, modified in [(one, "no-change") for one in given] + [("no-change", one) for one in given]:
        times = (access, modified)
        cases[f"set-times {access} {modified}"] = [
            *(
                ("root", "set-times-at", flags, place, *times)
                for flags, place in [(HERE, "a"), (FOLLOW, "to-a"), (HERE, "to-a"), (HERE, "dir")]
            ),
            *(("root", "stat-at", HERE, place) for place in ("a", "to-a", "dir")),
            ("f=root", "open-at", HERE, "dir/b", [], RW),
            ("f", "set-times", *times),
            ("f", "stat"),
            ("g=root", "open-at", HERE, "dir/b", [], R),
            ("g", "set-times", *times),
        ]
    for place in _PLACES:
        if place not in _PIPES:
            cases[f"set-times {place[:40]!r}"] = [("root", "set-times-at", flags, place, "now", "now") for flags in (HERE, FOLLOW)]
    return cases


def _told() -> dict[str, list[Step]]:
    """What is known of files, and of the rest of the world."""
    same = [("root", "metadata-hash-at", FOLLOW, place) for place in ("a", "twin", "to-a", "dir/back", "empty", "dir", "slashed", ".")]
    return {
        "identities": [*same, ("f=root", "open-at", HERE, "a", [], RW), ("f", "write", "more", 11), ("f", "metadata-hash"), *same],
        "the same object": [
            *(
                (f"{name}=root", "open-at", FOLLOW, path, [], R)
                for name, path in [("f", "a"), ("g", "twin"), ("h", "empty"), ("d", "dir"), ("e", "slashed")]
            ),
            *(
                (one, "is-same-object", other)
                for one, other in [("f", "f"), ("f", "g"), ("f", "h"), ("d", "e"), ("d", "root"), ("root", "root"), ("f", "d")]
            ),
        ],
        "listings": [
            ("all=root", "read-directory"),
            ("all", "entries"),
            ("all", "read-directory-entry"),
            ("d=root", "open-at", HERE, "dir", FOLDER, R),
            ("one=d", "read-directory"),
            ("one", "entries"),
            ("v=root", "open-at", HERE, "void", FOLDER, R),
            ("none=v", "read-directory"),
            ("none", "entries"),
            ("f=v", "open-at", HERE, "new", NEW, W),
            ("none", "read-directory-entry"),
            ("again=v", "read-directory"),
            ("again", "entries"),
        ],
        "a folder inside, as a base": [
            ("d=root", "open-at", HERE, "dir", FOLDER, R),
            *(
                ("d", "stat-at", FOLLOW, place)
                for place in ["b", "./b", "deep/c", "deep/../b", ".", "..", "../a", "back", "deep/../..", "/b"]
            ),
            ("d", "rename-at", "b", "root", "moved"),
            ("root", "rename-at", "moved", "d", "deep/moved"),
            ("d", "link-at", HERE, "deep/moved", "root", "linked"),
            ("d", "symlink-at", "deep/moved", "link"),
            ("d", "readlink-at", "link"),
            ("d", "unlink-file-at", "deep/c"),
            ("d", "remove-directory-at", "deep"),
        ],
        "a file that is gone, and goes on": [
            ("f=root", "open-at", HERE, "a", [], RW),
            ("root", "unlink-file-at", "a"),
            ("f", "stat"),
            ("f", "write", "more", 11),
            ("f", "read", 100, 0),
            ("f", "set-times", [1, 2], [3, 4]),
            ("d=root", "open-at", HERE, "void", FOLDER, R),
            ("root", "remove-directory-at", "void"),
            ("d", "stat"),
            ("d", "create-directory-at", "x"),
            ("d", "stat-at", HERE, "."),
            ("s=d", "read-directory"),
            ("s", "entries"),
        ],
        "a file that is moved, and goes on": [
            ("f=root", "open-at", HERE, "a", [], RW),
            ("d=root", "open-at", HERE, "dir", FOLDER, R),
            ("root", "rename-at", "a", "d", "a2"),
            ("root", "rename-at", "dir", "root", "dir2"),
            ("f", "write", "HE", 0),
            ("d", "stat-at", HERE, "a2"),
            ("d", "create-directory-at", "x"),
            ("root", "stat-at", HERE, "dir2/x"),
        ],
        "errors of streams": [
            ("f=root", "open-at", HERE, "a", [], RW),
            ("in=f", "read-via-stream", 0),
            ("f", "drop"),
            ("in", "blocking-read", 100),
            ("in", "blocking-read", 100),
        ],
        "clocks": [
            *(("monotonic-clock", one) for one in ("now", "resolution")),
            *(("wall-clock", one) for one in ("now", "resolution")),
            ("p=monotonic-clock", "subscribe-duration", 0),
            ("p", "block"),
            ("q=monotonic-clock", "subscribe-duration", 1_000_000),
            ("q", "block"),
            ("q", "ready"),
            ("s=monotonic-clock", "subscribe-instant", 0),
            ("poll", "poll", ["s"]),
            ("t=monotonic-clock", "subscribe-duration", (1 << 64) - 1),
            ("t", "ready"),
            ("poll", "poll", ["t", "p"]),
        ],
        "no pollables": [("poll", "poll", [])],
        "random numbers": [
            *(("random", "get-random-bytes", count) for count in (0, 1, 100)),
            ("random", "get-random-u64"),
            *(("insecure", "get-insecure-random-bytes", count) for count in (0, 100)),
            ("insecure", "get-insecure-random-u64"),
            ("insecure-seed", "insecure-seed"),
        ],
        "the environment": [("environment", one) for one in ("get-environment", "get-arguments", "initial-cwd")],
        "standard streams": [
            *((f"{one}={one}", f"get-{one}") for one in ("stdin", "stdout", "stderr")),
            *((f"{one}=terminal-{one}", f"get-terminal-{one}") for one in ("stdin", "stdout", "stderr")),
        ],
        "standard input": [("in=stdin", "get-stdin"), ("in", "blocking-read", 10), ("in", "read", 1)],
        "standard output": [
            ("out=stdout", "get-stdout"),
            ("out", "blocking-write-and-flush", "hello\n"),
            ("p=out", "subscribe"),
            ("p", "block"),
            ("again=stdout", "get-stdout"),
            ("again", "blocking-flush"),
            ("err=stderr", "get-stderr"),
            ("err", "blocking-write-zeroes-and-flush", 3),
        ],
        "leaving": [("exit", "exit", "ok")],
        "leaving in anger": [("exit", "exit", "error")],
        "what is written to and closed again": [
            ("f=root", "open-at", HERE, "made", NEW, W),
            ("out=f", "write-via-stream", 0),
            ("f", "drop"),
            ("out", "blocking-write-and-flush", "left behind"),
            ("out", "drop"),
            ("f=root", "open-at", HERE, "made", [], R),
            ("f", "read", 100, 0),
            ("f", "stat"),
        ],
    }


ALL: dict[str, list[Step]] = {
    **_looked_at(),
    **_opened(),
    **_made_and_removed(),
    **_moved(),
    **_linked(),
    **_read_and_written(),
    **_times(),
    **_told(),
}
"""Of a folder granted with all access: name to steps."""


READ_ONLY: dict[str, list[Step]] = {
    "to be read: files": [
        ("f=root", "open-at", HERE, "a", [], R),
        *(("f", *what) for what in [("read", 5, 0), ("write", "x", 0), ("write-via-stream", 0), ("append-via-stream",), ("set-size", 0)]),
        *(("f", *what) for what in [("set-times", "now", "now"), ("sync",), ("sync-data",), ("get-flags",), ("stat",)]),
        *(
            ("g=root", "open-at", FOLLOW, place, how, access)
            for place in ("a", "new", "dir", "to-a", "dangling")
            for how in ([], NEW, ONLY_NEW, EMPTIED)
            for access in (R, W)
        ),
    ],
    "to be read: folders": [
        ("root", "get-flags"),
        ("d=root", "open-at", HERE, "dir", FOLDER, R),
        ("d", "get-flags"),
        ("s=d", "read-directory"),
        ("s", "entries"),
        ("d=root", "open-at", HERE, "dir", FOLDER, ["read", "mutate-directory"]),
        *((one, "set-times", "now", "now") for one in ("root", "d")),
        *((one, "sync") for one in ("root", "d")),
        *(("root", "set-times-at", HERE, place, "now", "now") for place in ("a", "dir", "to-a", "nothing")),
        *(("root", "create-directory-at", place) for place in ("new", "dir", "a", "nothing/x", "../x")),
        *(("root", "remove-directory-at", place) for place in ("void", "dir", "a", "nothing", "..")),
        *(("root", "unlink-file-at", place) for place in ("a", "to-a", "dir", "nothing", "../outside.txt")),
        *(("root", "symlink-at", "a", place) for place in ("new", "a", "nothing/x")),
        *(("root", "readlink-at", place) for place in ("to-a", "a", "nothing")),
        *(("root", "rename-at", old, "root", new) for old in ("a", "nothing", "dir") for new in ("new", "twin", "void")),
        *(("root", "link-at", HERE, old, "root", new) for old in ("a", "nothing", "dir") for new in ("new", "twin")),
    ],
}
"""Of a folder that is granted to be read."""
