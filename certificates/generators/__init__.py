"""Who draws a certificate? A generator makes a PDF of what is to be printed, and of its options.

It is a function with the JSON schema of its options, made known by the setting PDF_GENERATORS or
by a package's entry point of the group `laurel.generators`.
"""
