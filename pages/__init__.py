"""One folder a page: page.py is the lesson from top to bottom, beside it whatever only that page needs.

A page imports its own folder, ui and core, never another page. Addresses and titles: ui/pages.py.
"""
