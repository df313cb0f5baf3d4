"""Who is eligible? A retriever asks one source, in the terms of one context.

A retriever is a function with the JSON schema of its options, made known by the setting
ELIGIBILITY_RETRIEVERS or by a package's entry point of the group `laurel.retrievers`.
"""
