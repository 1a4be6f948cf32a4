"""As whom and where root's server runs, with users and a useradd that the test makes up."""

import os
import pwd
from pathlib import Path

import pytest

from libs.pg.binaries import Binaries
from libs.pg.faults import ServerFault
from libs.pg.place import ENVIRONMENT, Place, RunAs
from libs.pg.placing import choose_place, reachable_binaries

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.skipif(os.geteuid() != 0, reason="only root is refused by PostgreSQL"),
]

POSTGRES, LESKO, OTHER = 64_101, 64_102, 64_103
"""Numbers that no user of this machine has; the kernel takes any."""


class Users:
    """The machine's users; a fake useradd writes down how it was called and adds lesko."""

    def __init__(self, programs: Path) -> None:
        self.programs = programs
        self.numbers: dict[str, int] = {}
        self._calls = programs / "calls"

    @property
    def calls(self) -> list[str]:
        """The command lines of useradd and adduser."""
        return self._calls.read_text().splitlines() if self._calls.exists() else []

    def offer(self, program: str, *, fails_with: str = "") -> None:
        """Put a program that makes users, or fails with these words, where ours are looked for."""
        end = f'echo "{fails_with}" >&2; exit 1' if fails_with else "exit 0"
        path = self.programs / program
        path.write_text(f'#!/bin/sh\necho "{program} $*" >> {self._calls}\n{end}\n')
        path.chmod(0o755)

    def by_name(self, name: str) -> pwd.struct_passwd:
        """Fit ``pwd.getpwnam``."""
        found = self.numbers | ({"lesko": LESKO} if self.calls else {})
        return self._entry(name, found[name])

    def by_number(self, uid: int) -> pwd.struct_passwd:
        """Fit ``pwd.getpwuid``."""
        return self._entry({POSTGRES: "postgres", LESKO: "lesko"}[uid], uid)

    @staticmethod
    def _entry(name: str, uid: int) -> pwd.struct_passwd:
        return pwd.struct_passwd((name, "x", uid, uid, "", "/", "/bin/false"))


