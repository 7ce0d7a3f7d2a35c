"""Several files into the vault at once."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from qbwatch.core.failure import of_errno
from qbwatch.edges.vault import Kept, Refusal, Vault, VaultError
from qbwatch.edges.vault_batch import take_all, taken_together


def test_each_is_answered_in_its_place_and_is_on_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    vault, contents = Vault(tmp_path / "vault"), [b"first", b"second", b"first", b"broken"]
    for number, content in enumerate(contents):
        (tmp_path / f"{number}.csv").write_bytes(content)
    take = Vault.take

    def failing(self: Vault, source: bytes, beneath: Path | None = None) -> Kept | Refusal:
        if source == b"3.csv":
            raise VaultError(of_errno(5, "Input/output error"))
        return take(self, source, beneath)

    monkeypatch.setattr(Vault, "take", failing)
    first, second, again, gone, broken = take_all(
        vault, [b"0.csv", b"1.csv", b"2.csv", b"missing.csv", b"3.csv"], tmp_path
    )
    kept = [each.content_hash for each in (first, second, again) if isinstance(each, Kept)]
    assert kept == [hashlib.sha256(content).hexdigest() for content in contents[:3]]
    assert gone is Refusal.VANISHED
    assert isinstance(broken, VaultError)
    assert all(vault.verify(content_hash) for content_hash in kept)
    assert not list((tmp_path / "vault" / "incoming").iterdir())


def test_small_files_are_taken_together_and_a_large_one_alone() -> None:
    sizes = [10] * 20 + [5 << 20, 10, 10]
    runs = list(taken_together(sizes, lambda size: size))
    assert runs == [[10] * 16, [10] * 4, [5 << 20], [10, 10]]
