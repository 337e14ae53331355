"""`python -m benchmarks`. Nothing is imported here, for processes that are started from this one import this file again."""

if __name__ == "__main__":
    from benchmarks.command import main

    main(prog_name="just bench")
