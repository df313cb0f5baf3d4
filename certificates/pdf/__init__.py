"""Drawing certificates: layouts, fonts, text that fits, pages that are put together. No Django, no
clock, no network.
"""
