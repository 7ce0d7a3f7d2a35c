"""The vault on a real disk."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import io
import os
import stat
import threading
from pathlib import Path

import pytest

from qbwatch.core.model import QbwatchError
from qbwatch.core.settle import Look
from qbwatch.edges import vault as vault_module
from qbwatch.edges.disk_room import Reserve, size_text
from qbwatch.edges.folder import look_at
from qbwatch.edges.vault import Kept, Refusal, Vault, VaultError
from qbwatch.edges.vault_trouble import unavailable

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
    assert all_files(tmp_path) == [tmp_path / "state" / "vault" / SHA[:2] / SHA[2:4] / f"{SHA}.zst"]
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
    before = all_files(tmp_path)[0].stat().st_ino
    (tmp_path / "b.csv").write_bytes(CONTENT)
    kept = take(vault, tmp_path / "b.csv")
    assert isinstance(kept, Kept)
    assert kept.content_hash == SHA
    assert [path.stat().st_ino for path in all_files(tmp_path)] == [before]


def test_a_copy_that_the_disk_cannot_read_is_no_reason_not_to_keep_the_file(
    vault: Vault, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreadable(*_: object) -> bool:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    kept = take(vault, source)
    assert isinstance(kept, Kept)
    monkeypatch.setattr(vault_module, "holds", unreadable)
    assert take(vault, source) == kept
    assert vault.verify(kept.content_hash)


def put_in_place(vault: Vault, tmp_path: Path, content: bytes) -> None:
    """Other bytes, well compressed, where the copy of CONTENT should be."""
    (tmp_path / "other.csv").write_bytes(content)
    other = take(vault, tmp_path / "other.csv")
    assert isinstance(other, Kept)
    kept = {path.stem: path for path in all_files(tmp_path)}
    kept[other.content_hash].rename(kept[SHA])


@pytest.mark.parametrize(
    "damage", ["cut off", "a flipped bit", "other bytes", "nothing left", "not compressed", "gone"]
)
def test_a_copy_that_is_lost_is_told_and_comes_back_with_the_same_bytes(
    vault: Vault, source: Path, tmp_path: Path, damage: str
) -> None:
    take(vault, source)
    [copy] = all_files(tmp_path)
    whole = copy.read_bytes()
    match damage:
        case "cut off":
            copy.write_bytes(whole[:-10])
        case "a flipped bit":
            middle = len(whole) // 2
            copy.write_bytes(whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :])
        case "other bytes":
            put_in_place(vault, tmp_path, CONTENT.replace(b"1001", b"9001"))
        case "nothing left":
            copy.write_bytes(b"")
        case "not compressed":
            copy.write_bytes(CONTENT)
        case _:
            copy.unlink()

    assert not vault.verify(SHA)
    with pytest.raises(VaultError) as caught:
        vault.check(SHA)
    code = "vault_copy_gone" if damage == "gone" else "vault_copy_damaged"
    assert (caught.value.failure.code, caught.value.failure.is_transient) == (code, False)
    assert "drop the same file" in caught.value.hint

    take(vault, source)
    vault.check(SHA)


def test_what_was_read_to_its_end_is_what_was_kept_and_a_part_can_be_read_from_anywhere(
    vault: Vault, source: Path
) -> None:
    take(vault, source)
    with vault.open(SHA) as kept:
        assert kept.seek(0, os.SEEK_END) == len(CONTENT)
        assert kept.seek(-5, os.SEEK_CUR) == len(CONTENT) - 5
        assert kept.read() == CONTENT[-5:]
        assert kept.seek(100) == 100
        assert kept.read(10) == CONTENT[100:110]
        assert kept.seek(7) == 7
        assert kept.read() == CONTENT[7:]
        assert kept.tell() == len(CONTENT)
        kept.seek(0)
        assert list(io.TextIOWrapper(kept, "utf-8", newline="")) == CONTENT.decode().splitlines(keepends=True)


def test_a_copy_takes_less_room_than_the_file(vault: Vault, source: Path, tmp_path: Path) -> None:
    take(vault, source)
    assert all_files(tmp_path)[0].stat().st_size * 10 < len(CONTENT)


def test_what_would_leave_less_room_than_the_reserve_is_not_taken(source: Path, tmp_path: Path) -> None:
    vault = Vault(tmp_path / "state" / "vault", Reserve(10**18))
    with pytest.raises(VaultError) as caught:
        take(vault, source)
    assert (caught.value.failure.code, caught.value.failure.is_transient) == ("disk_reserve", True)
    assert "are free on the disk" in caught.value.message
    assert "[state] reserve" in caught.value.hint
    assert all_files(tmp_path) == []


@pytest.mark.parametrize(("total", "reserve"), [(40_000_000, 4_000_000), (10**11, 500_000_000)])
def test_a_small_disk_has_a_small_reserve(total: int, reserve: int) -> None:
    assert Reserve().of_disk(total) == reserve
    assert Reserve(7).of_disk(total) == 7


@pytest.mark.parametrize(
    ("count", "told"), [(0, "0 B"), (4321, "4.3 kB"), (499_600_000, "500 MB"), (2 * 10**12, "2.0 TB")]
)
def test_sizes_are_told_for_people(count: int, told: str) -> None:
    assert size_text(count) == told


def test_only_what_was_not_taken_for_a_while_can_be_dropped(vault: Vault, source: Path, tmp_path: Path) -> None:
    take(vault, source)
    [copy] = all_files(tmp_path)
    assert vault.drop(SHA, 3600) == 0
    os.utime(copy, (0, 0))
    take(vault, source)  # the same bytes came again: young again
    assert vault.drop(SHA, 3600) == 0
    os.utime(copy, (0, 0))
    assert vault.drop(SHA, 3600) > 0
    assert list(vault.hashes()) == []
    assert vault.drop(SHA, 3600) == 0


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
    assert "no space left" in unavailable(Path("/v"), caught.value).message


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
