"""The vault on a real disk."""

from __future__ import annotations

import fcntl
import hashlib
import os
import stat
import threading
from pathlib import Path

import pytest

from qbwatch.core.model import QbwatchError
from qbwatch.core.settle import Look
from qbwatch.edges import vault as vault_module
from qbwatch.edges.folder import look_at
from qbwatch.edges.vault import Kept, Refusal, Vault, VaultError

CONTENT = b"Date,Num\r\n01/02/2024,1001\r\n" * 1000
SHA = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    return Vault(tmp_path / "state" / "vault")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    source = tmp_path / "a.csv"
    source.write_bytes(CONTENT)
    return source


def take(vault: Vault, source: Path) -> Kept | Refusal:
    return vault.take(os.fsencode(source))


def all_files(tmp_path: Path) -> list[Path]:
    return [path for path in (tmp_path / "state").rglob("*") if path.is_file()]


def test_a_file_is_kept_under_the_hash_of_its_bytes(vault: Vault, source: Path, tmp_path: Path) -> None:
    look = look_at(tmp_path, b"a.csv")
    assert take(vault, source) == Kept(SHA, len(CONTENT), look or Look(0, 0, 0, 0))
    assert all_files(tmp_path) == [tmp_path / "state" / "vault" / SHA[:2] / SHA[2:4] / SHA]
    with vault.open(SHA) as kept:
        assert kept.read() == CONTENT


def test_a_path_below_a_folder_is_kept_too(vault: Vault, source: Path, tmp_path: Path) -> None:
    kept = vault.take(b"a.csv", tmp_path)
    assert isinstance(kept, Kept)
    assert kept.content_hash == SHA


def test_an_empty_file_is_kept(vault: Vault, source: Path) -> None:
    source.write_bytes(b"")
    kept = take(vault, source)
    assert isinstance(kept, Kept)
    assert (kept.size_bytes, kept.content_hash) == (0, hashlib.sha256(b"").hexdigest())


def test_the_vault_is_readable_by_its_user_alone(vault: Vault, source: Path, tmp_path: Path) -> None:
    take(vault, source)
    below = [tmp_path / "state" / "vault", *(tmp_path / "state" / "vault").rglob("*")]
    modes = {(path.is_dir(), stat.S_IMODE(path.stat().st_mode)) for path in below}
    assert modes == {(True, 0o700), (False, 0o600)}


def test_the_source_is_left_as_it_is(vault: Vault, source: Path) -> None:
    before = source.stat()
    take(vault, source)
    after = source.stat()
    assert (before.st_mtime_ns, before.st_ctime_ns, before.st_ino) == (
        after.st_mtime_ns,
        after.st_ctime_ns,
        after.st_ino,
    )


def test_content_that_is_there_is_not_written_again(vault: Vault, source: Path, tmp_path: Path) -> None:
    take(vault, source)
    before = all_files(tmp_path)[0].stat()
    (tmp_path / "b.csv").write_bytes(CONTENT)
    kept = take(vault, tmp_path / "b.csv")
    assert isinstance(kept, Kept)
    assert kept.content_hash == SHA
    assert [(path.stat().st_ino, path.stat().st_mtime_ns) for path in all_files(tmp_path)] == [
        (before.st_ino, before.st_mtime_ns)
    ]


def test_a_copy_that_lost_bytes_is_replaced(vault: Vault, source: Path, tmp_path: Path) -> None:
    take(vault, source)
    all_files(tmp_path)[0].write_bytes(CONTENT[:10])
    assert not vault.verify(SHA)
    take(vault, source)
    assert vault.verify(SHA)


def test_a_copy_that_was_altered_does_not_verify(vault: Vault, source: Path, tmp_path: Path) -> None:
    take(vault, source)
    all_files(tmp_path)[0].write_bytes(CONTENT.replace(b"1001", b"9001"))
    assert not vault.verify(SHA)
    assert not vault.verify("0" * 64)


