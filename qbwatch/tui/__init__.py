"""The terminal interface: a process of its own that speaks to the daemon's control socket, and to nothing else of it.

    desk (socket, else the ledger) ──▶ answers ──▶ pure: facts → lines and rows ──▶ panes, dialogs (Textual)

What touches the socket or Postgres runs in threads with a deadline, so keys answer whatever hangs. All data is shown
literally: every text of the outside passes `plain` on its way to the screen, and markup is parsed nowhere.
"""
