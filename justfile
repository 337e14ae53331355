# Everything a person or CI runs. `just demo` and `just test` set up whatever is missing, and are quick the second time.
set shell := ["bash", "-euo", "pipefail", "-c"]

uv := "python3 -m uv"
run := uv + " run --locked --quiet --no-sync"

# the commands
default:
    @just --list --unsorted

# compose and run the demo graph against a real vendor server, then show what the fence refuses (--lane component: on the reference engine)
demo *options: setup
    {{run}} python manifests/shop/demo.py {{options}}

# three libraries everybody uses, each with what it needs: real work by each, then what its fence refuses
demo-table: setup
    {{run}} python manifests/table/demo.py

# all checks: style, types, the house's walls, and every test
test: setup
    {{run}} ruff check
    {{run}} ruff format --check
    {{run}} mypy
    {{run}} basedpyright
    {{run}} lint-imports
    {{run}} pytest --numprocesses auto --dist loadfile --no-loadscope-reorder

# rewrite the expected messages in tests/cases and the counts of the component-model suite; review the diff
bless: setup
    {{run}} pytest tests/composer/test_cases.py tests/host/engine/suite -q --bless

# how the official component-model suite ends on both lanes; with part of a script's name, each of its commands that does not pass
suite *part: setup
    PYTHONPATH=tests {{run}} python -m host.engine.suite.table {{part}}

# install the pinned tools and libraries, and build the toolchain component
setup:
    @python3 -m uv --version >/dev/null 2>&1 || python3 -m pip install --quiet uv==0.13.9 || { echo "uv is missing and pip refused to install it: run 'python3 -m venv .tools && . .tools/bin/activate' first" >&2; exit 1; }
    @{{uv}} sync --locked --quiet
    @{{run}} python -m ringfence_composer.set_up

# every WIT type through guests in each language and each pair of them: measured, and written to docs/types.md
types: setup
    PYTHONPATH=tests {{run}} python -m conformance.table

# our engines against what people use today, in one run of under ten minutes (--quick: one; --compare REV; --write-docs; --help)
bench *options: setup
    @{{uv}} sync --locked --quiet --group bench
    @{{run}} python -m benchmarks {{options}}

# do wrapped libraries work? their own test suites natively and against their drop-in wheels (--library NAME; --write-docs; --help)
compat *options: setup
    {{run}} python -m compat {{options}}

# look for trouble in the engines with fresh seeds, for so many seconds; what is found becomes a case of the tests
fuzz seconds="60": setup
    PYTHONPATH=tests {{run}} python -m host.engine.core.hostile.fuzz {{seconds}}

# take each safety check of the core engine away in turn: its test must fail
mutants *words: setup
    {{run}} python tests/host/engine/core/mutants.py {{words}}

# four threads call all kinds of guests for so many seconds; every answer is checked, and so is memory
soak seconds="300": setup
    PYTHONPATH=tests:manifests/shop {{run}} python -m host.soak {{seconds}}

# put the code in its canonical form
format: setup
    {{run}} ruff check --fix
    {{run}} ruff format
