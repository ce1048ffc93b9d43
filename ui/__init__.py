"""What two pages share on the screen: state, words, tables, figures, boards, the run on the page.

What only one page needs lies in that page's own folder.
"""
