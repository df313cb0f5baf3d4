"""The rules engine: pure Python, no Django, no clock, no input or output.

`paths` says what a payload type offers, `values` reads expected and actual values in the declared
type, `operators` is the table of comparisons, `conditions` compiles one data rule, `book` compiles
templates into an index and matches events against it, `progress` applies matches to what a
learner holds.
"""
