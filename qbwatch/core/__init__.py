"""The rules, without a clock, a disk or a database: each module answers one question."""
