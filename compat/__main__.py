"""`python -m compat`."""

if __name__ == "__main__":
    from compat.command import main

    main(prog_name="just compat")
