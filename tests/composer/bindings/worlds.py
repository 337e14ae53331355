"""Worlds that are hard on names, and one that has everything."""

KEYWORDS = """
package a:b@1.0.0;

interface import-it {
    record class { %from: string, %import: option<u32>, %async: bool, self: u8, int: u8, %str: string, %list: list<string>, none: u8 }
    enum none { true, false, none, class, %def, name, value }
    flags %flags { read, %class }
    variant exception { %type, value-error(string), %none(class), protocol(none) }
    variant protocol { failure, some(u8) }
    record graph { protocol: protocol, resource-x: some }
    record some { x: option<option<u32>>, y: result<u8, string>, z: result, %enum: %flags }
    resource resource-it {
        constructor(%list: list<string>);
        close: func() -> list<u8>;
        %list: func() -> list<string>;
        int: func(self2: u32) -> result<u32, exception>;
        open: static func(self2: borrow<resource-it>) -> result<resource-it>;
        raises: func() -> result<u8, none>;
    }
    resource-it-open: func(self: u32, lambda: list<list<u8>>) -> result<tuple<u8, graph>, protocol>;
    raises: func() -> result<_, string>;
    %list: func(x: graph) -> list<graph>;
    %bytes: func(x: list<u8>) -> result<list<u8>, tuple<u8, list<string>>>;
}
world w { export import-it; }
"""
"""Python keywords, builtins, what the file imports, what its base classes have, `self`."""

CASES = """
package a:b;

interface url {
    record URL { u: u8, x: u }
    type u = u8;
    enum http-status { OK, not-ok }
    enum HTTP { a }
    record a { a: u8 }
    F: func(a: URL) -> result<URL, HTTP>;
    record foo-bar { x: u8 }
    variant foo { bar(u8), baz }
    record foo-baz { y: foo }
    g: func() -> foo-baz;
    h: func(x: foo-bar);
    variant tone { tone-failure, same(u8) }
    record tone-same { x: tone }
    t: func(t: tone-same) -> result<_, list<tone-same>>;
}
world url-world { export url; export run: func(u: string) -> result<u8, u32>; }
"""
"""Names that differ in case only, that meet once they are CapWords, and cases and failures that are called like types."""

COLLISIONS = """
package a:b@1.2.0;

interface order { record order { x: u8 } get: func() -> order; }
interface stock {
    record order { y: u8 }
    enum vendor { a }
    get: func() -> order;
    put: func(v: vendor, m: maybe) -> nested;
    type maybe = option<u32>;
    type nested = option<maybe>;
    type blob = list<u8>;
    type octet = u8;
    b: func(x: blob, y: list<octet>);
}
world w { export order; export stock; export inline: interface { record order { z: u8 } get: func() -> order; } }
"""
"""Equal names in three interfaces, one of them inline, and a type called like its node."""

TREE = """
package a:b;

/// What holds what.
interface tree {
    resource branch {
        constructor(parent: option<branch>);
        twigs: func() -> list<twig>;
        fork: func(into: list<borrow<branch>>) -> tuple<branch, branch>;
        grow: static func(count: u32) -> result<list<branch>, fault>;
    }
    record twig { of: branch, leaf: option<leaf> }
    variant leaf { green(list<branch>), dry }
    type twigs = list<twig>;
    type bough = branch;
    record fault { branch: option<string>, cause: cause }
    variant cause { wind(f32), saw(tuple<char, bool>) }
    cut: func(branch: bough, whole: bool) -> result<option<branch>, fault>;
}
world w { export tree; }
"""
"""Types that seem to hold themselves, by way of a resource: none of them really does."""

VERSIONS = """
package a:both;

world w { export a:b/orders@1.0.0; export a:b/orders@2.1.0; export c:d/orders@2.1.0; }

package a:b@1.0.0 { interface orders { record order { id: string } get: func() -> order; } }
package a:b@2.1.0 { interface orders { record order { id: u64 } get: func() -> order; put: func(order: order); } }
package c:d@2.1.0 { interface orders { enum order { up, down } get: func() -> order; } }
"""
"""One interface in two versions, and another package's of the same name."""

LARGE = (
    "package a:b;\ninterface large {\n"
    + "".join(f"  /// Number {n}.\n  record r{n} {{ a: u32, b: list<{f'r{n - 1}' if n else 'string'}>, c: v{n} }}\n" for n in range(200))
    + "".join(f"  variant v{n} {{ a(string), b(u64), c }}\n" for n in range(200))
    + "".join(f"  call-{n}: func({', '.join(f'p{m}: r{m}' for m in range(n % 12))}) -> result<r{n}, v{n}>;\n" for n in range(200))
    + "}\nworld w { export large; }\n"
)
"""Four hundred types and two hundred functions."""

ALL = {"keywords": KEYWORDS, "cases": CASES, "collisions": COLLISIONS, "tree": TREE, "versions": VERSIONS, "large": LARGE}
