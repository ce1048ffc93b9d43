"""Runs as pages meet them: started, steered and watched (live_run), and pushed to the browser (push).

What a run computes and where it runs is in core/runs; its map and panel are in ui/boards.
"""