@pytest.fixture
def users(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Users:
    """Give a machine with no user for PostgreSQL and nothing that makes one."""
    programs = tmp_path / "programs"
    programs.mkdir()
    users = Users(programs)
    monkeypatch.setattr(pwd, "getpwnam", users.by_name)
    monkeypatch.setattr(pwd, "getpwuid", users.by_number)
    monkeypatch.setitem(ENVIRONMENT, "PATH", str(programs))
    return users


@pytest.fixture
def root(empty_root: Path) -> Path:
    """Give an empty directory that every user can reach."""
    empty_root.mkdir(mode=0o755)
    return empty_root


class TestChoosePlace:
    def test_takes_postgres_where_it_exists(self, root: Path, users: Users) -> None:
        """The user of the system's PostgreSQL comes first; nothing is made, nothing said."""
        users.numbers = {"postgres": POSTGRES, "lesko": LESKO}
        users.offer("useradd")
        said: list[str] = []

        place = choose_place(root, said.append)

        assert Place(root, root, RunAs("postgres", POSTGRES, POSTGRES)) == place
        assert ([], []) == (users.calls, said)

    def test_takes_lesko_where_an_earlier_start_made_it(self, root: Path, users: Users) -> None:
        """The user is made once."""
        users.numbers = {"lesko": LESKO}
        users.offer("useradd")

        place = choose_place(root, lambda _: None)

        assert RunAs("lesko", LESKO, LESKO) == place.run_as
        assert [] == users.calls

    @pytest.mark.parametrize(
        ("program", "call"),
        [
            ("useradd", "useradd --system --no-create-home --shell /bin/false lesko"),
            ("adduser", "adduser -S -D -H -s /bin/false lesko"),
        ],
    )
    def test_makes_a_system_user_and_names_it(
        self, root: Path, users: Users, program: str, call: str
    ) -> None:
        """Whichever program the machine has: no home, no shell, and people are told the name."""
        users.offer(program)
        said: list[str] = []

        place = choose_place(root, said.append)

        assert RunAs("lesko", LESKO, LESKO) == place.run_as
        assert [call] == users.calls
        assert ["the system user lesko was created for it"] == [
            sentence.rstrip(".").partition(": ")[2] for sentence in said
        ]

    def test_says_why_no_user_can_be_made(self, root: Path, users: Users) -> None:
        """What useradd said is passed on, with the way out; so is that there is none."""
        with pytest.raises(ServerFault, match=r"neither useradd nor adduser .* ordinary user\."):
            choose_place(root, lambda _: None)
        users.offer("useradd", fails_with="useradd: cannot lock /etc/passwd; try again later.")
        with pytest.raises(ServerFault, match=r"cannot lock /etc/passwd.* Run as an ordinary"):
            choose_place(root, lambda _: None)

    def test_stays_with_the_owner_of_the_data(self, root: Path, users: Users) -> None:
        """Data that are there decide, also where PostgreSQL's own user came later."""
        users.numbers = {"postgres": POSTGRES}
        (root / "data").mkdir()
        os.chown(root / "data", OTHER, OTHER)

        place = choose_place(root, lambda _: None)

        assert RunAs(f"user {OTHER}", OTHER, OTHER) == place.run_as

    def test_refuses_data_of_root(self, root: Path, users: Users) -> None:
        """PostgreSQL would refuse them; the sentence says whose they are."""
        (root / "data").mkdir()

        with pytest.raises(ServerFault, match="data belongs to root"):
            choose_place(root, lambda _: None)

    def test_names_both_places_that_the_user_cannot_reach(
        self, root: Path, users: Users, tmp_path: Path
    ) -> None:
        """Neither the folder nor the place for such cases: nothing is left there."""
        users.numbers = {"postgres": POSTGRES}
        locked, elsewhere = tmp_path / "locked", tmp_path / "elsewhere"
        (locked / "var").mkdir(parents=True)
        tmp_path.chmod(0o700)

        with pytest.raises(ServerFault, match=f"reach neither {locked}/var nor {elsewhere}"):
            choose_place(locked / "var", lambda _: None, elsewhere=elsewhere)
        assert [] == list(elsewhere.iterdir())


class TestReachableBinaries:
    def test_are_copied_with_their_libraries(
        self, root: Path, users: Users, tmp_path: Path
    ) -> None:
        """Programs in a locked folder are laid out beside the data; a second start finds them."""
        binaries = _a_wheel(tmp_path / "locked")
        place = Place(root, root, RunAs("lesko", LESKO, LESKO))

        found = reachable_binaries(binaries, place)
        again = reachable_binaries(binaries, place)

        tree = root / "binaries" / "16.1"
        assert tree / "package" / "pginstall" / "bin" == found.directory == again.directory
        assert (tree / "package.libs" / "libx.so").read_text() == "library"
        assert 0o755 == (found.directory / "postgres").stat().st_mode & 0o777
        assert not (tree / "package" / "pginstall" / "include").exists()
        assert 0o700 == (tmp_path / "locked").stat().st_mode & 0o777

    def test_stay_where_the_user_can_start_them(self, root: Path, users: Users) -> None:
        """No copy is made of what is reachable."""
        binaries = _a_wheel(root.parent / "open")
        (root.parent / "open").chmod(0o755)
        place = Place(root, root, RunAs("lesko", LESKO, LESKO))

        assert binaries == reachable_binaries(binaries, place)
        assert not (root / "binaries").exists()


def _a_wheel(folder: Path) -> Binaries:
    """Lay programs as a wheel does, in a folder that only root may enter."""
    tree = folder / "package" / "pginstall"
    for directory in ("bin", "share", "include"):
        (tree / directory).mkdir(parents=True)
    for name in ("initdb", "postgres"):
        (tree / "bin" / name).write_text('#!/bin/sh\necho "postgres (PostgreSQL) 16.1"\n')
        (tree / "bin" / name).chmod(0o755)
    (tree / "share" / "postgres.bki").write_text("")
    (folder / "package.libs").mkdir()
    (folder / "package.libs" / "libx.so").write_text("library")
    folder.chmod(0o700)
    return Binaries(tree / "bin", "16.1")