@pytest.mark.parametrize("change", ["appended", "rewritten with the old mtime", "replaced", "truncated"])
def test_a_file_that_changes_during_the_copy_is_not_kept(
    vault: Vault, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    read = vault_module._read

    def change_after_first_read(file: object) -> bytes:
        chunk = read(file)  # type: ignore[arg-type]
        monkeypatch.setattr(vault_module, "_read", read)
        status = source.stat()
        if change == "appended":
            with source.open("ab") as end:
                end.write(b"more")
        elif change == "truncated":
            os.truncate(source, 5)
        elif change == "replaced":
            (tmp_path / "new").write_bytes(CONTENT)
            os.replace(tmp_path / "new", source)
        else:
            source.write_bytes(CONTENT[::-1])
            os.utime(source, ns=(status.st_atime_ns, status.st_mtime_ns))
        return chunk

    monkeypatch.setattr(vault_module, "_read", change_after_first_read)
    assert take(vault, source) is Refusal.CHANGED
    assert all_files(tmp_path) == []
    assert isinstance(take(vault, source), Kept)


def test_a_missing_file_has_vanished(vault: Vault, tmp_path: Path) -> None:
    assert take(vault, tmp_path / "missing.csv") is Refusal.VANISHED


def test_links_and_pipes_are_not_read(vault: Vault, tmp_path: Path) -> None:
    (tmp_path / "link.csv").symlink_to("/etc/passwd")
    os.mkfifo(tmp_path / "pipe.csv")
    assert take(vault, tmp_path / "link.csv") is Refusal.VANISHED
    assert take(vault, tmp_path / "pipe.csv") is Refusal.VANISHED


def test_a_source_that_cannot_be_read_is_told_apart_from_a_vault_that_cannot_be_written(
    vault: Vault, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> bytes:
        raise vault_module._SourceError

    monkeypatch.setattr(vault_module, "_read", broken)
    assert take(vault, source) is Refusal.UNREADABLE


def test_a_full_disk_is_an_error_with_a_way_out_and_leaves_nothing(
    vault: Vault, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, os.strerror(28))

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(VaultError) as caught:
            take(vault, source)
    assert isinstance(caught.value, QbwatchError)
    assert "no space left" in caught.value.message
    assert caught.value.hint
    assert all_files(tmp_path) == []
    assert isinstance(take(vault, source), Kept)


def test_a_really_full_disk_is_told() -> None:
    if not os.access("/dev/full", os.W_OK):
        pytest.skip("needs /dev/full")
    with pytest.raises(OSError, match="No space left") as caught, open("/dev/full", "wb", buffering=0) as full:
        full.write(b"x")
    assert "no space left" in vault_module._unavailable(Path("/v"), caught.value).message


def test_a_vault_that_cannot_be_made_is_told(source: Path, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("x")
    with pytest.raises(VaultError, match="can't be used"):
        take(Vault(tmp_path / "taken"), source)


def test_missing_content_is_told(vault: Vault) -> None:
    with pytest.raises(VaultError, match="can't be used"):
        vault.open("0" * 64)


@pytest.mark.parametrize("name", ["", "../../etc/passwd", "A" * 64, "0" * 63])
def test_only_a_hash_is_a_key(vault: Vault, name: str) -> None:
    with pytest.raises(ValueError, match="not a sha256"):
        vault.open(name)


def test_leftovers_of_a_crash_are_removed_and_a_copy_in_progress_is_not(
    vault: Vault, source: Path, tmp_path: Path
) -> None:
    take(vault, source)
    incoming = tmp_path / "state" / "vault" / "incoming"
    (incoming / "left").write_bytes(b"half")
    with (incoming / "growing").open("wb") as growing:
        fcntl.flock(growing, fcntl.LOCK_EX)
        assert vault.clear_leftovers() == 1
        assert [path.name for path in incoming.iterdir()] == ["growing"]
    assert vault.clear_leftovers() == 1
    assert vault.verify(SHA)


def test_a_new_vault_has_no_leftovers(vault: Vault) -> None:
    assert vault.clear_leftovers() == 0


def test_several_threads_may_keep_the_same_content_at_once(vault: Vault, source: Path, tmp_path: Path) -> None:
    results: list[Kept | Refusal] = []
    threads = [threading.Thread(target=lambda: results.append(take(vault, source))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {result.content_hash for result in results if isinstance(result, Kept)} == {SHA}
    assert len(results) == 8
    assert len(all_files(tmp_path)) == 1
    assert vault.verify(SHA)
