"""Badge definitions as a file: templates with their requirements and penalties, and organizations.

`tree` reads YAML or JSON and keeps the line of every value, `cursor` walks it and gathers faults,
`reader` turns it into the frozen values of `definitions`, `stored` reads the same values from the
database, `plan` compares both, `apply` writes the difference, `importing` does all of these
in turn, `writer` writes a file.
"""
